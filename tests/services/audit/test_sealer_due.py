"""When the log is sealed, why, and from where the next start goes on: without Kafka and without a clock."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import LogShorter
from hepatrail_events.streams import STUDY
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.seal import SealReason, open_seal
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_services.audit.partition_tree import HintsDiffer
from hepatrail_services.audit.resume import Resume
from hepatrail_services.audit.triggers import MOST_ASKED, TOGETHER
from projection_log import LogRecord
from sealed_log import KEY
from sealer_world import EVERY, SealerWorld, name_key


@pytest.fixture
def world() -> SealerWorld:
    """A log that has named the sealer's key."""
    fresh = SealerWorld()
    name_key(fresh, KEY)
    return fresh


@pytest.fixture
def sealed(world: SealerWorld) -> SealerWorld:
    """The same, sealed at the moment 0."""
    assert world.seal(0.0).reason is SealReason.START
    return world


def change(world: SealerWorld, index: int, **changes: object) -> None:
    world.log.records[index] = replace(world.log.records[index], **changes)  # type: ignore[arg-type]


def events_in(world: SealerWorld, partition: int) -> list[tuple[int, LogRecord]]:
    return [
        (index, record)
        for index, record in enumerate(world.log.records)
        if (record.topic, record.partition) == (EVENTS, partition)
    ]


def fullest(world: SealerWorld) -> int:
    return max(range(12), key=lambda partition: len(events_in(world, partition)))


def test_nothing_is_sealed_before_the_study_has_named_the_key() -> None:
    assert SealerWorld().look(10 * EVERY) is None


def test_the_first_seal_covers_all_that_was_written(world: SealerWorld) -> None:
    seal = world.seal()
    first = next(record for record in world.log.records if record.key == STUDY.encode())
    assert (seal.seal, seal.reason) == (1, SealReason.START)
    assert seal.log == f"hepatrail.test/{sha256_hex(first.value or b'')[:16]}"
    for tree in open_seal(seal, [KEY.public]).trees:
        frontier = Frontier()
        for _, record in events_in(world, int(tree.origin.rpartition("/")[2])):
            frontier.append(leaf_hash(record.value or b""))
        assert (tree.size, tree.root) == (frontier.size, frontier.root())


def test_a_log_that_grows_is_sealed_at_intervals_and_one_that_does_not_is_not(sealed: SealerWorld) -> None:
    assert sealed.look(10 * EVERY) is None
    sealed.more()
    assert sealed.look(EVERY - 1) is None
    assert sealed.look(EVERY) is SealReason.INTERVAL
    sealed.seal(EVERY)
    assert sealed.look(10 * EVERY) is None


def test_aud_06_an_alert_is_sealed_at_once_and_several_share_a_seal(sealed: SealerWorld) -> None:
    sealed.raise_alert()
    assert sealed.look(10.0) is None
    sealed.raise_alert()
    assert sealed.look(10.0 + TOGETHER / 2) is None
    assert sealed.look(10.0 + TOGETHER) is SealReason.ALERT
    sealed.seal(10.0 + TOGETHER)
    assert sealed.look(10.0 + 10 * TOGETHER) is None


def test_what_is_asked_for_is_sealed_at_once_though_nothing_grew(sealed: SealerWorld) -> None:
    before = sealed.written[-1][0]
    asked = sealed.ask("tool-0a")
    assert sealed.look(1.0) is SealReason.DEMAND
    seal = sealed.seal(1.0)
    assert (seal.asked, seal.checkpoints) == ((asked,), before.checkpoints)
    assert sealed.look(2.0) is None


def test_of_several_reasons_the_most_important_is_named_and_all_are_served(sealed: SealerWorld) -> None:
    sealed.raise_alert()
    asked = sealed.ask("tool-0a")
    seal = sealed.seal(EVERY)
    assert (seal.reason, seal.asked) == (SealReason.ALERT, (asked,))
    assert sealed.look(EVERY + TOGETHER) is None
    sealed.more()
    asked = sealed.ask("tool-0b")
    assert sealed.look(2 * EVERY) is SealReason.DEMAND


def test_more_requests_than_a_seal_names_get_several_seals(sealed: SealerWorld) -> None:
    asked = [sealed.ask(f"tool-{number}") for number in range(MOST_ASKED + 3)]
    first = sealed.seal(1.0)
    sealed.start(hints=sealed.written[-1][1])
    assert [*first.asked, *sealed.seal(1.0).asked] == asked
    assert sealed.look(2.0) is None


def test_seals_are_a_chain_and_their_times_never_run_backwards(sealed: SealerWorld) -> None:
    sealed.more()
    sealed.log.now -= timedelta(hours=1)
    second = sealed.make(SealReason.INTERVAL, EVERY)
    first = sealed.written[0][0]
    assert (second.seal, second.prevhash, second.at) == (2, sha256_hex(first.raw()), first.at)


def test_a_start_with_hints_reads_what_is_new_and_seals_the_same_as_one_without(sealed: SealerWorld) -> None:
    hints = sealed.written[-1][1]
    whole = len([record for record in sealed.log.records if record.topic == EVENTS])
    for _ in range(5):
        sealed.more()
    sealed.start(hints=hints)
    assert sealed.read == 5 + sum(bool(leaf) for leaf in hints.last)
    quick = sealed.sealer.make(SealReason.INTERVAL, sealed.log.now)
    sealed.start()
    assert sealed.read == whole + 5
    assert sealed.sealer.make(SealReason.INTERVAL, sealed.log.now) == quick


def test_hints_travel_in_a_header(sealed: SealerWorld) -> None:
    hints = sealed.written[-1][1]
    assert Resume.read(hints.raw()) == hints


