"""What one transaction holds: every answer of DESIGN section 2, decided on a copy of the memory."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from hepatrail_events.codec import Link, read
from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.envelope import GENESIS
from hepatrail_events.streams import STUDY
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Place, Quarantined, read_quarantine
from hepatrail_services.decider.batch import decide_batch
from hepatrail_services.decider.memory import Folder, Parked, PartitionMemory, StreamState
from hepatrail_services.decider.plan import MAX_EVENTS, Asked, Frame, Overlay, Plan
from runtime_support import MOMENT, NoteRules, note, stream_in

P01 = "subject-P01"
HERE = partition_of(P01)


@pytest.fixture
def memories() -> dict[int, PartitionMemory]:
    folder = Folder(NoteRules(), "", frozenset())
    return {partition: PartitionMemory(partition, folder) for partition in range(12)}


def frame(minutes: int = 0, study: int = 1, doomed: frozenset[tuple[int, int]] = frozenset()) -> Frame:
    return Frame(NoteRules(), study, study, MOMENT + timedelta(minutes=minutes), "hepatrail/test", doomed)


def asked(*messages: CommandMessage, at: int | None = None) -> list[Asked]:
    return [
        Asked.read(partition_of(m.stream) if at is None else at, offset, m.raw()) for offset, m in enumerate(messages)
    ]


def decide(memories: dict[int, PartitionMemory], commands: list[Asked], frame: Frame) -> Plan:
    """Decides and commits."""
    overlay = Overlay(memories)
    plan = decide_batch(commands, overlay, frame)
    overlay.merge()
    return plan


def values(plan: Plan, topic: str) -> list[bytes]:
    return [out.value for out in plan.records if out.topic == topic]


def test_a_commit_carries_its_envelope_and_follows_the_chain(memories: dict[int, PartitionMemory]) -> None:
    first, second = note(act="two"), note()
    plan = decide(memories, asked(first, second), frame())
    recorded = [read(value) for value in values(plan, EVENTS)]
    places = [(r.envelope.streamseq, r.envelope.commitindex, r.envelope.commitsize) for r in recorded]
    assert places == [(1, 0, 2), (2, 1, 2), (3, 0, 1)]
    assert recorded[0].envelope.prevhash == GENESIS
    link = Link()
    for one in recorded:
        link = link.follow(one)
    envelope = recorded[2].envelope
    assert (envelope.commitid, envelope.actorid, envelope.actorrole) == (second.commandid, "dr-who", "INVESTIGATOR")
    assert (envelope.producer, envelope.studyseq, envelope.protocolversion) == ("hepatrail/test", 1, "1")
    assert envelope.id.version == 7
    assert memories[HERE].streams[P01] == StreamState(3, link, MOMENT)
    answers = [Decision.read(value) for value in values(plan, DECISIONS)]
    assert [answer.version for answer in answers] == [2, 3]
    assert answers[0].eventids == (recorded[0].envelope.id, recorded[1].envelope.id)


def test_nothing_is_remembered_before_the_commit(memories: dict[int, PartitionMemory]) -> None:
    decide_batch(asked(note(), note()), Overlay(memories), frame())
    assert memories[HERE].streams == {}
    assert memories[HERE].answers == {}


def test_the_records_of_a_stream_share_key_and_partition(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(note()), frame())
    assert {(out.key, out.partition) for out in plan.records} == {(P01.encode(), HERE)}
    headers = dict(next(out.headers for out in plan.records if out.topic == EVENTS))
    assert headers["ce_type"] == b"hepatrail.ConsentRecorded.v1"


def test_a_repeat_gets_the_first_answer_in_the_same_batch_and_later(memories: dict[int, PartitionMemory]) -> None:
    command = note()
    one = decide(memories, asked(command, command), frame())
    later = decide(memories, asked(command), frame(minutes=5))
    first, repeat, again = [*one.decisions, *later.decisions]
    assert (first.repeat, repeat.repeat, again.repeat) == (False, True, True)
    assert first == repeat.model_copy(update={"repeat": False}) == again.model_copy(update={"repeat": False})
    assert one.events + later.events == 1


def test_aud_11_a_rejection_binds_and_a_repeat_of_it_is_rejected_the_same(memories: dict[int, PartitionMemory]) -> None:
    command = note(act="reject")
    first, repeat = decide(memories, asked(command, command), frame()).decisions
    assert (first.code, first.rule, first.field, first.message) == (Code.RULE, "TST-01", "act", "Not today.")
    assert first.input == {"act": "reject"}
    assert (repeat.code, repeat.rule, repeat.repeat) == (Code.RULE, "TST-01", True)


def test_another_body_under_a_known_id_is_a_conflict_that_never_folds(memories: dict[int, PartitionMemory]) -> None:
    command = note()
    other = note(id=command.commandid, comment="other")
    _, conflict, repeat = decide(memories, asked(command, other, command), frame()).decisions
    assert (conflict.code, conflict.repeat, conflict.binds) == (Code.CONFLICT, True, False)
    assert conflict.bodyhash == other.bodyhash
    assert repeat.verdict is Verdict.ACCEPTED


def test_what_changes_between_two_tries_does_not_change_the_body(memories: dict[int, PartitionMemory]) -> None:
    command = note()
    retry = command.model_copy(update={"receivedat": MOMENT + timedelta(hours=1), "traceparent": "00-aa-bb-01"})
    retry = retry.model_copy(update={"studyversion": 1})
    first, repeat = decide(memories, asked(command, retry), frame()).decisions
    assert repeat.repeat
    assert repeat.eventids == first.eventids


def test_the_same_id_in_another_stream_is_another_command(memories: dict[int, PartitionMemory]) -> None:
    command = note()
    plan = decide(memories, asked(command, note("subject-P02", id=command.commandid)), frame())
    assert [decision.verdict for decision in plan.decisions] == [Verdict.ACCEPTED, Verdict.ACCEPTED]


@pytest.mark.parametrize("act", ["bug", "odd-code", "no-such-act"])
def test_a_bug_in_the_rules_is_answered_and_decided_anew(memories: dict[int, PartitionMemory], act: str) -> None:
    command = note(act=act)
    plan = decide(memories, asked(command, note("subject-P02"), command), frame())
    assert [decision.code for decision in plan.decisions] == [Code.INTERNAL, None, Code.INTERNAL]
    assert [failure.stream for failure in plan.failures] == [P01, P01]
    kept = read_quarantine(values(plan, QUARANTINE)[0])
    assert isinstance(kept, Quarantined)
    assert (kept.value(), kept.code, kept.offset) == (command.raw(), "INTERNAL", 0)


def test_a_command_that_no_rule_can_read_is_unreadable(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(note(type="dance"), note()), frame())
    assert [decision.code for decision in plan.decisions] == [Code.UNREADABLE, None]
    assert len(values(plan, QUARANTINE)) == 1
    assert plan.failures == []


DEEP = b'{"commandid":"00000000-0000-7000-8000-000000000000","input":' + b'{"a":' * 1500 + b"1" + b"}" * 1501


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"[]", b"{}", b"null", DEEP, b'{"stream":"nowhere","commandid":"x"}']
)
def test_bytes_that_are_no_command_go_to_quarantine(memories: dict[int, PartitionMemory], raw: bytes) -> None:
    plan = decide(memories, [Asked.read(HERE, 7, raw), *asked(note())], frame())
    kept = read_quarantine(values(plan, QUARANTINE)[0])
    assert isinstance(kept, Quarantined)
    assert (kept.value(), kept.partition, kept.offset, kept.code) == (raw, HERE, 7, "UNREADABLE")
    assert [decision.verdict for decision in plan.decisions] == [Verdict.ACCEPTED]
    assert plan.taken == 2


@pytest.mark.parametrize(
    "body", [{"dose": 1.5}, {"ключ": "x"}, {"n": 2**60}, {"deep": json.loads("[" * 900 + "]" * 900)}]
)
def test_an_input_that_has_no_canonical_form_is_unreadable(
    memories: dict[int, PartitionMemory], body: dict[str, object]
) -> None:
    command = note()
    raw = json.dumps({**json.loads(command.raw()), "input": body}).encode()
    plan = decide(memories, [Asked.read(HERE, 0, raw), *asked(note())], frame())
    assert [decision.code for decision in plan.decisions] == [Code.UNREADABLE, None]
    assert plan.decisions[0].commandid == command.commandid


def test_an_event_too_large_for_kafka_is_found_before_any_send(memories: dict[int, PartitionMemory]) -> None:
    command = note(act="huge")
    plan = decide(memories, asked(command, note()), frame())
    assert [decision.code for decision in plan.decisions] == [Code.TOO_LARGE, None]
    assert plan.decisions[1].version == 1
    assert not plan.decisions[0].binds


def test_a_rejected_body_that_would_not_fit_is_left_out_of_the_ledger(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(note(act="reject", text="x" * 1_045_000)), frame())
    (raw,) = values(plan, DECISIONS)
    assert Decision.read(raw).code is Code.RULE
    assert Decision.read(raw).input is None


def test_a_command_in_the_wrong_partition_is_rejected(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(note(), at=(HERE + 1) % 12), frame())
    assert plan.decisions[0].code is Code.WRONG_PARTITION
    assert values(plan, EVENTS) == []


def test_dat_05_a_parked_stream_answers_so_and_the_others_go_on(memories: dict[int, PartitionMemory]) -> None:
    parked = Parked(Place(EVENTS, HERE, 3), "NOT_JSON", "no JSON")
    memories[HERE].streams[P01] = StreamState(4, Link(4, "a" * 64), MOMENT, parked=parked)
    neighbour = stream_in(HERE, "N")
    plan = decide(memories, asked(note(), note(neighbour)), frame())
    assert [decision.code for decision in plan.decisions] == [Code.SUBJECT_PARKED, None]
    assert plan.decisions[0].version == 4


def test_tim_01_time_never_runs_backwards_in_a_stream(memories: dict[int, PartitionMemory]) -> None:
    decide(memories, asked(note()), frame(minutes=10))
    plan = decide(memories, asked(note(), note("subject-P02")), frame(minutes=3))
    times = [read(value).envelope.recordedat for value in values(plan, EVENTS)]
    assert times == [MOMENT + timedelta(minutes=10), MOMENT + timedelta(minutes=3)]
    assert plan.decisions[0].recordedat == MOMENT + timedelta(minutes=10)


def test_tim_01_the_decider_stamps_the_recording_whatever_the_command_says(
    memories: dict[int, PartitionMemory],
) -> None:
    forged = note(recordedat="2001-01-01T00:00:00.000Z").model_copy(update={"receivedat": MOMENT - timedelta(days=400)})
    plan = decide(memories, asked(forged), frame(minutes=10))
    (envelope,) = (read(value).envelope for value in values(plan, EVENTS))
    assert (envelope.receivedat, envelope.recordedat) == (forged.receivedat, MOMENT + timedelta(minutes=10))


@pytest.mark.parametrize("stream", [P01, STUDY])
def test_tim_03_nothing_is_recorded_while_the_clocks_are_more_than_1_s_apart(
    memories: dict[int, PartitionMemory], stream: str
) -> None:
    early = note(stream).model_copy(update={"receivedat": MOMENT + timedelta(milliseconds=1001)})
    plan = decide(memories, asked(early), frame())
    assert [(each.code, each.binds) for each in plan.decisions] == [(Code.NOT_READY, False)]
    assert "clocks" in (plan.decisions[0].message or "")
    assert values(plan, EVENTS) == []
    again = decide(memories, asked(early), frame(minutes=1))
    assert [each.verdict for each in again.decisions] == [Verdict.ACCEPTED], "when the clocks agree again"


@pytest.mark.parametrize("seconds", [1.0, 0.0, -3600.0])
def test_tim_03_a_second_of_difference_and_any_latency_are_borne(
    memories: dict[int, PartitionMemory], seconds: float
) -> None:
    command = note().model_copy(update={"receivedat": MOMENT + timedelta(seconds=seconds)})
    assert [each.verdict for each in decide(memories, asked(command), frame()).decisions] == [Verdict.ACCEPTED]


def test_until_a_protocol_is_published_only_the_study_is_served(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(note(), note(STUDY)), frame(study=0))
    assert [decision.code for decision in plan.decisions] == [Code.NOT_READY, None]
    assert not plan.decisions[0].binds


def test_a_study_version_that_is_not_read_yet_is_not_decided_under_an_older_one(
    memories: dict[int, PartitionMemory],
) -> None:
    early, ready = note(studyversion=4), note(studyversion=3)
    plan = decide(memories, asked(early, ready), frame(study=3))
    assert [decision.code for decision in plan.decisions] == [Code.NOT_READY, None]
    assert read(values(plan, EVENTS)[0]).envelope.studyseq == 3


def test_the_study_is_decided_on_its_own_state(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(note(STUDY), note(STUDY)), frame(study=0))
    envelopes = [read(value).envelope for value in values(plan, EVENTS)]
    assert [envelope.studyseq for envelope in envelopes] == [0, 1]
    assert [envelope.protocolversion for envelope in envelopes] == [None, "1"]


def test_no_event_is_an_answer_too(memories: dict[int, PartitionMemory]) -> None:
    (decision,) = decide(memories, asked(note(act="nothing")), frame()).decisions
    assert (decision.verdict, decision.eventids, decision.version) == (Verdict.ACCEPTED, (), 0)


def test_later_commands_of_a_batch_see_what_earlier_ones_did(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(note(act="once"), note(act="once")), frame())
    assert [decision.code for decision in plan.decisions] == [None, Code.CONFLICT]
    assert plan.decisions[1].binds, "a version conflict is a binding answer, unlike a reused id"


def test_a_full_transaction_takes_no_more(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(*(note(act="two") for _ in range(MAX_EVENTS))), frame())
    assert plan.taken == MAX_EVENTS // 2
    assert plan.events == MAX_EVENTS


def test_a_command_whose_records_kafka_refused_alone_gets_an_answer(memories: dict[int, PartitionMemory]) -> None:
    plan = decide(memories, asked(note()), frame(doomed=frozenset({(HERE, 0)})))
    assert plan.decisions[0].code is Code.INTERNAL
    assert values(plan, EVENTS) == []


def test_twenty_ids_are_remembered_without_their_bodies(memories: dict[int, PartitionMemory]) -> None:
    commands = [note(act="reject", id=uuid4()) for _ in range(20)]
    decide(memories, asked(*commands), frame())
    kept = [memories[HERE].answer(P01, command.commandid) for command in commands]
    assert all(answer is not None and answer.input is None for answer in kept)
