"""Commands in, records out: everything that one transaction will hold, decided on a copy of the memory. Pure.

Whatever a command is like, it gets an answer or its bytes go to quarantine, and those behind it are decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Recorded, parse_object, record
from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import CommandRejected, InvalidMessage
from hepatrail_events.event import Event
from hepatrail_events.ids import uuid7
from hepatrail_events.streams import STUDY, is_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.decider.memory import StreamState
from hepatrail_services.decider.plan import MAX_TEXT, MAX_VALUE_BYTES, Asked, Failure, Frame, Out, Overlay, Plan

CLOCKS_APART = timedelta(seconds=1)
"""How far the clock of a gateway may be ahead of the decider's (TIM-03); latency only ever makes it seem behind."""


def decide_batch(asked: Sequence[Asked], overlay: Overlay, frame: Frame) -> Plan:
    """Decides commands in their order until the transaction is full; always takes at least one."""
    plan = Plan()
    for one in asked:
        if plan.full():
            break
        _decide_one(one, overlay, frame, plan)
        plan.taken += 1
    return plan


def _decide_one(asked: Asked, overlay: Overlay, frame: Frame, plan: Plan) -> None:
    message = asked.message
    if message is None or not is_stream(message.stream):
        _unreadable(asked, str(asked.error or "the command's stream is no stream"), frame, plan)
        return
    try:
        bodyhash = message.bodyhash
    except (ValueError, RecursionError) as error:
        _unreadable(asked, f"the input is not canonical JSON: {type(error).__name__}", frame, plan)
        return
    command = _Command(asked, message, bodyhash, frame, overlay)
    outcome = _outcome(command)
    for recorded in outcome.events:
        key = message.stream.encode()
        plan.add(Out(EVENTS, asked.partition, key, recorded.raw, tuple(recorded.envelope.headers())))
    plan.events += len(outcome.events)
    if outcome.after is not None:
        overlay.put(asked.partition, message.stream, outcome.after)
    if outcome.fault is not None:
        plan.quarantine(asked, message.stream, outcome.fault.code, outcome.fault.reason, frame.now)
        if outcome.fault.code is Code.INTERNAL:
            plan.failures.append(Failure(message.stream, message.actor.id))
    overlay.remember(asked.partition, outcome.decision)
    plan.answer(asked.partition, outcome.decision)


