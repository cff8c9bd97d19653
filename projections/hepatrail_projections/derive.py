"""From the view of a participant to rows: pure, the one derivation of live, as-of and rebuild."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from hepatrail_projections.adverse_event import (
    ADVERSE_EVENT,
    COUNTED_ADVERSE_EVENT,
    AdverseEventRow,
    CountedAdverseEvent,
    adverse_event_rows,
)
from hepatrail_projections.assessment import ASSESSMENT, AssessmentRow, assessment_rows
from hepatrail_projections.baseline_condition import (
    BASELINE_CONDITION,
    BaselineConditionRow,
    baseline_condition_rows,
)
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.data_query import DATA_QUERY, QueryRow
from hepatrail_projections.device_deficiency import DEVICE_DEFICIENCY, DeviceDeficiencyRow, device_deficiency_rows
from hepatrail_projections.exposure import EXPOSURE, ExposureRow, exposure_row
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.lab_result import LAB_RESULT, LAB_VALUE, LabResultRow, LabValue, lab_result_rows
from hepatrail_projections.medication import MEDICATION, MedicationRow, medication_rows
from hepatrail_projections.narrative import NARRATIVE, NarrativeRow, narrative_rows
from hepatrail_projections.procedure import PROCEDURE, ProcedureRow, procedure_rows
from hepatrail_projections.queries.rows import query_rows
from hepatrail_projections.reporting_clock import REPORTING_CLOCK, ReportingClockRow, reporting_clock_rows
from hepatrail_projections.safety_finding import SAFETY_FINDING, SafetyFindingRow, safety_finding_rows
from hepatrail_projections.score import SCORE, SCORE_VALUE, ScoreRow, ScoreValue, score_rows
from hepatrail_projections.session import SESSION, SessionRow, session_rows
from hepatrail_projections.sponsor_notification import (
    SPONSOR_NOTIFICATION,
    SponsorNotificationRow,
    sponsor_notification_rows,
)
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject import SUBJECT, SubjectRow, subject_row
from hepatrail_projections.submission import SUBMISSION, SubmissionRow, submission_rows
from hepatrail_projections.table import Table
from hepatrail_projections.visit import VISIT, VisitRow, visit_rows

Derived = TypeVar("Derived", bound="OutcomeRows")


@dataclass(frozen=True, slots=True)
class OutcomeRows:
    """What the outcomes of the trial are made of, of one participant; `OUTCOME_PARTS` names the table of each."""

    subject: SubjectRow
    sessions: tuple[SessionRow, ...]
    lab_results: tuple[LabValue, ...]
    scores: tuple[ScoreValue, ...]
    adverse_events: tuple[CountedAdverseEvent, ...]
    assessments: tuple[AssessmentRow, ...]


@dataclass(frozen=True, slots=True)
class SubjectRows(OutcomeRows):
    """Everything that is derived of one participant; `PARTS` names the table of each."""

    lab_results: tuple[LabResultRow, ...]
    scores: tuple[ScoreRow, ...]
    adverse_events: tuple[AdverseEventRow, ...]
    exposure: ExposureRow
    visits: tuple[VisitRow, ...]
    medications: tuple[MedicationRow, ...]
    procedures: tuple[ProcedureRow, ...]
    baseline_conditions: tuple[BaselineConditionRow, ...]
    notifications: tuple[SponsorNotificationRow, ...]
    submissions: tuple[SubmissionRow, ...]
    narratives: tuple[NarrativeRow, ...]
    deficiencies: tuple[DeviceDeficiencyRow, ...]
    clocks: tuple[ReportingClockRow, ...]
    queries: tuple[QueryRow, ...]
    findings: tuple[SafetyFindingRow, ...]

    def by_table(self) -> Iterator[tuple[Table[Any], tuple[Any, ...]]]:
        """The rows with the table of each."""
        for part in PARTS:
            rows = getattr(self, part.name)
            yield part.table, (rows,) if part.single else rows


@dataclass(frozen=True, slots=True)
class Part:
    """A field of `SubjectRows`: its table, and the columns by which a participant's rows are ordered, never NULL.

    `single`: it holds one row a participant, not a list.
    """

    name: str
    table: Table[Any]
    order: tuple[str, ...] = ("streamseq",)
    single: bool = False


PARTS: tuple[Part, ...] = (
    Part("subject", SUBJECT, ("subject_id",), single=True),
    Part("sessions", SESSION, ("started_at", "streamseq")),
    Part("exposure", EXPOSURE, ("subject_id",), single=True),
    Part("lab_results", LAB_RESULT, ("streamseq", "row_index")),
    Part("scores", SCORE, ("score_id", "ordinal")),
    Part("visits", VISIT, ("ordinal",)),
    Part("adverse_events", ADVERSE_EVENT, ("reported_at", "ae_id")),
    Part("assessments", ASSESSMENT),
    Part("medications", MEDICATION),
    Part("procedures", PROCEDURE),
    Part("baseline_conditions", BASELINE_CONDITION),
    Part("notifications", SPONSOR_NOTIFICATION),
    Part("submissions", SUBMISSION),
    Part("narratives", NARRATIVE),
    Part("deficiencies", DEVICE_DEFICIENCY),
    Part("clocks", REPORTING_CLOCK, ("due_at", "clock_id")),
    Part("queries", DATA_QUERY, ("query_id",)),
    Part("findings", SAFETY_FINDING, ("finding_id",)),
)

_IN_PART: dict[str, Table[Any]] = {each.name: each for each in (LAB_VALUE, SCORE_VALUE, COUNTED_ADVERSE_EVENT)}

OUTCOME_PARTS: tuple[Part, ...] = tuple(
    replace(part, table=_IN_PART.get(part.table.name, part.table))
    for part in PARTS
    if part.name in OutcomeRows.__slots__
)
"""The parts of `OutcomeRows`, with no more columns than it has."""

SUBJECT_TABLES: tuple[Table[Any], ...] = tuple(part.table for part in PARTS)


def derive(
    view: SubjectView,
    study: StudyView,
    at: datetime,
    before: tuple[SubjectView, SubjectRows] | None = None,
) -> SubjectRows:
    """The rows of a participant under the protocol version in force at `at` (aware); nothing else looks at the time.

    Without a published protocol there are neither visits nor scores. `before` is what was derived of an earlier
    event of the same stream: the answer is the same, and sooner.
    """
    published = study.published_at(at)
    state = None if published is None else clinical_state(view, published)
    known_results = None if before is None else (before[0], before[1].lab_results)
    known_clocks = None if before is None else (before[0], before[1].subject.protocol_version, before[1].clocks)
    rows = SubjectRows(
        subject=subject_row(view, state),
        sessions=session_rows(view, published),
        lab_results=lab_result_rows(view, state, known_results),
        scores=() if state is None else score_rows(view, state),
        adverse_events=adverse_event_rows(view, state),
        assessments=assessment_rows(view, state),
        exposure=exposure_row(view, published),
        visits=() if state is None else visit_rows(view, state),
        medications=medication_rows(view),
        procedures=procedure_rows(view),
        baseline_conditions=baseline_condition_rows(view),
        notifications=sponsor_notification_rows(view),
        submissions=submission_rows(view),
        narratives=narrative_rows(view),
        deficiencies=device_deficiency_rows(view),
        clocks=reporting_clock_rows(view, study, at, known_clocks),
        queries=query_rows(view, state),
        findings=safety_finding_rows(view, state),
    )
    return _in_order(rows, PARTS)


def derive_outcome_rows(view: SubjectView, study: StudyView, at: datetime) -> OutcomeRows:
    """The part of `derive`'s answer that outcomes need, in half the time."""
    published = study.published_at(at)
    state = None if published is None else clinical_state(view, published)
    rows = OutcomeRows(
        subject=subject_row(view, state),
        sessions=session_rows(view, published),
        lab_results=lab_result_rows(view, state),
        scores=() if state is None else score_rows(view, state),
        adverse_events=adverse_event_rows(view, state),
        assessments=assessment_rows(view, state),
    )
    return _in_order(rows, OUTCOME_PARTS)


def _in_order(rows: Derived, parts: Iterable[Part]) -> Derived:
    """As the tables give them back, so that derived and stored rows are the same."""
    lists: dict[str, Any] = {
        part.name: tuple(sorted(getattr(rows, part.name), key=attrgetter(*part.order)))
        for part in parts
        if not part.single
    }
    return replace(rows, **lists)


def stored_at(view: SubjectView, study: StudyView) -> datetime:
    """The instant under whose protocol version the rows in the tables stand: the later end of the two streams.

    It depends on the log alone, so that two builds agree; a version that takes effect later, without any event, is
    derived when it is read.
    """
    assert view.recorded_at is not None, "a view without event has no rows"
    return view.recorded_at if study.recorded_at is None else max(view.recorded_at, study.recorded_at)
