"""A duty to report as it begins, stands and ends, and the clock that shows it.

Decided here, because the reference leaves room: a clock that fell away and is then found to have been met before that
was met; one whose report turns out void runs again, and its `changed_at` is when that was recorded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_projections.clinical.reporting.clock import Clock, ClockType
from hepatrail_projections.clinical.reporting.deadlines import Term
from hepatrail_projections.clinical.reporting.handing_over import Handed
from hepatrail_projections.clinical.reporting.moments import Moment

Met: TypeAlias = Callable[[int, datetime | None], Handed | None]
"""The report, by what is known at a moment (its number), handed over until an instant, if one is given."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What must be reported because of the commit of moment `start`, known from moment `opened` on.

    Moments are named by their numbers. `holds`: what it rests on still stands; `term`: from when to when, by what is
    known then; `provisional`: it rests on a missing assessment.
    """

    type: ClockType
    start: int
    opened: int
    holds: Callable[[int], bool]
    term: Callable[[int], Term]
    met: Met
    provisional: Callable[[int], bool] = lambda _: False


def reports(duty: Duty, moments: Sequence[Moment]) -> tuple[Handed | None, ...]:
    """The report that met a duty, by what was known at each moment; what comes after it fell away meets nothing."""
    found: list[Handed | None] = [None] * duty.opened
    fell_at = None
    for number in range(duty.opened, len(moments)):
        if duty.holds(number):
            fell_at = None
        elif fell_at is None:
            fell_at = moments[number].at
        found.append(duty.met(number, fell_at))
    return tuple(found)


def clock_of(duty: Duty, moments: Sequence[Moment], subject_id: str) -> Clock:
    """The clock of a duty after all the moments."""
    handed = reports(duty, moments)
    clock = _opened(duty, moments, subject_id)
    for number in range(duty.opened, len(moments)):
        clock = _advanced(clock, duty, number, moments[number], handed[number])
    return clock


def _opened(duty: Duty, moments: Sequence[Moment], subject_id: str) -> Clock:
    start, opened = moments[duty.start], moments[duty.opened]
    term = duty.term(duty.opened)
    ae_id = start.fact.reported.ae_id
    return Clock(
        clock_id=derived_id(ae_id, duty.type, start.commit_id),
        type=duty.type,
        subject_id=subject_id,
        ae_id=ae_id,
        start_commit_id=start.commit_id,
        started_at=term.started_at,
        day0=term.day0,
        due_at=term.due_at,
        warn_at=term.warn_at,
        opened_at=opened.at,
        changed_at=opened.at,
        provisional=duty.provisional(duty.opened),
        protocol_version=opened.version,
        start_event_ids=tuple(dict.fromkeys((*start.event_ids, *opened.event_ids))),
    )


def _advanced(clock: Clock, duty: Duty, number: int, now: Moment, handed: Handed | None) -> Clock:
    """The clock as it stands with one more moment known."""
    term, holds = duty.term(number), duty.holds(number)
    runs_again = holds and handed is None and (clock.met_at is not None or clock.cancelled_at is not None)
    cancelled_at, cancel_event_ids = _cancelled(clock, now, holds=holds, met=handed is not None)
    return replace(
        clock,
        started_at=term.started_at,
        day0=term.day0,
        due_at=term.due_at,
        warn_at=term.warn_at,
        changed_at=now.at if runs_again or term.due_at != clock.due_at else clock.changed_at,
        provisional=duty.provisional(number) if holds and handed is None else clock.provisional,
        met_at=None if handed is None else handed.at,
        met_recorded_at=None if handed is None else clock.met_recorded_at or now.at,
        met_event_ids=() if handed is None else handed.event_ids,
        cancelled_at=cancelled_at,
        cancel_event_ids=cancel_event_ids,
    )


def _cancelled(clock: Clock, now: Moment, *, holds: bool, met: bool) -> tuple[datetime | None, tuple[UUID, ...]]:
    if holds:
        return None, ()
    if met or clock.cancelled_at is not None:
        return clock.cancelled_at, clock.cancel_event_ids
    return now.at, now.event_ids
