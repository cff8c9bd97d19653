"""Seals: thirteen signed notes of one moment, and the chain and the tree that hold seals to each other."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import BadSignature, InvalidMessage
from hepatrail_events.transparency.checkpoint import TREES, Checkpoint
from hepatrail_events.transparency.merkle import EMPTY_ROOT, Frontier, leaf_hash
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import NO_SEAL, Seal, SealReason, make_seal, open_seal, verifier_keys

LOG = "hepatrail.local/0123456789abcdef"
KEY, OTHER = SigningKey(b"\1" * 32), SigningKey(b"\2" * 32)
AT = datetime(2026, 3, 1, tzinfo=UTC)


def trees(leaves: int) -> list[tuple[int, bytes]]:
    """Twelve trees, the first of so many leaves."""
    first = Frontier()
    for number in range(leaves):
        first.append(leaf_hash(bytes([number])))
    return [(first.size, first.root()), *[(0, EMPTY_ROOT)] * (TREES - 1)]


def seal(number: int = 1, before: Frontier | None = None, **changes: Any) -> Seal:
    given: dict[str, Any] = {
        "log": LOG,
        "number": number,
        "at": AT + timedelta(minutes=number),
        "reason": SealReason.INTERVAL,
        "asked": (),
        "prevhash": NO_SEAL,
        "trees": trees(3),
        "before": before or Frontier(),
        "producer": "hepatrail/test",
        "key": KEY,
    }
    return make_seal(**{**given, **changes})


def changed(made: Seal, **changes: Any) -> Seal:
    return made.model_copy(update=changes)


def test_a_seal_opens_under_the_key_that_signed_it() -> None:
    opened = open_seal(seal(), [OTHER.public, KEY.public])
    assert [(tree.size, tree.root) for tree in opened.trees] == trees(3)
    assert [tree.origin for tree in opened.trees] == [f"{LOG}/events/{number}" for number in range(TREES)]
    assert (opened.history.origin, opened.history.size) == (f"{LOG}/seals", 1)
    assert opened.signers == {KEY.public}


def test_the_same_moment_gives_the_same_bytes() -> None:
    assert seal().raw() == seal().raw()
    assert Seal.read(seal().raw()) == seal()


def test_a_record_is_canonical_json_of_lower_case_names() -> None:
    made = seal(asked=("tool-3f2a/1",), reason=SealReason.DEMAND)
    body = json.loads(made.raw())
    assert list(body) == sorted(body) == [
        "asked", "at", "checkpoints", "history", "log", "prevhash", "producer", "reason", "seal",
    ]  # fmt: skip
    assert (body["at"], body["reason"], body["asked"]) == ("2026-03-01T00:01:00.000Z", "DEMAND", ["tool-3f2a/1"])
    assert json.loads(made.body_bytes()) == {name: value for name, value in body.items() if name != "history"}


def test_a_chain_of_seals_is_a_tree_of_its_own() -> None:
    history, prevhash = Frontier(), NO_SEAL
    for number in range(1, 8):
        made = seal(number, history, prevhash=prevhash, trees=trees(number))
        assert history.size == number - 1, "the frontier that was given is not changed"
        history.append(leaf_hash(made.body_bytes()))
        opened = open_seal(made, [KEY.public])
        assert opened.history == Checkpoint(f"{LOG}/seals", number, history.root())
        prevhash = sha256_hex(made.raw())


def test_a_seal_follows_the_seals_before_it() -> None:
    with pytest.raises(ValueError, match="seal 3 comes after 2 seals, not after 0"):
        seal(3)


def test_no_key_or_a_strange_one_opens_nothing() -> None:
    for keys in ((), (OTHER.public,)):
        with pytest.raises(BadSignature, match=rf"{LOG}/events/0: "):
            open_seal(seal(), keys)


@pytest.mark.parametrize("partition", range(TREES))
def test_each_note_is_verified_and_named(partition: int) -> None:
    made = seal()
    forged = [*made.checkpoints]
    forged[partition] = forged[partition].replace(f"\n{trees(3)[partition][0]}\n", "\n9\n")
    with pytest.raises(BadSignature, match=rf"{LOG}/events/{partition}: the signature"):
        open_seal(changed(made, checkpoints=tuple(forged)), [KEY.public])


def test_notes_of_two_partitions_cannot_change_places() -> None:
    made = seal()
    first, second, *others = made.checkpoints
    swapped = changed(made, checkpoints=(second, first, *others))
    with pytest.raises(BadSignature, match=rf"{LOG}/events/0: no known key"):
        open_seal(swapped, [KEY.public])
    known: Mapping[str, Checkpoint] = dict(zip(made.checkpoints, open_seal(made, [KEY.public]).trees, strict=True))
    with pytest.raises(BadSignature, match=rf"{LOG}/events/0: the checkpoint is of {LOG}/events/1"):
        open_seal(swapped, [KEY.public], known)


def test_a_history_belongs_to_its_seal() -> None:
    first = seal()
    history = Frontier()
    history.append(leaf_hash(first.body_bytes()))
    second = seal(2, history)
    with pytest.raises(BadSignature, match="a history of 1 seals stands in seal 2"):
        open_seal(changed(second, history=first.history), [KEY.public])


def test_notes_that_were_verified_before_are_not_verified_again() -> None:
    made = seal()
    known = dict(zip(made.checkpoints, open_seal(made, [KEY.public]).trees, strict=True))
    again = open_seal(made, [KEY.public], known)
    assert again.trees == open_seal(made, [KEY.public]).trees
    with pytest.raises(BadSignature, match=f"{LOG}/seals"):
        open_seal(made, [OTHER.public], known)


def test_a_partition_that_did_not_grow_keeps_its_note_byte_for_byte() -> None:
    first = seal()
    history = Frontier()
    history.append(leaf_hash(first.body_bytes()))
    second = seal(2, history, trees=trees(4), reason=SealReason.ALERT)
    assert second.checkpoints[1:] == first.checkpoints[1:]
    assert second.checkpoints[0] != first.checkpoints[0]


def test_one_key_has_thirteen_names() -> None:
    names = [key.name for key in verifier_keys(LOG, KEY.public)]
    assert names == [*(f"{LOG}/events/{number}" for number in range(TREES)), f"{LOG}/seals"]
    assert len({str(key) for key in verifier_keys(LOG, KEY.public)}) == TREES + 1


@pytest.mark.parametrize(
    "change",
    [
        {"seal": 0},
        {"prevhash": "F" * 64},
        {"checkpoints": []},
        {"reason": "WHIM"},
        {"more": 1},
        {"at": "yesterday"},
    ],
)
def test_what_is_no_seal_is_refused(change: dict[str, Any]) -> None:
    body = {**json.loads(seal().raw()), **change}
    with pytest.raises(InvalidMessage):
        Seal.read(json.dumps(body).encode())
