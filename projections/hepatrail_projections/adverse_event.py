"""`adverse_event`: an adverse event in its latest state (`safety.md` sections 4 and 9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Outcome
from hepatrail_events.ae_terms import is_special_interest
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import AdverseEventFact, SessionFact, SubjectView
from hepatrail_projections.partial_dates import civil_minute, known_parts, order_key
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class AdverseEventRow:
    """One adverse event.

    `state` is OPEN, RESOLVED or FATAL. `grades` is the timeline `{grade, gradeAt, eventId}` in the log's order;
    `current_grade` the one of the greatest `gradeAt`, `max_grade` the greatest of all. `criteria` is
    `{INVESTIGATOR: [...], SPONSOR: [...]}`, `serious` whether their union is not empty. `related_session_id` is the
    latest session started at or before onset, `aesi` whether the code is on the trial's list of special interest.
    Dates may be partial (`{value, precision}`), `verbatim` is sealed.
    """

    subject_id: str
    ae_id: UUID
    ae_version: int
    reported_at: datetime
    code: str
    ctcae_term: str | None
    verbatim: Json
    onset: Json
    end_at: Json | None
    aware_at: datetime
    state: str
    current_grade: int | None
    max_grade: int | None
    grades: Json
    criteria: Json
    serious: bool
    ever_serious: bool
    serious_since: Json | None
    aesi: bool
    outcome: str
    action_taken: str
    reporter: str
    reporter_id: str
    age_years: int | None
    causality: Json
    baseline_condition_id: UUID | None
    recurrence_of: UUID | None
    replaces: UUID | None
    onset_before_first_session: bool | None
    related_session_id: UUID | None
    ongoing_at_death: bool
    protocol_version: str | None
    event_ids: tuple[UUID, ...]


ADVERSE_EVENT = Table("adverse_event", AdverseEventRow, ("subject_id", "ae_id"), indexes=("(ae_id)",))

_UTC = ZoneInfo("UTC")
_ENDED = frozenset({Outcome.RECOVERED, Outcome.RECOVERED_WITH_SEQUELAE})


def adverse_event_rows(view: SubjectView, state: ClinicalState | None) -> tuple[AdverseEventRow, ...]:
    """All adverse events in the order in which they were reported."""
    zone = _UTC if state is None else state.zone
    version = None if state is None else state.published.version
    return tuple(_row(view, fact, zone, version) for fact in view.adverse_events.values())


def state_of(fact: AdverseEventFact) -> str:
    """OPEN, RESOLVED or FATAL."""
    if fact.outcome is Outcome.FATAL:
        return "FATAL"
    return "RESOLVED" if fact.outcome in _ENDED else "OPEN"


def session_before(sessions: Mapping[UUID, SessionFact], onset: PartialDate, zone: ZoneInfo) -> UUID | None:
    """The latest session that is not void and started at or before onset, compared at the coarser precision."""
    known = known_parts(onset)
    if known == 0:
        return None
    began = order_key(onset, zone)[:known]
    before = [
        (fact.started.started_at, session_id)
        for session_id, fact in sessions.items()
        if fact.voided is None and civil_minute(fact.started.started_at, zone)[:known] <= began
    ]
    return max(before, default=(datetime.min.replace(tzinfo=UTC), None))[1]


def _row(view: SubjectView, fact: AdverseEventFact, zone: ZoneInfo, version: str | None) -> AdverseEventRow:
    reported = fact.reported
    return AdverseEventRow(
        subject_id=view.subject_id,
        ae_id=reported.ae_id,
        ae_version=fact.version,
        reported_at=fact.reported_at,
        code=reported.code,
        ctcae_term=reported.ctcae_term,
        verbatim=reported.verbatim.payload(),
        onset=reported.onset.payload(),
        end_at=None if fact.end_at is None else fact.end_at.payload(),
        aware_at=reported.aware_at,
        state=state_of(fact),
        current_grade=fact.current_grade(zone),
        max_grade=fact.max_grade,
        grades=[
            {
                "grade": point.grade,
                "gradeAt": None if point.grade_at is None else point.grade_at.payload(),
                "eventId": str(point.event_id),
            }
            for point in fact.grades
        ],
        criteria={
            "INVESTIGATOR": [criterion.value for criterion in fact.of_investigator],
            "SPONSOR": [criterion.value for criterion in fact.of_sponsor],
        },
        serious=fact.serious,
        ever_serious=fact.ever_serious,
        serious_since=None if fact.serious_since is None else fact.serious_since.payload(),
        aesi=is_special_interest(reported.code),
        outcome=fact.outcome.value,
        action_taken=reported.action_taken.value,
        reporter=reported.reporter,
        reporter_id=fact.reporter_id,
        age_years=reported.age_years,
        causality=[statement.payload() for statement in reported.causality],
        baseline_condition_id=reported.baseline_condition_id,
        recurrence_of=reported.recurrence_of,
        replaces=reported.replaces,
        onset_before_first_session=reported.onset_before_first_session,
        related_session_id=session_before(view.sessions, reported.onset, zone),
        ongoing_at_death=view.death is not None and state_of(fact) == "OPEN",
        protocol_version=version,
        event_ids=fact.event_ids,
    )
