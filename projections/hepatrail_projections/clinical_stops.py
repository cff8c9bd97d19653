"""From the folded facts to what ends or reduces what a participant owes (`visits.md` section 5.1).

Decided here, because the reference leaves room: a death or a transplant of which only the day, month or year is known
stands, where an instant is needed, at the last moment that it can have been, and not after the site knew of it (the
transplant: not after it was recorded). So a transplant of the medical history, recorded before treatment, never
counts as one after T0. Loss to follow-up stops nothing: points are missed until contact returns.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import ParticipantWithdrew, TransplantDone, WithdrawalScope
from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.clinical.calendar import end_of_day
from hepatrail_projections.clinical.inputs import Cause, Stop
from hepatrail_projections.corrections import Record
from hepatrail_projections.facts import Assessment, SubjectView

_RESOLUTION = timedelta(milliseconds=1)


def stops_of(view: SubjectView, t0: datetime | None, zone: ZoneInfo) -> tuple[Stop, ...]:
    """All stops and reductions that stand: death, withdrawals, the first transplant after T0, no treatment."""
    transplant = transplant_after(view.assessments, t0, zone)
    stops = [*_death(view, zone), *_withdrawals(view), *(() if transplant is None else (transplant,))]
    if view.consent_withdrawn_at is not None:
        stops.append(Stop("NOT_TREATED", view.consent_withdrawn_at, event_ids=_ids(view, "CONSENT")))
    if view.screen_failed_at is not None:
        stops.append(Stop("NOT_TREATED", view.screen_failed_at, event_ids=_ids(view, "SCREENING")))
    return tuple(stops)


def transplant_after(
    assessments: Mapping[UUID, Record[Assessment]], t0: datetime | None, zone: ZoneInfo
) -> Stop | None:
    """The first transplant after T0 that is not void."""
    stops = []
    for record in assessments.values():
        fact = record.fact
        if record.voided is None and isinstance(fact, TransplantDone):
            time = latest_moment(fact.transplant_at, record.recorded_at, zone)
            if t0 is not None and time > t0:
                stops.append(Stop("TRANSPLANT", time, event_ids=record.event_ids))
    return min(stops, key=lambda stop: stop.time, default=None)


def latest_moment(when: PartialDate, known_by: datetime, zone: ZoneInfo) -> datetime:
    """The last instant, to the millisecond, that a partial date can mean, not later than `known_by`."""
    if when.instant is not None:
        return when.instant
    if when.precision is Precision.UNKNOWN or when.value is None:
        return known_by
    parts = [int(part) for part in when.value.split("-")]
    month = parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else monthrange(parts[0], month)[1]
    return min(known_by, end_of_day(date(parts[0], month, day), zone) - _RESOLUTION)


def _death(view: SubjectView, zone: ZoneInfo) -> list[Stop]:
    death, record = view.death, view.death_record
    if death is None or record is None:
        return []
    return [Stop("DEATH", latest_moment(death.death_at, death.aware_at, zone), event_ids=record.event_ids)]


def _withdrawals(view: SubjectView) -> list[Stop]:
    stops = []
    for record in view.assessments.values():
        fact = record.fact
        if record.voided is None and isinstance(fact, ParticipantWithdrew):
            cause: Cause = "NOT_TREATED" if fact.scope is WithdrawalScope.TREATMENT_ONLY else "WITHDRAWAL"
            stops.append(Stop(cause, fact.withdrawn_at, fact.vital_status_allowed, record.event_ids))
    return stops


def _ids(view: SubjectView, kind: str) -> tuple[UUID, ...]:
    return tuple(event_id for known, event_id in view.stop_event_ids if known == kind)
