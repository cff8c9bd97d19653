"""Cells of the tables of adverse events: participants of the safety set, and events."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeAlias
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Contribution, contributions
from hepatrail_projections.clinical.endpoints.proportion import proportion_cell, share_cell
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.endpoints.safety_facts import CountedEvent, SafetyFacts

Holds: TypeAlias = Callable[[CountedEvent], bool]
Falls: TypeAlias = Callable[[SafetyFacts, CountedEvent], bool]
"""Whether an event of a participant counts; of the participant it may look at the targets, at nothing else."""
Who: TypeAlias = list[tuple[str, Iterable[UUID]]]

PARTICIPANTS = Column("PARTICIPANTS", "Participants, n (%)")
EVENTS = Column("EVENTS", "Events")


class Counted(NamedTuple):
    """The participants with at least one event that counts, each with those events of the log, and how many count."""

    held: tuple[Contribution, ...]
    events: int


@dataclass(frozen=True, slots=True)
class SafetySet:
    """The participants of the safety set in the order of their ids, the denominator of every proportion.

    `memory` has what was counted of each before.
    """

    members: tuple[SafetyFacts, ...]
    confidence: Decimal
    memory: Memory

    @property
    def n(self) -> int:
        """N = |SAF|."""
        return len(self.members)

    def counted(self, code: str, falls: Falls) -> Counted:
        """What falls into the line of this code, which no line that counts otherwise may have."""
        return _together(
            self.memory.made(
                ("counted", code, each.subject_id), (each.events, each.targets), partial(_count, each, falls)
            )
            for each in self.members
        )

    def share(self, column: str, found: Who, flags: tuple[str, ...] = ()) -> Cell:
        """Participants of N, with the exact interval."""
        return proportion_cell(column, found, self.n, self.confidence, flags)

    def cells(self, column: str, events: str, counted: Counted) -> tuple[Cell, Cell]:
        """Participants of N with the exact interval, and beside them their events."""
        participants = share_cell(column, counted.held, self.n, self.confidence)
        return participants, events_of(participants, events, counted.events)


def safety_set(facts: Iterable[SafetyFacts], protocol: Protocol, memory: Memory) -> SafetySet:
    """The safety set, from the facts of all participants in any order."""
    treated = sorted((each for each in facts if each.treated), key=lambda each: each.subject_id)
    return SafetySet(tuple(treated), Decimal(protocol.endpoints.confidence), memory)


def count_all(facts: Iterable[SafetyFacts], falls: Falls) -> Counted:
    """What counts of participants, in their order."""
    return _together(_count(each, falls) for each in facts)


def _count(facts: SafetyFacts, falls: Falls) -> Counted:
    found = [event for event in facts.events if falls(facts, event)]
    if not found:
        return Counted((), 0)
    return Counted(
        contributions([(facts.subject_id, chain.from_iterable(each.event_ids for each in found))]), len(found)
    )


def _together(counted: Iterable[Counted]) -> Counted:
    each_of = tuple(counted)
    return Counted(tuple(chain.from_iterable(each.held for each in each_of)), sum(each.events for each in each_of))


def events_of(participants: Cell, column: str, count: int) -> Cell:
    """The number of adverse events that put the participants of a cell there."""
    shown = str(count)
    return Cell(column, shown, shown, count, contributions=participants.contributions, flags=participants.flags)


def empty(column: str) -> Cell:
    """A cell in which there is nothing to say."""
    return Cell(column, None, "")
