"""Cells of the tables of adverse events: participants of the safety set, and events."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.endpoints.cells import Cell, Column
from hepatrail_projections.clinical.endpoints.proportion import proportion_cell
from hepatrail_projections.endpoints.safety_facts import CountedEvent, SafetyFacts

Holds: TypeAlias = Callable[[CountedEvent], bool]
Who: TypeAlias = list[tuple[str, Iterable[UUID]]]

PARTICIPANTS = Column("PARTICIPANTS", "Participants, n (%)")
EVENTS = Column("EVENTS", "Events")


@dataclass(frozen=True, slots=True)
class SafetySet:
    """The participants of the safety set in the order of their ids, the denominator of every proportion."""

    members: tuple[SafetyFacts, ...]
    confidence: Decimal

    @property
    def n(self) -> int:
        """N = |SAF|."""
        return len(self.members)

    def participants(self, column: str, holds: Holds, flags: tuple[str, ...] = ()) -> Cell:
        """Participants with at least one event that holds, of N, with the exact interval."""
        return self.share(column, who(self.members, holds), flags)

    def share(self, column: str, found: Who, flags: tuple[str, ...] = ()) -> Cell:
        """Participants of N, with the exact interval."""
        return proportion_cell(column, found, self.n, self.confidence, flags)

    def events(self, holds: Holds) -> int:
        """The number of events that hold."""
        return event_count(self.members, holds)


def safety_set(facts: Iterable[SafetyFacts], protocol: Protocol) -> SafetySet:
    """The safety set, from the facts of all participants in any order."""
    treated = sorted((each for each in facts if each.treated), key=lambda each: each.subject_id)
    return SafetySet(tuple(treated), Decimal(protocol.endpoints.confidence))


def who(facts: Iterable[SafetyFacts], holds: Holds) -> Who:
    """The participants with an event that holds, each with the events of the log that tell it."""
    found: Who = []
    for each in facts:
        held = [event for event in each.events if holds(event)]
        if held:
            found.append((each.subject_id, [event_id for event in held for event_id in event.event_ids]))
    return found


def event_count(facts: Iterable[SafetyFacts], holds: Holds) -> int:
    """The number of adverse events that hold."""
    return sum(holds(event) for each in facts for event in each.events)


def events_of(participants: Cell, column: str, count: int) -> Cell:
    """The number of adverse events that put the participants of a cell there."""
    shown = str(count)
    return Cell(column, shown, shown, count, contributions=participants.contributions, flags=participants.flags)


def empty(column: str) -> Cell:
    """A cell in which there is nothing to say."""
    return Cell(column, None, "")
