"""The decider on a real Kafka: one transaction a batch, every answer once, nothing visible that was not committed."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import COMMANDS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import make_producer, partition_of
from hepatrail_infra.kafka_quarantine import Quarantined, read_quarantine
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.decider import metrics
from hepatrail_services.decider.halted import Halted, LaneLost
from hepatrail_services.decider.process import DeciderProcess
from hepatrail_services.decider.writer import LaneWriter
from runtime_support import (
    NoteRules,
    SetClock,
    asking,
    deciding,
    decisions_of,
    events_of,
    note,
    publish,
    put,
    records,
    stream_in,
)


def fresh() -> str:
    """A stream that no other test uses."""
    return f"subject-{uuid4().hex[:12]}"


def now(bus: CommandBus, message: CommandMessage) -> CommandMessage:
    """As a gateway sends it: with the study version that it has seen decided."""
    return message.model_copy(update={"studyversion": bus.study_version})


async def ask(bus: CommandBus, message: CommandMessage, within: float = 20.0) -> Decision:
    decision = await bus.ask(now(bus, message), within)
    assert decision is not None, "the command stayed undecided"
    return decision


async def test_a_command_travels_to_an_event_and_an_answer(shared_kafka: str) -> None:
    stream = fresh()
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        published = await publish(bus)
        decision = await ask(bus, note(stream))
    (event,) = await events_of(shared_kafka, stream)
    assert decision.verdict is Verdict.ACCEPTED
    assert decision.eventids == (event.envelope.id,)
    assert (event.envelope.studyseq, event.envelope.protocolversion) == (published.version, "1")
    (record,) = [r for r in await records(shared_kafka, EVENTS) if r.key == stream.encode()]
    assert record.partition == partition_of(stream)
    assert dict(record.headers)["ce_subject"] == stream.encode()


async def test_the_same_command_twenty_times_is_one_commit_and_twenty_equal_answers(shared_kafka: str) -> None:
    stream = fresh()
    async with deciding(shared_kafka), asking(shared_kafka) as bus, asking(shared_kafka) as other:
        await publish(bus)
        command = now(bus, note(stream, "two"))
        answers = await asyncio.gather(*((bus, other)[n % 2].ask(command, 20) for n in range(20)))
        late = await ask(bus, command)
    assert len(await events_of(shared_kafka, stream)) == 2
    ledger = await decisions_of(shared_kafka, stream)
    assert [decision.repeat for decision in ledger] == [False] + [True] * 20
    plain = [answer.model_copy(update={"repeat": False}) for answer in (*answers, late) if answer is not None]
    assert plain == [ledger[0]] * 21


async def test_another_body_under_a_known_id_is_a_conflict_even_after_a_restart(shared_kafka: str) -> None:
    stream, id = fresh(), uuid4()
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        first = await ask(bus, note(stream, id=id))
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        other = await ask(bus, note(stream, "two", id=id))
        again = await ask(bus, note(stream, id=id, by="dr-who"))
    assert (other.verdict, other.code) == (Verdict.REJECTED, Code.CONFLICT)
    assert again.model_copy(update={"repeat": False}) == first
    assert len(await events_of(shared_kafka, stream)) == 1


async def test_five_hundred_commands_share_few_transactions(shared_kafka: str) -> None:
    streams = [fresh() for _ in range(25)]
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        before = metrics.TRANSACTIONS._value.get()
        answers = await asyncio.gather(*(ask(bus, note(streams[n % 25]), 30) for n in range(500)))
        used = metrics.TRANSACTIONS._value.get() - before
    assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}
    assert used < 100
    assert [answer.version for answer in answers if answer.stream == streams[0]] == list(range(1, 21))


async def test_a_bug_an_unreadable_one_and_one_too_large_do_not_stop_a_partition(shared_kafka: str) -> None:
    stream = fresh()
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        await put(shared_kafka, COMMANDS, stream, b"\x00no command")
        answers = await asyncio.gather(*(ask(bus, note(stream, act)) for act in ("bug", "huge", "reject", "note")))
        unknown = await ask(bus, note(stream, type="dance"))
    assert [answer.code for answer in answers] == [Code.INTERNAL, Code.TOO_LARGE, Code.RULE, None]
    assert unknown.code is Code.UNREADABLE
    kept = [read_quarantine(r.value or b"") for r in await records(shared_kafka, QUARANTINE)]
    mine = [
        one for one in kept if isinstance(one, Quarantined) and (one.stream == stream or b"no command" in one.value())
    ]
    assert sorted(one.code for one in mine) == ["INTERNAL", "UNREADABLE", "UNREADABLE"]
    assert len(await events_of(shared_kafka, stream)) == 1


async def test_a_command_in_the_wrong_partition_is_rejected_there(shared_kafka: str) -> None:
    stream = fresh()
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        command = note(stream)
        wrong = (partition_of(stream) + 1) % 12
        waiting = asyncio.create_task(bus.ask(command, 20))
        await put(shared_kafka, COMMANDS, stream, command.raw(), partition=wrong)
        await waiting
        async with asyncio.timeout(20):
            # The bus awaits the right partition's decision only.
            while len(decisions := await decisions_of(shared_kafka, stream)) < 2:
                await asyncio.sleep(0.05)
    codes = [decision.code for decision in decisions]
    assert sorted(codes, key=str) == sorted([None, Code.WRONG_PARTITION], key=str)


async def test_tim_01_time_never_runs_backwards_when_the_clock_is_set_back(shared_kafka: str) -> None:
    stream, clock = fresh(), SetClock()
    async with deciding(shared_kafka, clock=clock), asking(shared_kafka) as bus:
        await publish(bus)
        for hours in (0, 2, -3, 1):
            clock.offset = timedelta(hours=hours)
            assert (await ask(bus, note(stream))).verdict is Verdict.ACCEPTED
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await ask(bus, note(stream))
    times = [event.envelope.recordedat for event in await events_of(shared_kafka, stream)]
    assert times == sorted(times)
    assert times[1] == times[2] == times[3] == times[4]


async def test_what_was_sent_but_not_committed_is_never_seen(shared_kafka: str) -> None:
    """A crash between send and commit: the successor's take-over aborts it, and the command is decided again."""
    stream = fresh()
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        await ask(bus, note(stream))
    crashed = make_producer(shared_kafka, "hepatrail-decider-0-of-1")
    await crashed.start()
    await crashed.begin_transaction()
    ghost = (await events_of(shared_kafka, stream))[0].raw
    await (await crashed.send(EVENTS, ghost, key=stream.encode(), partition=partition_of(stream)))
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        assert (await ask(bus, note(stream))).version == 2
    await crashed.stop()
    assert [event.envelope.streamseq for event in await events_of(shared_kafka, stream)] == [1, 2]


