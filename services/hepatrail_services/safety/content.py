"""What an alert says (`safety.md` 6.2): of an adverse event as it stood, or of the participant alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.safety_desk import AlertChange, AlertClock, AlertContent, AlertType, Priority
from hepatrail_projections.adverse_event import session_before, session_starts
from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.facts import SubjectView
from hepatrail_services.safety.changes import causality_of
from hepatrail_services.safety.lifecycle import Standing, flags

_CENT = Decimal("0.01")
_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Occasion:
    """What raises alerts, a commit or an instant: when, by whom, and the participant as known then.

    `zone` is the sites' time zone. `late`: passing time raises it, and long after its instant; None of what is not.
    """

    raised_at: datetime
    commit_id: UUID
    reporter_id: str
    view: SubjectView
    zone: ZoneInfo
    late: bool | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What kind of alert it is, and what it says beside the state of things."""

    alert_id: UUID
    type: AlertType
    priority: Priority
    also: tuple[AlertType, ...] = ()
    """Further types that apply."""
    changes: tuple[AlertChange, ...] = ()
    detail: str | None = None


def adverse_event_content(
    occasion: Occasion, heading: Heading, standing: Standing, clocks: Sequence[Clock], clocks_at: datetime
) -> AlertContent:
    """An alert about an adverse event; `clocks` are its reporting clocks, shown as they stand at `clocks_at`."""
    fact, reported, found = standing.fact, standing.fact.reported, standing.found
    session_id, since_start, since_end = _session_of(occasion, standing)
    return AlertContent(
        alert_id=heading.alert_id,
        type=heading.type,
        priority=heading.priority,
        reasons=(heading.type, *heading.also, *flags(standing)),
        raised_at=occasion.raised_at,
        commit_id=occasion.commit_id,
        reporter_id=occasion.reporter_id,
        subject_id=occasion.view.subject_id,
        site_id=occasion.view.site_id,
        ae_id=reported.ae_id,
        ae_version=fact.version,
        code=reported.code,
        verbatim=reported.verbatim,
        grade=fact.current_grade(occasion.zone),
        max_grade=fact.max_grade,
        criteria=fact.criteria,
        outcome=fact.outcome,
        onset=reported.onset,
        teae=found.emergence.teae,
        session_id=session_id,
        hours_from_session_start=since_start,
        hours_from_session_end=since_end,
        action_taken=fact.action_taken,
        causality=causality_of(fact),
        expectedness=fact.expectedness,
        susar=found.predicates.susar,
        provisional=found.predicates.provisional,
        aware_at=fact.serious_aware_at or reported.aware_at,
        clocks=tuple(
            AlertClock(type=clock.type, due_at=clock.due_at, status=clock.status(clocks_at)) for clock in clocks
        ),
        changes=heading.changes,
        detail=heading.detail,
        late=occasion.late,
    )


def participant_content(
    occasion: Occasion,
    heading: Heading,
    *,
    aware_at: datetime | None = None,
    session_id: UUID | None = None,
    grade: int | None = None,
) -> AlertContent:
    """An alert about a participant that belongs to no adverse event."""
    return AlertContent(
        alert_id=heading.alert_id,
        type=heading.type,
        priority=heading.priority,
        reasons=(heading.type, *heading.also),
        raised_at=occasion.raised_at,
        commit_id=occasion.commit_id,
        reporter_id=occasion.reporter_id,
        subject_id=occasion.view.subject_id,
        site_id=occasion.view.site_id,
        grade=grade,
        session_id=session_id,
        aware_at=aware_at,
        changes=heading.changes,
        detail=heading.detail,
        late=occasion.late,
    )


def _session_of(occasion: Occasion, standing: Standing) -> tuple[UUID | None, str | None, str | None]:
    """The latest session started by onset, and the hours from its start and its end to an onset known to the minute."""
    sessions, onset = occasion.view.sessions, standing.fact.reported.onset
    session_id = session_before(session_starts(sessions, occasion.zone), onset, occasion.zone)
    if session_id is None or onset.instant is None:
        return session_id, None, None
    session = sessions[session_id]
    since_end = None if session.ended_at is None else _hours(session.ended_at, onset.instant)
    return session_id, _hours(session.started.started_at, onset.instant), since_end


def _hours(begin: datetime, onset: datetime) -> str:
    """Hours to two decimals, by the minute as onset is; negative when onset lies before `begin`, a session's end."""
    hours = Decimal((onset - begin.replace(second=0, microsecond=0)).total_seconds()) / _SECONDS_AN_HOUR
    return f"{hours.quantize(_CENT, ROUND_HALF_EVEN) + 0:f}"
