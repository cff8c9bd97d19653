"""One participant's rows: from the tables, or derived anew where the tables cannot answer."""

from datetime import datetime

from hepatrail_events.streams import subject_stream
from hepatrail_projections.adverse_event import ADVERSE_EVENT
from hepatrail_projections.data_query import DATA_QUERY
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.event import events_of
from hepatrail_projections.exposure import EXPOSURE
from hepatrail_projections.lab_result import LAB_RESULT
from hepatrail_projections.score import SCORE
from hepatrail_projections.session import SESSION
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject import SUBJECT, SubjectRow
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.table import Connection
from hepatrail_projections.visit import VISIT


async def rows_of(
    connection: Connection, subject_id: str, study: StudyView, as_of: datetime | None, now: datetime
) -> SubjectRows | None:
    """The rows now, or as of an instant; None when nothing was recorded until then.

    The tables stand under the protocol version of the last event; when another has taken effect since, the rows are
    derived anew. Queries that open later than the instant are left out.
    """
    at = as_of or now
    rows = await stored_rows(connection, subject_id) if as_of is None else None
    if as_of is None and rows is None:
        return None
    published = study.published_at(at)
    if rows is None or rows.subject.protocol_version != (None if published is None else published.version):
        events = await events_of(connection, subject_stream(subject_id), as_of)
        if not events:
            return None
        rows = derive(fold_all(subject_id, events), study, at)
    return open_at(rows, at)


def open_at(rows: SubjectRows, at: datetime) -> SubjectRows:
    """The rows with the queries that are open at the instant."""
    queries = tuple(row for row in rows.queries if row.opens_at is None or row.opens_at <= at)
    return SubjectRows(
        rows.subject,
        rows.sessions,
        rows.exposure,
        rows.lab_results,
        rows.scores,
        rows.visits,
        rows.adverse_events,
        queries,
    )


async def stored_rows(connection: Connection, subject_id: str) -> SubjectRows | None:
    """What the tables hold of a participant, each list in the order of its derivation but for queries, by id."""
    subjects: list[SubjectRow] = await SUBJECT.where(connection, "subject_id = $1", subject_id)
    if not subjects:
        return None
    of_subject = "subject_id = $1"
    exposures = await EXPOSURE.where(connection, of_subject, subject_id)
    return SubjectRows(
        subject=subjects[0],
        sessions=tuple(await SESSION.where(connection, of_subject, subject_id, order="started_at, session_id")),
        exposure=exposures[0],
        lab_results=tuple(await LAB_RESULT.where(connection, of_subject, subject_id, order="streamseq, row_index")),
        scores=tuple(await SCORE.where(connection, of_subject, subject_id, order="score_id, ordinal")),
        visits=tuple(await VISIT.where(connection, of_subject, subject_id, order="ordinal")),
        adverse_events=tuple(await ADVERSE_EVENT.where(connection, of_subject, subject_id, order="reported_at, ae_id")),
        queries=tuple(await DATA_QUERY.where(connection, of_subject, subject_id)),
    )