@pytest.mark.parametrize("raw", [None, b"", b"[]", b"{}", b'{"access":-1}', b"\xff"])
def test_what_is_no_hint_is_none(raw: bytes | None) -> None:
    assert Resume.read(raw) is None


@pytest.mark.parametrize(
    "forgery",
    [
        {"offsets": [0] * 11},
        {"offsets": [-1] * 12},
        {"offsets": [True] * 12},
        {"last": ["00"] * 12},
        {"last": ["zz"] * 12},
        {"frontiers": [["00"]] * 12},
        {"frontiers": 7},
        {"history": [7]},
        {"access": "0"},
    ],
)
def test_hints_of_another_form_are_none(sealed: SealerWorld, forgery: dict[str, object]) -> None:
    body = {**json.loads(sealed.written[-1][1].raw()), **forgery}
    assert Resume.read(json.dumps(body).encode()) is None


def test_a_forged_frontier_is_not_believed_and_the_partition_is_read_from_its_beginning(sealed: SealerWorld) -> None:
    hints, partition = sealed.written[-1][1], fullest(sealed)
    frontiers = list(hints.frontiers)
    frontiers[partition] = tuple(leaf_hash(b"forged") for _ in frontiers[partition])
    sealed.more()
    sealed.start(hints=replace(hints, frontiers=tuple(frontiers)))
    assert sealed.read > len(events_in(sealed, partition))
    assert open_seal(sealed.seal(EVERY), [KEY.public]).trees[partition].size == len(events_in(sealed, partition))


@pytest.mark.parametrize("shift", [-2, 2])
def test_a_forged_place_is_noticed(sealed: SealerWorld, shift: int) -> None:
    hints, partition = sealed.written[-1][1], fullest(sealed)
    offsets = list(hints.offsets)
    offsets[partition] += shift
    for _ in range(3):
        sealed.more()
    with pytest.raises(HintsDiffer):
        sealed.start(hints=replace(hints, offsets=tuple(offsets)))
    sealed.start()
    assert sealed.look(EVERY) is SealReason.INTERVAL


def test_another_record_at_the_end_of_what_was_sealed_is_noticed_with_hints_and_without(sealed: SealerWorld) -> None:
    hints, partition = sealed.written[-1][1], fullest(sealed)
    index, record = events_in(sealed, partition)[-1]
    change(sealed, index, value=(record.value or b"").replace(b"hepatrail/test", b"hepatrail/tost"))
    with pytest.raises(HintsDiffer):
        sealed.start(hints=hints)
    with pytest.raises(LogShorter, match=f"events of partition {partition} are not those that were sealed"):
        sealed.start()


def test_an_event_that_was_cut_off_is_noticed_with_hints_and_without(sealed: SealerWorld) -> None:
    hints, partition = sealed.written[-1][1], fullest(sealed)
    index, _ = events_in(sealed, partition)[-1]
    del sealed.log.records[index]
    with pytest.raises(HintsDiffer):
        sealed.start(hints=hints)
    with pytest.raises(LogShorter, match=f"1 sealed events at the end of partition {partition} are gone"):
        sealed.start()


def test_an_event_in_an_empty_partition_does_not_disturb_its_sealed_tree(sealed: SealerWorld) -> None:
    hints = sealed.written[-1][1]
    empty = next(partition for partition in range(12) if not events_in(sealed, partition))
    sealed.log._add(EVENTS, empty, b"subject-X", b"\xff no fact", ())
    for chosen in (hints, None):
        sealed.start(hints=chosen)
        assert sealed.look(EVERY) is SealReason.INTERVAL
    assert open_seal(sealed.seal(EVERY), [KEY.public]).trees[empty].size == 1


def test_unreadable_and_empty_records_are_leaves_too(sealed: SealerWorld) -> None:
    partition = fullest(sealed)
    before = len(events_in(sealed, partition))
    sealed.log._add(EVENTS, partition, b"subject-X", None, ())
    sealed.log._add(EVENTS, partition, None, b"\xff", ())
    assert open_seal(sealed.seal(EVERY), [KEY.public]).trees[partition].size == before + 2


def test_alerts_that_were_sealed_before_do_not_ask_for_another_seal(sealed: SealerWorld) -> None:
    sealed.raise_alert()
    sealed.look(0.0)
    sealed.seal(1.0)
    sealed.start()
    assert sealed.look(TOGETHER) is None
    sealed.raise_alert()
    assert sealed.look(0.0) is None
    assert sealed.look(TOGETHER) is SealReason.ALERT


def test_an_alert_that_no_seal_covers_is_sealed_after_the_start(sealed: SealerWorld) -> None:
    hints = sealed.written[-1][1]
    sealed.raise_alert()
    for chosen in (hints, None):
        sealed.start(hints=chosen)
        assert sealed.look(TOGETHER) is SealReason.ALERT


def test_without_hints_only_those_who_may_still_wait_are_answered(sealed: SealerWorld) -> None:
    sealed.ask("tool-old", ago=timedelta(minutes=2))
    recent = sealed.ask("tool-new", ago=timedelta(seconds=50))
    sealed.start()
    assert sealed.seal(1.0).asked == (recent,)
    late = sealed.ask("tool-slow-clock", ago=timedelta(minutes=5))
    assert sealed.seal(2.0).asked == (late,)


def test_an_access_record_that_cannot_be_read_asks_for_nothing(sealed: SealerWorld) -> None:
    sealed.log._add("hepatrail.access", 0, b"tool", b"CHECKPOINT_ASKED", ())
    assert sealed.look(1.0) is None


def test_how_long_a_seal_is_overdue(sealed: SealerWorld) -> None:
    assert sealed.sealer.overdue(10 * EVERY) == 0
    sealed.more()
    sealed.take()
    assert sealed.sealer.overdue(EVERY + 7) == 7
