"""`--with-text`: the keys go with the bundle, so that its text opens in thirty years (RET-01, PRV-03)."""

import json
import stat
from pathlib import Path

from bundling import export, files, packed_anew, run_verifier, verdict
from hepatrail_infra.sealing_keys import ERASED, SubjectKey, kid_of, seal
from log_commits import adverse_event, enrol, publish
from sealed_log import SealedLog

KEYS = {name: SubjectKey(kid_of(name), bytes([number] * 64)) for number, name in enumerate(("S-00", "S-01"))}
TEXTS = {"S-00": "haematemesis at night", "S-01": "rash on both arms"}


def trial() -> SealedLog:
    """Two participants with a sealed text each."""
    sealed = SealedLog()
    publish(sealed.log)
    sealed.publish_key()
    for name, text in TEXTS.items():
        stream = enrol(sealed.log, name)
        adverse_event(sealed.log, stream, verbatim=seal(KEYS[name], sealed.log.uuid(), "verbatim", text))
    sealed.seal()
    return sealed


async def test_ret_01_the_text_opens_with_the_keys_in_the_bundle(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    await export(trial().source(), path, keys=KEYS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    code, lines = run_verifier(path, "--text-keys")
    assert (code, lines[-1]) == (0, "WHOLE")
    assert lines[-2] == "text: 2 of 2 sealed passages open, with 2 keys"
    kept = {each["subject"]: each for each in map(json.loads, files(path)["text-keys.jsonl"].splitlines())}
    assert kept.keys() == TEXTS.keys()
    report = files(path)["report.html"].decode()
    assert all(text in report for text in TEXTS.values())
    assert b"text-keys.jsonl" in files(path)["README.txt"]


async def test_without_the_option_the_text_stays_sealed(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    await export(trial().source(), path)
    assert stat.S_IMODE(path.stat().st_mode) & 0o044 == 0o044
    held = files(path)
    assert "text-keys.jsonl" not in held
    for name, raw in held.items():
        assert not any(text.encode() in raw for text in TEXTS.values()), name
        assert not any(key.key in raw for key in KEYS.values()), name
    assert "malformed" in verdict(path, text_keys=True)


async def test_an_erased_text_stays_erased_and_a_participants_bundle_has_one_key(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    await export(trial().source(), path, keys={**KEYS, "S-01": ERASED})
    assert run_verifier(path, "--text-keys")[1][-2] == "text: 1 of 2 sealed passages open, with 1 keys"
    report = files(path)["report.html"].decode()
    assert "ERASED" in report
    assert TEXTS["S-01"] not in report
    await export(trial().source(), path, subject_id="S-01", keys={"S-01": KEYS["S-01"]})
    assert run_verifier(path, "--text-keys")[1][-2] == "text: 1 of 1 sealed passages open, with 1 keys"
    assert TEXTS["S-01"] in files(path)["report.html"].decode()


async def test_a_wrong_key_in_the_bundle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    await export(trial().source(), path, keys=KEYS)
    first, second = files(path)["text-keys.jsonl"].splitlines()
    swapped = [json.loads(first) | {"key": json.loads(second)["key"]}]
    raw = b"".join(json.dumps(line).encode() + b"\n" for line in swapped)
    forged = packed_anew(path, {"text-keys.jsonl": raw}, tmp_path / "forged.zip")
    assert verdict(forged) == "WHOLE"
    code, lines = run_verifier(forged, "--text-keys")
    assert code == 1
    assert "InvalidTag" in lines[-1]
