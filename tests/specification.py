"""Given facts, when a command, then facts or a rejection: how the tests of the deciders read.

    given(consent(), enrolled()).when(command("startSession")).then_rejects("SES-02")

Every specification folds its history twice from the start and holds the two states equal; what was decided is
folded too, and the version must rise by the number of events.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

import pytest

from builders.study import protocol_published, site_activated
from builders.times import NOW
from hepatrail_events.codec import Recorded, record
from hepatrail_events.commands import Actor
from hepatrail_events.envelope import GENESIS, Envelope
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY
from hepatrail_services.command import Command, StudyCommand
from hepatrail_services.deciders.catalogue import State, decide, evolve, initial_state
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState

READY: tuple[Event, ...] = (protocol_published(), site_activated())
"""A study in which everything may happen."""


@dataclass(frozen=True)
class By:
    """A fact established by somebody of another role than INVESTIGATOR, at another moment than NOW, or not by u-1.

    `studyseq` is how far the study was known to its decider.
    """

    event: Event
    role: Role = Role.INVESTIGATOR
    recorded_at: datetime = NOW
    who: str = "u-1"
    studyseq: int = 0


def fold(stream: str, history: Iterable[Event | By]) -> State:
    """The state after a history, from the start."""
    state = initial_state(stream)
    for number, fact in enumerate(history, start=1):
        state = evolve(state, recorded(stream, number, fact if isinstance(fact, By) else By(fact)))
    return state


def recorded(stream: str, streamseq: int, fact: By) -> Recorded:
    """The fact as it would stand in the log."""
    identity = uuid5(UUID(int=0), f"{stream}@{streamseq}")
    envelope = Envelope(
        id=identity,
        type=fact.event.type_name(),
        version=fact.event.VERSION,
        stream=stream,
        streamseq=streamseq,
        commitid=identity,
        commitindex=0,
        commitsize=1,
        prevhash=GENESIS,
        receivedat=fact.recorded_at,
        recordedat=fact.recorded_at,
        actorid=fact.who,
        actorrole=fact.role,
        actororg="BFH",
        producer="hepatrail/test",
        studyseq=fact.studyseq,
    )
    return record(envelope, fact.event)


@dataclass(frozen=True)
class Given:
    """A history; `when` decides a command on it."""

    history: tuple[Event | By, ...]
    study: tuple[Event | By, ...] = READY

    def in_study(self, *facts: Event | By) -> "Given":
        """The same with another study stream."""
        return replace(self, study=facts)

    def when(
        self,
        command: Command,
        by: Role | None = None,
        *,
        who: str = "u-1",
        sites: tuple[str, ...] = ("*",),
        now: datetime = NOW,
    ) -> "Outcome":
        """Decides the command, by default in a role that may send it."""
        stream = command.stream()
        study = fold(STUDY, self.history if isinstance(command, StudyCommand) else self.study)
        assert isinstance(study, StudyState)
        state = fold(stream, self.history)
        assert state == fold(stream, self.history), "folding twice gave two states"
        role = by or min(type(command).ROLES, key=lambda role: (role is not Role.INVESTIGATOR, role))
        actor = Actor(id=who, role=role, org="BFH", sites=sites)
        context = Context(now=now, actor=actor, command_id=command.command_id, received_at=now)
        try:
            events = decide(state, study, command, context)
        except CommandRejected as rejection:
            return Outcome(command, (), rejection, state)
        after = state
        for number, event in enumerate(events, start=state.version + 1):
            after = evolve(after, recorded(stream, number, By(event, role, now, who, study.version)))
        assert after.version == state.version + len(events)
        return Outcome(command, events, None, after)


def given(*history: Event | By) -> Given:
    """The facts that stand in the command's stream, oldest first."""
    return Given(history)


@dataclass(frozen=True)
class Outcome:
    """What became of the command."""

    command: Command
    events: tuple[Event, ...]
    rejection: CommandRejected | None
    state: State

    def then(self, *expected: Event) -> State:
        """Accepted with exactly these events; the state after them."""
        assert self.rejection is None, f"rejected: {self.rejection} ({self.rejection and self.rejection.rule})"
        assert self.events == expected
        return self.state

    def then_one(self, kind: type[Event]) -> Event:
        """Accepted with one event of this kind, which is returned."""
        assert self.rejection is None, f"rejected: {self.rejection} ({self.rejection and self.rejection.rule})"
        assert [type(event) for event in self.events] == [kind]
        return self.events[0]

    def then_accepts(self, *kinds: type[Event]) -> State:
        """Accepted with events of these kinds; the state after them."""
        assert self.rejection is None, f"rejected: {self.rejection} ({self.rejection and self.rejection.rule})"
        assert tuple(type(event) for event in self.events) == kinds
        return self.state

    def then_rejects(self, rule: str | None = None, *, field: str | None = None, code: str = "RULE") -> str:
        """Rejected with this rule and code; the sentence."""
        if self.rejection is None:
            pytest.fail(f"accepted with {[event.type_name() for event in self.events]}, not rejected by {rule}")
        assert (self.rejection.code, self.rejection.rule) == (code, rule)
        if field is not None:
            assert self.rejection.field == field
        assert self.rejection.message[0].isupper() or self.rejection.field
        assert self.rejection.message.endswith(".")
        return self.rejection.message
