"""One participant as the clinical derivations read it, under one protocol version: computed once a derivation.

Decided here, because the reference leaves room: a death of which only the day, month or year is known stands, where
an instant is needed, at the last moment that it can have been, and not after the site knew of it.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import WithdrawalScope
from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.clinical.assignment import Assigned, Assignment, assign
from hepatrail_projections.clinical.calendar import end_of_day, site_zone
from hepatrail_projections.clinical.inputs import Cause, Session, Stop
from hepatrail_projections.clinical.visits import VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window, anchor, windows
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.study_view import PublishedProtocol


@dataclass(frozen=True, slots=True)
class ClinicalState:
    """Sessions that are not void, stops, anchor, windows and the assignment of every observation."""

    published: PublishedProtocol
    zone: ZoneInfo
    sessions: tuple[Session, ...]
    stops: tuple[Stop, ...]
    anchored: Anchor | None
    windows: tuple[Window, ...]
    assignment: Assignment
    assigned: Mapping[UUID, Assigned]
    used: frozenset[UUID]

    @property
    def plan(self) -> VisitPlan:
        """The plan of visits of the protocol version."""
        return self.published.plan


def clinical_state(view: SubjectView, published: PublishedProtocol) -> ClinicalState:
    """The state under a protocol version."""
    plan = published.plan
    zone = site_zone(plan.zone)
    sessions = tuple(
        Session(session_id, fact.started.started_at, fact.ended_at, fact.event_ids)
        for session_id, fact in view.sessions.items()
        if fact.voided is None
    )
    stops = _stops(view, zone)
    death = next((stop for stop in stops if stop.cause == "DEATH"), None)
    anchored = anchor(sessions, plan, death)
    opened = windows(anchored, plan)
    assignment = assign(
        [fact.observation for fact in view.results.values() if fact.voided is None], opened, anchored, plan
    )
    return ClinicalState(
        published=published,
        zone=zone,
        sessions=sessions,
        stops=stops,
        anchored=anchored,
        windows=opened,
        assignment=assignment,
        assigned={
            each.observation.result_id: each
            for point in assignment.points.values()
            for candidates in point.candidates.values()
            for each in candidates
        },
        used=frozenset(
            each.observation.result_id for point in assignment.points.values() for each in point.used.values()
        ),
    )


def latest_moment(when: PartialDate, known_by: datetime, zone: ZoneInfo) -> datetime:
    """The last instant that a partial date can mean, not later than `known_by`."""
    if when.instant is not None:
        return when.instant
    if when.precision is Precision.UNKNOWN or when.value is None:
        return known_by
    parts = [int(part) for part in when.value.split("-")]
    month = parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else monthrange(parts[0], month)[1]
    return min(known_by, end_of_day(date(parts[0], month, day), zone))


def _stops(view: SubjectView, zone: ZoneInfo) -> tuple[Stop, ...]:
    ids: dict[str, list[UUID]] = {}
    for kind, event_id in view.stop_event_ids:
        ids.setdefault(kind, []).append(event_id)
    stops: list[Stop] = []
    if view.death is not None:
        time = latest_moment(view.death.death_at, view.death.aware_at, zone)
        stops.append(Stop("DEATH", time, event_ids=tuple(ids["DEATH"])))
    for event, event_id in zip(view.withdrawals, ids.get("WITHDRAWAL", ()), strict=True):
        treatment_only = event.scope is WithdrawalScope.TREATMENT_ONLY
        cause: Cause = "NOT_TREATED" if treatment_only else "WITHDRAWAL"
        stops.append(Stop(cause, event.withdrawn_at, event.vital_status_allowed, (event_id,)))
    if view.consent_withdrawn_at is not None:
        stops.append(Stop("NOT_TREATED", view.consent_withdrawn_at, event_ids=tuple(ids["CONSENT"])))
    if view.screen_failed_at is not None:
        stops.append(Stop("NOT_TREATED", view.screen_failed_at, event_ids=tuple(ids["SCREENING"])))
    return tuple(stops)
