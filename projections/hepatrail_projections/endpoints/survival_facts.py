"""What one participant contributes to survival and transplantation (`endpoints.md` 3.1).

Decided here, because the reference leaves room: a transplant of which only a part of the date is known stands where
the schedule of visits has it, at the last day that it can have been, not after it was recorded, and not after death.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.protocol import Protocol
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.follow_up import FollowUp, Known
from hepatrail_projections.clinical.endpoints.survival_dates import (
    Withdrawal,
    death_day,
    is_exact,
    permitted,
    possible_days,
)
from hepatrail_projections.clinical_stops import latest_moment
from hepatrail_projections.derive import OutcomeRows
from hepatrail_projections.endpoints.survival_contacts import (
    contacts,
    finds_alive,
    last_alive,
    withdrawals,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Survival statuses that found the participant alive inside the window of a time point."""

    point: str
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class SurvivalFacts:
    """A participant; `follow_up` is None outside the safety set. `seen` is in the protocol's order of time points."""

    subject_id: str
    follow_up: FollowUp | None
    seen: tuple[Seen, ...] = ()

    def seen_at(self, point: str) -> tuple[UUID, ...]:
        """The survival statuses of a time point."""
        return next((each.event_ids for each in self.seen if each.point == point), ())


def survival_facts(rows: OutcomeRows, protocol: Protocol) -> SurvivalFacts:
    """The facts of a participant from the rows under this protocol version; they name no data cut."""
    zone, subject_id = site_zone(protocol.site_zone), rows.subject.subject_id
    first = min((each for each in rows.sessions if not each.voided), key=lambda each: each.started_at, default=None)
    if first is None:
        return SurvivalFacts(subject_id, None)
    t0 = Known(local_date(first.started_at, zone), first.event_ids, first.started_at)
    stated = withdrawals(rows, zone)
    died, until = _death_stated(rows, zone)
    alive = last_alive(t0, contacts(rows, zone), stated, until)
    death = None if died is None else _death(rows, died, alive.day, zone)
    # Of a date that is not known to the day nobody can say that it lies before the withdrawal.
    allowed = until is None or permitted(until, stated, vital=True)
    follow_up = FollowUp(
        subject_id=subject_id,
        t0=t0,
        alive=alive,
        death=death if allowed else None,
        transplant=_transplant(rows, t0.day, None if death is None else death.day, stated, zone),
        withheld=None if allowed else death,
    )
    return SurvivalFacts(subject_id, follow_up, _seen(rows, protocol, stated, zone))


def _death_stated(rows: OutcomeRows, zone: ZoneInfo) -> tuple[PartialDate | None, date | None]:
    """The date of the death that stands, and the last day that it can mean."""
    subject = rows.subject
    if subject.death_at is None:
        return None, None
    when = PartialDate.model_validate(subject.death_at)
    aware = subject.death_aware_at or subject.recorded_at
    return when, possible_days(when, local_date(aware, zone), zone)[1]


def _death(rows: OutcomeRows, when: PartialDate, alive: date, zone: ZoneInfo) -> Known:
    aware = local_date(rows.subject.death_aware_at or rows.subject.recorded_at, zone)
    day = death_day(when, aware, alive, zone)
    return Known(day, rows.subject.death_event_ids, when.instant, not is_exact(when))


def _transplant(
    rows: OutcomeRows, t0: date, death: date | None, stated: tuple[Withdrawal, ...], zone: ZoneInfo
) -> Known | None:
    """The first transplant after T0, as the participant's row names it, unless a withdrawal forbids to use it."""
    chosen = {UUID(each["eventId"]) for each in rows.subject.transplants if each["firstAfterT0"]}
    for row in rows.assessments:
        if row.event_id not in chosen:
            continue
        when = PartialDate.model_validate(row.happened)
        day = local_date(latest_moment(when, row.recorded_at, zone), zone)
        if not permitted(day, stated, vital=True):
            return None
        if not is_exact(when) and death is not None:
            day = max(t0, min(day, death))
        return Known(day, row.event_ids, when.instant, not is_exact(when))
    return None


def _seen(rows: OutcomeRows, protocol: Protocol, stated: tuple[Withdrawal, ...], zone: ZoneInfo) -> tuple[Seen, ...]:
    found: dict[str, list[UUID]] = {}
    for row in rows.assessments:
        if row.voided or row.at is None or not finds_alive(row) or not row.in_window or row.point is None:
            continue
        if permitted(local_date(row.at, zone), stated, vital=True):
            found.setdefault(row.point, []).extend(row.event_ids)
    surv = [point.code for point in protocol.points if point.surv]
    return tuple(Seen(code, tuple(sorted(set(found[code])))) for code in surv if code in found)
