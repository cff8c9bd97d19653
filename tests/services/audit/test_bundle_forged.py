"""Bundles that somebody has changed: a byte, a file, or the whole history under another key (AUD-06)."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from bundling import S_00, export, files, key_of, packed_anew, small, verdict
from hepatrail_events.errors import Broken
from hepatrail_events.transparency.seal import SealReason, verifier_keys
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.bundle.source import read_bundle
from log_commits import sample
from sealed_log import FORGERS_KEY, KEY, NEXT_KEY


@pytest.fixture
async def bundle(tmp_path: Path) -> Path:
    await export(small().source(), tmp_path / "bundle.zip")
    return tmp_path / "bundle.zip"


async def test_aud_06_any_byte_of_a_bundle_that_changes_is_found(bundle: Path, tmp_path: Path) -> None:
    raw, chance = await asyncio.to_thread(bundle.read_bytes), random.Random(1)
    with ZipFile(bundle) as archive:
        heads = [each.header_offset for each in archive.infolist()][:5]
        directory = archive.start_dir
    structure = [head + at for head in heads for at in range(0, 36, 3)] + [*range(directory, directory + 60, 3)]
    anywhere = [chance.randrange(len(raw)) for _ in range(60)]
    forged = tmp_path / "forged.zip"
    for place in (*structure, *anywhere, *range(len(raw) - 22, len(raw))):
        changed = bytearray(raw)
        changed[place] ^= 1 << chance.randrange(8)
        forged.write_bytes(changed)
        assert verdict(forged) != "WHOLE", f"byte {place}"
    for cut in (raw[:-1], raw + b"\0", raw[: len(raw) // 2], b"", b"PK\3\4"):
        forged.write_bytes(cut)
        assert verdict(forged) != "WHOLE"
        with pytest.raises(Broken, match="BUNDLE_DAMAGED"):
            read_bundle(forged)


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda content: b"".join(line + b"\n" for line in change(content.split(b"\n")[:-1]))


_FILE = f"events/{partition_of(S_00):02}.jsonl"
_FORGERIES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a value": (_FILE, lambda content: content.replace(b'"88"', b'"78"'), "are not those that were sealed"),
    "spaces": (_FILE, lambda content: content.replace(b'{"actorid"', b'{ "actorid"', 1), "is not canonical JSON"),
    "a float": (_FILE, lambda content: content.replace(b'"commitindex":0', b'"commitindex":0.0', 1), "is no JSON"),
    "an event dropped": (_FILE, _lines(lambda lines: lines[:-1]), "has not the"),
    "events swapped": (_FILE, _lines(lambda lines: [lines[1], lines[0], *lines[2:]]), "does not follow"),
    "an event doubled": (_FILE, _lines(lambda lines: [lines[0], *lines[:-1]]), "does not follow"),
    "a seal dropped": ("seals.jsonl", _lines(lambda lines: lines[:-1]), "is not that of the manifest"),
    "seals swapped": ("seals.jsonl", _lines(lambda lines: lines[::-1]), "seal 1 does not follow"),
    "a seal's size": ("seals.jsonl", lambda content: content.replace(b"\\n2\\n", b"\\n1\\n", 1), "tree over all seals"),
    "a checkpoint": (
        "checkpoints/3.checkpoint",
        lambda content: content.replace(b"/events/3\n0", b"/events/3\n1"),
        "checkpoints/ are not those of the last seal",
    ),
    "another key": ("keys.txt", lambda content: content.replace(b"+AQ", b"+AR"), "keys.txt does not name the key"),
}


@pytest.mark.parametrize("name", _FORGERIES)
async def test_aud_06_who_packs_a_bundle_anew_is_found_out(name: str, bundle: Path, tmp_path: Path) -> None:
    file, change, why = _FORGERIES[name]
    content = files(bundle)[file]
    assert change(content) != content
    changes: dict[str, bytes | None] = {file: change(content)}
    if name == "an event dropped":
        offsets = files(bundle)[file.replace("jsonl", "offsets")]
        changes[file.replace("jsonl", "offsets")] = _lines(lambda lines: lines[:-1])(offsets)
    assert why in verdict(packed_anew(bundle, changes, tmp_path / "forged.zip"))


async def test_a_history_rewritten_and_sealed_by_another_key_needs_the_right_key_to_be_found(tmp_path: Path) -> None:
    # Everything in it agrees with itself: only who has seen the true key, or a true checkpoint, finds it out.
    forged = small(FORGERS_KEY, value="78")
    await export(forged.source(), tmp_path / "forged.zip")
    assert verdict(tmp_path / "forged.zip") == "WHOLE"
    assert "no chain of keys" in verdict(tmp_path / "forged.zip", key_of(small(), KEY))


async def test_a_key_that_was_rotated_is_followed_from_the_one_given(tmp_path: Path) -> None:
    sealed, path = small(), tmp_path / "bundle.zip"
    sealed.publish_key(NEXT_KEY)
    rotation = sealed.seal(SealReason.ROTATION)
    sealed.key = NEXT_KEY
    sample(sealed.log, S_00, creatinine="91")
    sealed.seal()
    await export(sealed.source(), path)
    for key in (None, key_of(sealed, KEY), key_of(sealed, NEXT_KEY)):
        assert verdict(path, key) == "WHOLE"
    assert "no chain of keys" in verdict(path, key_of(sealed, FORGERS_KEY))
    lines = files(path)["keys.txt"].decode().splitlines()
    assert lines[:13] == [str(key) for key in verifier_keys(sealed.name, NEXT_KEY.public)]
    assert lines[13].startswith("# from seal 1 event ")
    assert lines[14:] == [str(key) for key in verifier_keys(sealed.name, KEY.public)]
    # Until the old key has sealed the event that names the new one, the new one comes from nowhere.
    await export(sealed.source(), path, seal=rotation.seal)
    assert verdict(path, key_of(sealed, KEY)) == "WHOLE"
    assert "no chain of keys" in verdict(path, key_of(sealed, NEXT_KEY))


async def test_a_key_that_nobody_introduced_is_refused_by_who_gives_the_one_before(tmp_path: Path) -> None:
    sealed = small()
    sealed.publish_key(NEXT_KEY)
    sealed.key = NEXT_KEY
    sealed.seal()
    await export(sealed.source(), tmp_path / "bundle.zip")
    assert verdict(tmp_path / "bundle.zip") == "WHOLE"
    assert "no chain of keys" in verdict(tmp_path / "bundle.zip", key_of(sealed, KEY))