async def test_a_commit_whose_outcome_is_unknown_is_looked_up_in_the_log(
    shared_kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit did happen, but its time-out passed: the command must not be decided a second time."""
    stream, commit, failures = fresh(), LaneWriter.commit, [LaneLost("the outcome of a commit is unknown")]

    async def late(self: LaneWriter) -> None:
        await commit(self)
        if failures:
            raise failures.pop()

    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        monkeypatch.setattr(LaneWriter, "commit", late)
        answers = await asyncio.gather(*(ask(bus, note(stream)) for _ in range(5)))
        after = await ask(bus, note(stream))
    assert failures == []
    assert len({answer.version for answer in answers}) == 5
    assert after.version == 6
    assert len(await decisions_of(shared_kafka, stream)) == 6


async def test_a_commit_that_never_answers_is_given_up(shared_kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, hang = fresh(), [True]
    monkeypatch.setattr("hepatrail_services.decider.writer._COMMIT_SECONDS", 0.3)
    producers: list[object] = []

    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        end = LaneWriter._end

        async def stuck(self: LaneWriter, finish: object, what: str) -> None:
            if hang and what == "commit":
                hang.clear()
                producers.append(self._producer)
                await end(self, asyncio.Event().wait, what)
            await end(self, finish, what)

        monkeypatch.setattr(LaneWriter, "_end", stuck)
        decision = await ask(bus, note(stream))
    assert hang == []
    assert decision.version == 1
    assert len(await events_of(shared_kafka, stream)) == 1


async def test_a_stamp_that_grew_old_before_the_last_send_is_not_used(
    shared_kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, send, slow = fresh(), LaneWriter.send, [True]

    async def late(self: LaneWriter, *args: object) -> object:
        ends = await send(self, *args)  # type: ignore[arg-type]
        if slow:
            slow.clear()
            await asyncio.sleep(0.4)
        return ends

    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        monkeypatch.setattr(LaneWriter, "send", late)
        monkeypatch.setattr("hepatrail_services.decider.lane.STAMP_SECONDS", 0.3)
        before = metrics.STALE_STAMPS._value.get()
        begin = SetClock().now()
        decision = await ask(bus, note(stream))
        assert metrics.STALE_STAMPS._value.get() == before + 1
    assert decision.recordedat - begin > timedelta(seconds=0.35), "decided again, under a new stamp"
    assert len(await events_of(shared_kafka, stream)) == 1


async def test_a_batch_that_kafka_refused_is_tried_one_by_one(
    shared_kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command's records are refused: the others are decided, and that one is answered at last."""
    stream, send, sizes = fresh(), LaneWriter.send, []
    good, bad = [note(stream) for _ in range(6)], note(stream, poison="yes")

    async def picky(self: LaneWriter, records: object, offsets: object) -> object:
        decided = [Decision.read(out.value) for out in records if out.topic.endswith("decisions")]  # type: ignore[attr-defined]
        sizes.append(len(decided))
        if any(one.commandid == bad.commandid and one.verdict is Verdict.ACCEPTED for one in decided):
            raise LaneLost("MESSAGE_TOO_LARGE", refused=True)
        return await send(self, records, offsets)  # type: ignore[arg-type]

    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        await publish(bus)
        monkeypatch.setattr(LaneWriter, "send", picky)
        answers = await asyncio.gather(*(ask(bus, one, 30) for one in (*good[:3], bad, *good[3:])))
    assert [answer.code for answer in answers] == [None] * 3 + [Code.INTERNAL] + [None] * 3
    assert len(await events_of(shared_kafka, stream)) == 6
    assert sizes.count(1) >= 2


async def test_a_study_version_seen_by_the_sender_is_waited_for(shared_kafka: str) -> None:
    async with deciding(shared_kafka), asking(shared_kafka) as bus:
        for _ in range(5):
            study = await publish(bus)
            decision = await ask(bus, note(fresh()))
            assert decision.studyseq >= study.version


async def test_three_failures_of_different_streams_and_clients_stop_the_process(shared_kafka: str) -> None:
    process = DeciderProcess(shared_kafka, instance="decider-0", lanes=1, clock=SystemClock(), rules=NoteRules())
    task = asyncio.create_task(process.run())
    async with asking(shared_kafka) as bus:
        await publish(bus)
        one = fresh()
        for stream, client in ((one, "a"), (one, "b"), (fresh(), "a"), (fresh(), "a")):
            assert (await ask(bus, note(stream, "bug", by=client))).code is Code.INTERNAL
        assert (await ask(bus, note(one))).verdict is Verdict.ACCEPTED
        last = await ask(bus, note(fresh(), "bug", by="c"))
        assert last.code is Code.INTERNAL, "the third is answered before the process ends"
        with pytest.raises(Halted, match="keep failing by a bug"):
            await asyncio.wait_for(task, 20)


async def test_health_is_green_while_every_lane_is_served(shared_kafka: str) -> None:
    async with deciding(shared_kafka, lanes=3, instance="decider-health") as process, asking(shared_kafka) as bus:
        health = await process.health()
        assert health.healthy
        assert health.detail["lanes"] == {"0": True, "1": True, "2": True}
        await publish(bus)
        answers = await asyncio.gather(*(ask(bus, note(stream_in(p, "H"))) for p in range(12)))
        assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}
    assert not (await process.health()).healthy
