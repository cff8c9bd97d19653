"""From the view of a participant to rows: pure, the one derivation of live, as-of and rebuild."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hepatrail_projections.adverse_event import ADVERSE_EVENT, AdverseEventRow, adverse_event_rows
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.data_query import DATA_QUERY, QueryRow
from hepatrail_projections.exposure import EXPOSURE, ExposureRow, exposure_row
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.lab_result import LAB_RESULT, LabResultRow, lab_result_rows
from hepatrail_projections.query_rules import query_rows
from hepatrail_projections.score import SCORE, ScoreRow, score_rows
from hepatrail_projections.session import SESSION, SessionRow, session_rows
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject import SUBJECT, SubjectRow, subject_row
from hepatrail_projections.table import Table
from hepatrail_projections.visit import VISIT, VisitRow, visit_rows


@dataclass(frozen=True, slots=True)
class SubjectRows:
    """Everything that is derived of one participant."""

    subject: SubjectRow
    sessions: tuple[SessionRow, ...]
    exposure: ExposureRow
    lab_results: tuple[LabResultRow, ...]
    scores: tuple[ScoreRow, ...]
    visits: tuple[VisitRow, ...]
    adverse_events: tuple[AdverseEventRow, ...]
    queries: tuple[QueryRow, ...]

    def by_table(self) -> Iterator[tuple[Table[Any], tuple[Any, ...]]]:
        """The rows with the table of each."""
        yield SUBJECT, (self.subject,)
        yield SESSION, self.sessions
        yield EXPOSURE, (self.exposure,)
        yield LAB_RESULT, self.lab_results
        yield SCORE, self.scores
        yield VISIT, self.visits
        yield ADVERSE_EVENT, self.adverse_events
        yield DATA_QUERY, self.queries


SUBJECT_TABLES: tuple[Table[Any], ...] = (
    SUBJECT,
    SESSION,
    EXPOSURE,
    LAB_RESULT,
    SCORE,
    VISIT,
    ADVERSE_EVENT,
    DATA_QUERY,
)


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
    return SubjectRows(
        subject=subject_row(view, state),
        sessions=session_rows(view, published),
        exposure=exposure_row(view, published),
        lab_results=lab_result_rows(view, state, None if before is None else (before[0], before[1].lab_results)),
        scores=() if state is None else score_rows(view, state),
        visits=() if state is None else visit_rows(view, state),
        adverse_events=adverse_event_rows(view, state),
        queries=query_rows(view, state),
    )


def stored_at(view: SubjectView, study: StudyView) -> datetime:
    """The instant under whose protocol version the rows in the tables stand: the later end of the two streams.

    It depends on the log alone, so that two builds agree; a version that takes effect later, without any event, is
    derived when it is read.
    """
    assert view.recorded_at is not None, "a view without event has no rows"
    return view.recorded_at if study.recorded_at is None else max(view.recorded_at, study.recorded_at)
