"""One participant as the clinical derivations read it, under one protocol version: computed once a derivation.

What stops and reduces is decided in `clinical_stops.py`. Assessments of adverse events and of survival are
observations with the codes `AE` and `SURV`, known by the id of their event; a survival status of UNKNOWN is one that
was not done.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import AEAssessmentDone, SurvivalStatusRecorded, VitalStatus
from hepatrail_projections.clinical.assignment import Assigned, Assignment, assign
from hepatrail_projections.clinical.auxiliary import AuxiliaryPoint, auxiliary_points, by_start
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.inputs import Collected, Observation, Session, Stop
from hepatrail_projections.clinical.visits import AE_ITEM, SURVIVAL_ITEM, VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window, anchor, during_session, windows
from hepatrail_projections.clinical_stops import latest_moment, stops_of
from hepatrail_projections.corrections import Record
from hepatrail_projections.facts import Assessment, SubjectView
from hepatrail_projections.study_view import PublishedProtocol

__all__ = ["ClinicalState", "clinical_state", "latest_moment"]


@dataclass(frozen=True, slots=True)
class ClinicalState:
    """Sessions that are not void, stops, anchor, windows and the assignment of every observation.

    `auxiliary` are the points beside the main schedule; what they have is in `assignment.auxiliary`. `assigned` and
    `used` are of main points: every usable observation's place by its id, and the ids of those that count there.
    """

    published: PublishedProtocol
    zone: ZoneInfo
    sessions: tuple[Session, ...]
    stops: tuple[Stop, ...]
    anchored: Anchor | None
    windows: tuple[Window, ...]
    assignment: Assignment
    assigned: Mapping[UUID, Assigned]
    used: frozenset[UUID]
    auxiliary: tuple[AuxiliaryPoint, ...] = ()

    @property
    def plan(self) -> VisitPlan:
        """The plan of visits of the protocol version."""
        return self.published.plan

    @property
    def t_last(self) -> datetime | None:
        """Tlast: the end of the latest session, None before and while it runs."""
        return None if self.anchored is None else self.anchored.t_last

    @property
    def later_sessions(self) -> tuple[Session, ...]:
        """The sessions after the first, in the order of their starts."""
        return tuple(by_start(self.sessions)[1:])

    def during_session(self, observation: Observation) -> bool:
        """Whether it was observed while a later session ran (`visits.md` section 2.1); never known of a date alone."""
        return during_session(observation.collected, self.later_sessions)


def clinical_state(view: SubjectView, published: PublishedProtocol) -> ClinicalState:
    """The state under a protocol version."""
    plan = published.plan
    zone = site_zone(plan.zone)
    sessions = tuple(
        Session(session_id, fact.started.started_at, fact.ended_at, fact.event_ids)
        for session_id, fact in view.sessions.items()
        if fact.voided is None
    )
    t0 = min((session.started_at for session in sessions), default=None)
    stops = stops_of(view, t0, zone)
    death = next((stop for stop in stops if stop.cause == "DEATH"), None)
    anchored = anchor(sessions, plan, death)
    opened = windows(anchored, plan)
    auxiliary = auxiliary_points(sessions, anchored, plan, death)
    assignment = assign(_observations(view), opened, anchored, plan, auxiliary)
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
        auxiliary=auxiliary,
    )


def _observations(view: SubjectView) -> Iterator[Observation]:
    """The results and the assessments that are not void, each in the log's order."""
    yield from (fact.observation for fact in view.results.values() if fact.voided is None)
    for event_id, record in view.assessments.items():
        if record.voided is None:
            yield from _assessment(event_id, record)


def _assessment(event_id: UUID, record: Record[Assessment]) -> Iterator[Observation]:
    match record.fact:
        case AEAssessmentDone() as fact:
            yield _observation(AE_ITEM, fact.any_new.value, fact, event_id, record)
        case SurvivalStatusRecorded() as fact:
            yield _observation(SURVIVAL_ITEM, fact.alive.value, fact, event_id, record)
        case _:
            return


def _observation(
    code: str,
    value: str,
    fact: AEAssessmentDone | SurvivalStatusRecorded,
    event_id: UUID,
    record: Record[Assessment],
) -> Observation:
    unknown = VitalStatus.UNKNOWN.value
    return Observation(
        result_id=event_id,
        event_id=record.event_ids[0],
        sample_id=None,
        code=code,
        value=value,
        comparator=None,
        unit=None,
        collected=Collected(fact.at),
        visit_code=fact.visit_code,
        pre_session=None,
        not_done=unknown if value == unknown else None,
        accepted=True,
        further_event_ids=record.event_ids[1:],
    )
