"""The whole trial in memory, at a clock that stands where it is set: months in seconds.

The deciders' rules, the reactor and the scheduler are the real ones; between them stands a list instead of Kafka.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from aiokafka import TopicPartition

from builders.commands import command_input
from hepatrail_events.codec import Link, Recorded, record
from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.safety_desk import AlertEscalated, AlertRaised
from hepatrail_events.streams import NEVER_PARKED, SAFETY_DESK, STUDY
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.records import incoming
from hepatrail_services.command import read_command
from hepatrail_services.decider.trial_rules import TrialRules
from hepatrail_services.deciders.catalogue import COMMANDS
from hepatrail_services.safety.catching_up import FOLLOWED
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.ledger import Held, Ledger, ReadTo
from hepatrail_services.safety.reactor import Reactor
from hepatrail_services.safety.scheduler import Scheduler
from hepatrail_services.safety.sending import Sender
from projection_log import LogRecord

_RULES = TrialRules()
_NAMES = UUID(int=0x3E)


class TrialInMemory:
    """Deciders that answer at once, and the log that they write; a clock and a port for commands in one."""

    label = ""

    def __init__(self, begin: datetime) -> None:
        self.moment = begin
        self.records: list[LogRecord] = []
        self.asked: list[CommandMessage] = []
        self._states: dict[str, Any] = {}
        self._links: dict[str, Link] = {}
        self._decided: dict[tuple[str, UUID], Decision] = {}
        self._events: dict[str, list[Recorded]] = {}

    def now(self) -> datetime:
        """The instant that was set."""
        return self.moment

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to disconnect."""

    async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision:  # noqa: ASYNC109
        """Decides a command now; a known id is answered as before."""
        self.asked.append(message)
        key = (message.stream, message.commandid)
        known = self._decided.get(key)
        if known is not None:
            same = known.bodyhash == message.bodyhash
            answer = known if same else self._decision(message, Code.CONFLICT, "Another body.")
            return answer.model_copy(update={"repeat": True})
        state, study = self._state(message.stream), self._state(STUDY)
        try:
            events = _RULES.decide(state, study, _RULES.parse(message), message, self.moment)
        except CommandRejected as error:
            decision = self._decision(message, Code(error.code), error.message)
        else:
            self._append(message, events)
            decision = self._decision(message, None, "")
        if decision.binds:
            self._decided[key] = decision
        return decision

    async def send(self, name: str, by: Role | None = None, actor: str = "dr-li", **changes: Any) -> Decision:
        """The accepted decision on a person's command with the defaults of the builders."""
        kind = COMMANDS[name]
        number = sum(1 for each in self.asked if each.actor.role is not Role.SYSTEM)
        identity = str(uuid5(_NAMES, f"{name} {number}"))
        command = read_command(kind, command_input(name, **{"commandId": identity, **changes}))
        role = by or (Role.INVESTIGATOR if Role.INVESTIGATOR in kind.ROLES else min(kind.ROLES))
        message = CommandMessage(
            commandid=command.command_id,
            commandtype=name,
            stream=command.stream(),
            input=command.payload(),
            actor=Actor(id=actor, role=role, org="BFH", sites=(ALL_SITES,)),
            receivedat=self.moment,
        )
        decision = await self.ask(message)
        assert decision.verdict is Verdict.ACCEPTED, decision
        return decision

    def events(self, stream: str) -> list[Recorded]:
        """The events of a stream."""
        return self._events.get(stream, [])

    def garbage(self, stream: str) -> None:
        """Bytes that nobody can read, under a stream's key."""
        self._record(stream, b"garbage", ())

    @property
    def alerts(self) -> list[AlertRaised]:
        """The alerts of the desk, in order."""
        return [each.event for each in self.events(SAFETY_DESK) if isinstance(each.event, AlertRaised)]

    @property
    def levels(self) -> list[tuple[UUID, int]]:
        """The levels that have fired, in order."""
        events = [each.event for each in self.events(SAFETY_DESK)]
        return [(each.alert_id, each.level) for each in events if isinstance(each, AlertEscalated)]

    def _state(self, stream: str) -> Any:
        return self._states[stream] if stream in self._states else _RULES.initial(stream)

    def _append(self, message: CommandMessage, events: "tuple[Event, ...] | Any") -> None:
        for index, event in enumerate(events):
            link = self._links.get(message.stream, Link())
            envelope = Envelope(
                id=uuid5(_NAMES, f"{message.commandid} {index}"),
                type=type(event).type_name(),
                version=type(event).VERSION,
                stream=message.stream,
                streamseq=link.streamseq + 1,
                commitid=message.commandid,
                commitindex=index,
                commitsize=len(events),
                prevhash=link.hash,
                receivedat=message.receivedat,
                recordedat=self.moment,
                actorid=message.actor.id,
                actorrole=message.actor.role.value,
                actororg=message.actor.org,
                producer="hepatrail/test",
                studyseq=self._links.get(STUDY, Link()).streamseq,
            )
            recorded = record(envelope, event)
            self._links[message.stream] = link.follow(recorded)
            self._states[message.stream] = _RULES.evolve(self._state(message.stream), recorded)
            self._events.setdefault(message.stream, []).append(recorded)
            self._record(message.stream, recorded.raw, tuple(envelope.headers()))

    def _record(self, stream: str, value: bytes, headers: tuple[tuple[str, bytes], ...]) -> None:
        partition = partition_of(stream)
        offset = sum(1 for each in self.records if each.partition == partition)
        self.records.append(LogRecord(EVENTS, partition, offset, stream.encode(), value, headers))

    def _decision(self, message: CommandMessage, code: Code | None, text: str) -> Decision:
        return Decision(
            commandid=message.commandid,
            commandtype=message.commandtype,
            stream=message.stream,
            bodyhash=message.bodyhash,
            verdict=Verdict.ACCEPTED if code is None else Verdict.REJECTED,
            code=code,
            message=text or None,
            version=self._links.get(message.stream, Link()).streamseq,
            recordedat=self.moment,
            receivedat=message.receivedat,
            actorid=message.actor.id,
            actorrole=message.actor.role.value,
            studyseq=self._links.get(STUDY, Link()).streamseq,
            producer="hepatrail/test",
        )


