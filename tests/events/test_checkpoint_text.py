"""Checkpoints and proofs as text: exactly one form, so that a byte cannot change unseen."""

import base64
from hashlib import sha256

import pytest

from hepatrail_events.errors import BadSignature
from hepatrail_events.transparency.checkpoint import (
    MAX_HASHES,
    Checkpoint,
    consistency_text,
    events_origin,
    inclusion_text,
    log_name,
    read_consistency,
    read_inclusion,
    seals_origin,
)

ROOT = sha256(b"root").digest()
ENCODED = base64.b64encode(ROOT).decode()
ORIGIN = "hepatrail.local/0123456789abcdef/events/7"
NOTE = f"{ORIGIN}\n1532\n{ENCODED}\n\n\u2014 {ORIGIN} AAAAAAAA\n"
HASHES = (sha256(b"a").digest(), sha256(b"b").digest())


def test_a_checkpoint_is_three_lines() -> None:
    checkpoint = Checkpoint(ORIGIN, 1532, ROOT)
    assert checkpoint.text() == f"{ORIGIN}\n1532\n{ENCODED}\n"
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ORIGIN}\n1532\n{ENCODED}",
        f"{ORIGIN}\n1532\n{ENCODED}\nmore\n",
        f"\n1532\n{ENCODED}\n",
        f"{ORIGIN}\n01532\n{ENCODED}\n",
        f"{ORIGIN}\n+1532\n{ENCODED}\n",
        f"{ORIGIN}\n-1\n{ENCODED}\n",
        f"{ORIGIN}\n1_532\n{ENCODED}\n",
        f"{ORIGIN}\n 1532\n{ENCODED}\n",
        f"{ORIGIN}\n\u0661\n{ENCODED}\n",
        f"{ORIGIN}\nmany\n{ENCODED}\n",
        f"{ORIGIN}\n1532\n{ENCODED[:-4]}\n",
        f"{ORIGIN}\n1532\n{ENCODED[:-2]}B=\n",
        f"{ORIGIN}\n1532\né\n",
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadSignature):
        Checkpoint.parse(text)


def test_the_trees_of_a_log_are_named_by_it() -> None:
    log = log_name("trial.example", "f" * 60 + "0000")
    assert log == "trial.example/ffffffffffffffff"
    assert (events_origin(log, 11), seals_origin(log)) == (f"{log}/events/11", f"{log}/seals")


@pytest.mark.parametrize("hashes", [(), HASHES])
def test_a_proof_of_inclusion_is_the_file_of_tlog_proof(hashes: tuple[bytes, ...]) -> None:
    text = inclusion_text(812, hashes, NOTE)
    lines = text.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 812"]
    assert lines[2 : 3 + len(hashes)] == [*(base64.b64encode(each).decode() for each in hashes), ""]
    assert text.endswith(f"\n\n{NOTE}")
    assert read_inclusion(text) == (812, hashes, NOTE)


@pytest.mark.parametrize("hashes", [(), HASHES])
def test_a_proof_of_consistency_is_the_request_to_a_witness(hashes: tuple[bytes, ...]) -> None:
    text = consistency_text(812, hashes, NOTE)
    assert text.startswith("old 812\n") and text.endswith(f"\n\n{NOTE}")
    assert read_consistency(text) == (812, hashes, NOTE)


GOOD = inclusion_text(812, HASHES, NOTE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        NOTE,
        GOOD.replace("@v1", "@v2"),
        GOOD.replace("index 812", "index 0812"),
        GOOD.replace("index 812", "index -1"),
        GOOD.replace("index 812", "index \u0661"),
        GOOD.replace("index 812", "index "),
        GOOD.replace("index 812", "old 812"),
        GOOD.replace("\n\n", "\n"),
        GOOD.replace(base64.b64encode(HASHES[0]).decode(), "AAAA"),
        GOOD.replace(base64.b64encode(HASHES[0]).decode(), "é"),
        inclusion_text(812, HASHES[:1] * (MAX_HASHES + 1), NOTE),
    ],
)
def test_what_is_no_proof_of_inclusion_is_refused(text: str) -> None:
    with pytest.raises(BadSignature):
        read_inclusion(text)


def test_what_is_no_proof_of_consistency_is_refused() -> None:
    for text in ("", NOTE, GOOD, consistency_text(812, HASHES, NOTE).replace("old", "new")):
        with pytest.raises(BadSignature):
            read_consistency(text)