class _Command:
    """One readable command on its way to its answer, with the stream and the study it is decided on."""

    def __init__(self, asked: Asked, message: CommandMessage, bodyhash: str, frame: Frame, overlay: Overlay) -> None:
        self.asked = asked
        self.message = message
        self.bodyhash = bodyhash
        self.frame = frame
        self.misplaced = partition_of(message.stream) != asked.partition
        self.stream = overlay.stream(asked.partition, message.stream)
        self.known = overlay.answer(asked.partition, message.stream, message.commandid)
        last = self.stream.recorded_at
        self.stamp = frame.now if last is None else max(frame.now, last)
        own = message.stream == STUDY and not self.misplaced
        self.study: Any = self.stream.state if own else frame.study
        self.study_version = self.stream.link.streamseq if own else frame.study_version

    def decision(self, **fields: Any) -> Decision:
        """The answer, with everything that is the same whatever it says."""
        fields.setdefault("version", self.stream.link.streamseq)
        return Decision(
            commandid=self.message.commandid,
            commandtype=self.message.commandtype,
            stream=self.message.stream,
            bodyhash=self.bodyhash,
            recordedat=self.stamp,
            receivedat=self.message.receivedat,
            actorid=self.message.actor.id,
            actorrole=self.message.actor.role.value,
            studyseq=self.study_version,
            producer=self.frame.producer,
            **fields,
        )

    def rejected(self, code: Code, message: str, **fields: Any) -> Decision:
        """The answer "no", with the body of the command."""
        return self.decision(
            verdict=Verdict.REJECTED, code=code, message=message[:MAX_TEXT], input=self.message.input, **fields
        )


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a command goes to quarantine."""

    code: Code
    reason: str


@dataclass(frozen=True, slots=True)
class _Outcome:
    """An answer, the events it stands for, the stream after them."""

    decision: Decision
    events: tuple[Recorded, ...] = ()
    after: StreamState | None = None
    fault: _Fault | None = None


def _outcome(command: _Command) -> _Outcome:
    try:
        early = _without_deciding(command)
        return _decide(command) if early is None else _Outcome(early)
    except InvalidMessage as error:
        fault = _Fault(Code.UNREADABLE, str(error))
        return _Outcome(command.rejected(fault.code, fault.reason), fault=fault)
    except Exception as error:  # noqa: BLE001  a bug in the rules must not stop the partition
        sentence = "The command could not be decided because of a fault in the system."
        fault = _Fault(Code.INTERNAL, f"{type(error).__name__} while deciding")
        return _Outcome(command.rejected(fault.code, sentence), fault=fault)


def _without_deciding(command: _Command) -> Decision | None:
    """The answers that need no rule: wrong place, known id, parked stream, clocks apart, study not far enough."""
    message, known = command.message, command.known
    if command.misplaced:
        return command.rejected(
            Code.WRONG_PARTITION, f"The stream {message.stream} does not live in this partition.", version=0
        )
    if known is not None:
        if known.bodyhash == command.bodyhash:
            return known.model_copy(update={"repeat": True})
        sentence = "This commandId was used before, for a command with another content."
        return command.rejected(Code.CONFLICT, sentence, repeat=True)
    if command.stream.parked is not None:
        sentence = f"The record of {message.stream} cannot be read at present; the command was not looked at."
        return command.rejected(Code.SUBJECT_PARKED, sentence)
    if message.receivedat - command.frame.now > CLOCKS_APART:
        sentence = "The clocks of gateway and decider are more than 1 s apart; nothing is recorded until they agree."
        return command.rejected(Code.NOT_READY, sentence)
    if message.stream == STUDY:
        return None
    if message.studyversion > command.study_version:
        return command.rejected(Code.NOT_READY, "The study is not read far enough here; please try again.")
    if not command.frame.rules.study_facts(command.study, command.stamp).published:
        return command.rejected(Code.NOT_READY, "No protocol has been published yet.")
    return None


def _decide(command: _Command) -> _Outcome:
    frame, message, stream = command.frame, command.message, command.stream
    if (command.asked.partition, command.asked.offset) in frame.doomed:
        raise RuntimeError("Kafka refused the records of this command")
    try:
        parsed = frame.rules.parse(message)
        events = frame.rules.decide(stream.state, command.study, parsed, message, command.stamp)
    except CommandRejected as error:
        return _Outcome(command.rejected(Code(error.code), error.message, rule=error.rule, field=error.field))
    protocol = frame.rules.study_facts(command.study, command.stamp).protocol_version
    recorded: list[Recorded] = []
    for index, event in enumerate(events):
        one = _record(command, stream, event, (index, len(events)), protocol)
        if len(one.raw) > MAX_VALUE_BYTES:
            sentence = "What follows from this command is too large to be recorded."
            return _Outcome(command.rejected(Code.TOO_LARGE, sentence))
        state = frame.rules.evolve(stream.state, one)
        stream = StreamState(state, stream.link.follow(one), command.stamp)
        recorded.append(one)
    decision = command.decision(
        verdict=Verdict.ACCEPTED,
        eventids=tuple(one.envelope.id for one in recorded),
        version=stream.link.streamseq,
    )
    return _Outcome(decision, tuple(recorded), stream if recorded else None)


def _record(
    command: _Command, stream: StreamState, event: Event, place: tuple[int, int], protocol: str | None
) -> Recorded:
    message = command.message
    envelope = Envelope(
        id=uuid7(command.stamp),
        type=event.type_name(),
        version=event.VERSION,
        stream=message.stream,
        streamseq=stream.link.streamseq + 1,
        commitid=message.commandid,
        commitindex=place[0],
        commitsize=place[1],
        prevhash=stream.link.hash,
        receivedat=message.receivedat,
        recordedat=command.stamp,
        actorid=message.actor.id,
        actorrole=message.actor.role.value,
        actororg=message.actor.org,
        producer=command.frame.producer,
        studyseq=command.study_version,
        protocolversion=protocol,
        causationid=message.causationid,
        correlationid=message.correlationid,
        traceparent=message.traceparent,
    )
    return record(envelope, event)


def _unreadable(asked: Asked, reason: str, frame: Frame, plan: Plan) -> None:
    """Bytes to quarantine; an answer too, where at least the id and the stream can be made out."""
    decision = _salvaged_answer(asked, reason, frame)
    plan.quarantine(asked, decision.stream if decision else None, Code.UNREADABLE, reason, frame.now)
    if decision is not None:
        plan.answer(asked.partition, decision)


def _salvaged_answer(asked: Asked, reason: str, frame: Frame) -> Decision | None:
    try:
        body = parse_object(asked.value)
        stream, command_id = body.get("stream"), UUID(str(body.get("commandid")))
    except (InvalidMessage, ValueError):
        return None
    if not isinstance(stream, str) or not is_stream(stream):
        return None
    return Decision(
        commandid=command_id,
        commandtype=str(body.get("commandtype", ""))[:80],
        stream=stream,
        bodyhash=sha256_hex(asked.value),
        verdict=Verdict.REJECTED,
        code=Code.UNREADABLE,
        message=reason[:MAX_TEXT],
        version=0,
        recordedat=frame.now,
        receivedat=frame.now,
        actorid="",
        actorrole="",
        studyseq=frame.study_version,
        producer=frame.producer,
    )
