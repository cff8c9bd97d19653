"""Folding a partition: what is unreadable parks its stream only, what is released is passed over."""

from dataclasses import replace

import pytest
from aiokafka.structs import ConsumerRecord

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Link, Recorded, read, record
from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS
from hepatrail_infra.kafka_log import Record, partition_of
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_services.decider.batch import decide_batch
from hepatrail_services.decider.halted import Halted
from hepatrail_services.decider.memory import Folder, PartitionMemory, clock_label
from hepatrail_services.decider.plan import Asked, Frame, Overlay
from runtime_support import MOMENT, NoteRules, note, stream_in

P01 = "subject-P01"
HERE = partition_of(P01)


def at(offset: int, value: bytes | None, stream: str = P01, topic: str = EVENTS) -> Record:
    return ConsumerRecord(topic, HERE, offset, 0, 0, stream.encode(), value, 0, 0, 0, ())


def history(stream: str = P01, count: int = 3) -> list[Recorded]:
    """The events that a decider wrote for `count` commands."""
    folder = Folder(NoteRules(), "", frozenset())
    partition = partition_of(stream)
    asked = [Asked.read(partition, number, note(stream).raw()) for number in range(count)]
    frame = Frame(NoteRules(), 1, 1, MOMENT, "hepatrail/test")
    plan = decide_batch(asked, Overlay({partition: PartitionMemory(partition, folder)}), frame)
    return [read(out.value) for out in plan.records if out.topic == EVENTS]


def memory(*released: int, label: str = "") -> PartitionMemory:
    places = {Place(EVENTS, HERE, offset) for offset in released}
    return PartitionMemory(HERE, Folder(NoteRules(), label, places))


def test_a_stream_is_folded_to_its_end() -> None:
    events, here = history(), memory()
    for offset, event in enumerate(events):
        here.fold(at(offset, event.raw))
    assert here.streams[P01].state == 3
    assert here.streams[P01].link == Link(3, events[-1].hash)


BROKEN = {
    "no JSON": b"\x00\x01",
    "no value": None,
    "unknown type": b'{"specversion":"1.0","type":"hepatrail.Danced.v1"}',
}


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN.keys())
def test_an_unreadable_event_parks_its_stream_and_no_other(value: bytes | None) -> None:
    events, here, neighbour = history(), memory(), stream_in(HERE, "N")
    here.fold(at(0, events[0].raw))
    here.fold(at(1, value))
    here.fold(at(2, events[1].raw))
    here.fold(at(3, history(neighbour)[0].raw, neighbour))
    assert here.streams[P01].state == 1
    assert here.parked()[P01].place.offset == 1
    assert here.streams[neighbour].state == 1
    assert set(here.parked()) == {P01}


def test_a_gap_a_broken_chain_and_a_foreign_subject_park_too() -> None:
    events = history()
    forged = record(replace(events[1].envelope, prevhash="f" * 64), events[1].event)
    for odd, code in (
        (events[2], "STREAM_GAP"),
        (forged, "BROKEN_CHAIN"),
        (history("subject-XY")[0], "INVALID_ENVELOPE"),
    ):
        here = memory()
        here.fold(at(0, events[0].raw))
        here.fold(at(1, odd.raw))
        assert here.parked()[P01].code == code


def test_the_same_record_twice_in_a_row_is_one_event() -> None:
    events, here = history(), memory()
    here.fold(at(0, events[0].raw))
    here.fold(at(1, events[0].raw))
    here.fold(at(2, events[1].raw))
    assert (here.streams[P01].state, here.parked()) == (2, {})


@pytest.mark.parametrize("stream", [STUDY, SAFETY_DESK])
def test_study_and_desk_are_never_parked_but_halt_the_process(stream: str) -> None:
    here = PartitionMemory(partition_of(stream), Folder(NoteRules(), "", frozenset()))
    odd: Record = ConsumerRecord(EVENTS, here.partition, 5, 0, 0, stream.encode(), b"?", 0, 0, 0, ())
    with pytest.raises(Halted, match=rf"{stream} cannot be read at hepatrail.events/{here.partition}@5"):
        here.fold(odd)


def test_a_bug_in_evolve_parks_the_stream() -> None:
    class Buggy(NoteRules):
        def evolve(self, state: int, recorded: Recorded) -> int:
            raise ZeroDivisionError

    here = PartitionMemory(HERE, Folder(Buggy(), "", frozenset()))
    here.fold(at(0, history()[0].raw))
    assert here.parked()[P01].reason == "ConsentRecorded: folding it failed: ZeroDivisionError"


def test_a_released_foreign_record_is_passed_over() -> None:
    events, here = history(), memory(1)
    here.fold(at(0, events[0].raw))
    here.fold(at(1, b"\x00"))
    assert here.streams[P01].link == Link(1, events[0].hash)
    here.fold(at(2, events[1].raw))
    here.fold(at(3, events[2].raw))
    assert (here.streams[P01].state, here.parked()) == (3, {})


def test_after_a_released_event_of_the_chain_the_next_one_follows_its_hash() -> None:
    events, here = history(), memory(1)
    here.fold(at(0, events[0].raw))
    here.fold(at(1, events[1].raw))
    assert here.streams[P01].state == 1, "it is passed over"
    assert here.streams[P01].link == Link(2, events[1].hash), "but it was counted"
    here.fold(at(2, events[2].raw))
    assert (here.streams[P01].state, here.streams[P01].link.streamseq, here.parked()) == (2, 3, {})


def test_after_an_unreadable_released_record_either_link_is_accepted() -> None:
    """Nobody can see whether the writer counted it: the next event tells."""
    events = history()
    damaged = b"\x00" + events[1].raw[1:]
    follower = record(replace(events[2].envelope, prevhash=sha256_hex(damaged)), events[2].event)
    here = memory(1)
    here.fold(at(0, events[0].raw))
    here.fold(at(1, damaged))
    here.fold(at(2, follower.raw))
    assert (here.streams[P01].link.streamseq, here.parked()) == (3, {})


def test_an_unreadable_answer_parks_its_stream() -> None:
    here = memory()
    here.fold(at(0, b"?", topic=DECISIONS))
    assert here.parked()[P01].place == Place(DECISIONS, HERE, 0)


def test_a_record_without_a_stream_of_this_partition_belongs_to_nobody() -> None:
    here = memory()
    here.fold(at(0, b"?", "nonsense"))
    here.fold(at(1, b"?", stream_in((HERE + 1) % 12)))
    here.fold(ConsumerRecord(EVENTS, HERE, 2, 0, 0, None, b"?", 0, 0, 0, ()))
    assert here.streams == {}


def test_a_log_of_another_clock_stops_the_start() -> None:
    with pytest.raises(
        StartRefused, match="written under the system's clock, but the process runs under the simulated"
    ):
        memory(label="simulated-clock").fold(at(0, history()[0].raw))


@pytest.mark.parametrize(
    ("producer", "label"), [("hepatrail/0.1.0", ""), ("hepatrail/0.1.0 (simulated clock)", "simulated-clock")]
)
def test_the_producer_names_the_clock(producer: str, label: str) -> None:
    assert clock_label(producer) == label