class _NoLedger(Ledger):
    """Remembers nothing: whoever starts anew starts from nothing."""

    def __init__(self) -> None:
        pass

    async def advance(self, changes: Any, held: Any = (), free: Any = ()) -> None:
        """Nothing is kept."""


class Watch:
    """A safety process that knows nothing at first and reads whenever it is told to look."""

    def __init__(self, trial: TrialInMemory, read_to: dict[int, ReadTo] | None = None) -> None:
        self._trial = trial
        self._read = 0
        self.commons = Commons()
        self.sender = Sender(trial, trial, "Sponsor", self.commons)
        held: dict[str, Held] = {}
        self.reactor = Reactor(_NoLedger(), self.sender, trial, self.commons, read_to or {}, held)
        self.scheduler = Scheduler(self.commons, self.sender, trial, self.reactor.timers)
        for each in trial.records:
            if (each.key or b"").decode() in NEVER_PARKED:
                place = Place(each.topic, each.partition, each.offset)
                self.commons.fold(incoming(place, each.key, each.value), frozenset())

    async def look(self) -> None:
        """Reads everything that is there, what follows from it included, and lets the scheduler tick."""
        await self.read()
        read_to = dict.fromkeys(FOLLOWED, self._trial.now())
        await self.scheduler.tick_participants(self.reactor.participants, read_to)
        await self.read()
        await self.scheduler.tick_levels()
        await self.scheduler.tick_holds()
        await self.read()

    async def read(self) -> None:
        """Reads to the end of the log, which reacting to it moves on."""
        while self._read < len(self._trial.records):
            records = self._trial.records[self._read :]
            self._read += len(records)
            await self.reactor.take(records)


def text(moment: datetime) -> str:
    """An instant as commands state it."""
    return format_instant(moment)


def minute(moment: datetime) -> dict[str, str]:
    """A partial date of MINUTE precision."""
    return {"value": f"{moment:%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}


def partition(stream: str) -> TopicPartition:
    """The partition of a stream's events."""
    return TopicPartition(EVENTS, partition_of(stream))


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
