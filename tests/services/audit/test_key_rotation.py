"""Which key signs: the last one that the study has named, introduced by a seal of the one before it."""

import base64

import pytest

from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import Seal, SealReason, open_seal
from hepatrail_services.audit.seals_topic import SealRecord, open_last
from hepatrail_services.audit.signers import Published, Signer, choose_signer
from hepatrail_services.audit.study_records import published_key
from sealed_log import FORGERS_KEY, KEY, NEXT_KEY
from sealer_world import EVERY, SealerWorld, name_key

THIRD_KEY = SigningKey(b"\3" * 32)


def signers(seal: Seal) -> set[bytes]:
    return set(open_seal(seal, [KEY.public, NEXT_KEY.public, THIRD_KEY.public]).signers)


@pytest.fixture
def world() -> SealerWorld:
    """A log under one seal of the first key."""
    fresh = SealerWorld()
    name_key(fresh, KEY)
    fresh.seal()
    return fresh


@pytest.mark.parametrize(
    ("own", "before", "now", "expected"),
    [
        ([KEY], None, None, None),
        ([KEY], None, KEY, Signer(KEY, rotates=False)),
        ([KEY], KEY, KEY, Signer(KEY, rotates=False)),
        ([KEY], KEY, NEXT_KEY, Signer(KEY, rotates=True)),
        ([KEY], NEXT_KEY, NEXT_KEY, None),
        ([NEXT_KEY], KEY, NEXT_KEY, Signer(NEXT_KEY, rotates=False)),
        ([NEXT_KEY, KEY], KEY, NEXT_KEY, Signer(KEY, rotates=True)),
        ([NEXT_KEY, KEY], NEXT_KEY, NEXT_KEY, Signer(NEXT_KEY, rotates=False)),
        ([NEXT_KEY, KEY], KEY, KEY, Signer(KEY, rotates=False)),
        ([FORGERS_KEY], KEY, NEXT_KEY, None),
    ],
)
def test_the_last_key_before_or_the_last_one_now_signs(
    own: list[SigningKey], before: SigningKey | None, now: SigningKey | None, expected: Signer | None
) -> None:
    chosen = choose_signer(
        {key.public: key for key in own}, before.public if before else None, now.public if now else None
    )
    assert chosen == expected


def test_a_key_counts_from_the_leaf_that_names_it() -> None:
    keys = Published([(3, KEY.public), (9, NEXT_KEY.public)])
    covered = [keys.last_within(size) for size in (3, 4, 9, 10)]
    assert covered == [None, KEY.public, KEY.public, NEXT_KEY.public]


def test_the_old_sealer_introduces_the_new_key_at_once_and_has_said_its_last_word(world: SealerWorld) -> None:
    name_key(world, NEXT_KEY)
    assert world.look(1.0) is SealReason.ROTATION
    last = world.seal(1.0)
    assert (last.reason, signers(last)) == (SealReason.ROTATION, {KEY.public})
    world.more()
    assert world.look(10 * EVERY) is None, "the next seal is the new key's"
    assert world.sealer.published.has(KEY.public)


@pytest.mark.parametrize("hinted", [True, False])
def test_the_new_sealer_goes_on_where_the_old_one_ended(world: SealerWorld, hinted: bool) -> None:
    name_key(world, NEXT_KEY)
    world.seal(1.0)
    world.start(NEXT_KEY, hints=world.written[-1][1] if hinted else None)
    world.more()
    seal = world.seal(EVERY)
    assert (seal.seal, seal.reason, signers(seal)) == (3, SealReason.INTERVAL, {NEXT_KEY.public})


@pytest.mark.parametrize("hinted", [True, False])
def test_the_old_sealer_signs_nothing_after_a_restart_either(world: SealerWorld, hinted: bool) -> None:
    name_key(world, NEXT_KEY)
    world.seal(1.0)
    world.start(KEY, hints=world.written[-1][1] if hinted else None)
    world.more()
    assert world.look(10 * EVERY) is None


def test_a_sealer_with_both_keys_changes_by_itself(world: SealerWorld) -> None:
    world.start(NEXT_KEY, KEY, hints=world.written[-1][1])
    world.more()
    before = world.seal(EVERY)
    assert (before.reason, signers(before)) == (SealReason.INTERVAL, {KEY.public})
    name_key(world, NEXT_KEY)
    last = world.seal(EVERY + 1)
    assert (last.reason, signers(last)) == (SealReason.ROTATION, {KEY.public})
    world.more()
    assert signers(world.seal(3 * EVERY)) == {NEXT_KEY.public}


def test_of_two_keys_named_between_two_seals_the_last_one_counts(world: SealerWorld) -> None:
    name_key(world, NEXT_KEY)
    name_key(world, THIRD_KEY)
    assert signers(world.seal(1.0)) == {KEY.public}
    hints = world.written[-1][1]
    world.more()
    for key, expected in ((NEXT_KEY, None), (THIRD_KEY, SealReason.INTERVAL)):
        world.start(key, hints=hints)
        assert world.look(EVERY) is expected


def test_a_new_key_signs_alone_where_the_old_one_is_lost(world: SealerWorld) -> None:
    name_key(world, NEXT_KEY)
    world.start(NEXT_KEY, hints=world.written[-1][1])
    seal = world.seal(EVERY)
    assert (seal.seal, signers(seal)) == (2, {NEXT_KEY.public}), "which a verifier calls not introduced"


def test_what_names_a_key(world: SealerWorld) -> None:
    named = [published_key(record.value or b"") for record in world.log.records]
    assert [public for public in named if public] == [KEY.public]
    event = next(record.value or b"" for record in world.log.records if published_key(record.value or b""))
    short = base64.b64encode(KEY.public[:31]).decode().encode()
    encoded = base64.b64encode(KEY.public)
    for forged in (event[:-1], event.replace(encoded, short), event.replace(encoded, b"!"), b"[" + event + b"]"):
        assert published_key(forged) is None


def record(seal: Seal, offset: int) -> SealRecord:
    return SealRecord(offset, seal.raw(), seal, None)


def test_the_last_seal_is_that_of_the_highest_number_which_a_key_of_ours_has_signed(world: SealerWorld) -> None:
    first = world.written[0][0]
    world.more()
    second = world.seal(EVERY)
    forged = second.model_copy(update={"seal": 9})
    records = [record(first, 0), record(second, 2), record(first, 4), record(forged, 6)]
    found = open_last(records, [KEY.public])
    assert found is not None and found[0].offset == 2
    assert open_last(records, [NEXT_KEY.public]) is None
    assert open_last([], [KEY.public]) is None
