"""Queries of the whole trial, and those that one commit opened, from one snapshot of the tables.

The tables stand, for each participant, under the protocol version at the later end of the study's stream and theirs.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from hepatrail_events.codec import Recorded
from hepatrail_events.enrolment import SubjectEnrolled
from hepatrail_events.streams import subject_of
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.data_query import DATA_QUERY, QueryFilter, QueryRow, queries_after
from hepatrail_projections.event import events_of, places_of
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.enrolment import over_planned, with_what_was_said
from hepatrail_projections.queries.rows import query_rows
from hepatrail_projections.stream_head import version_of
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.table import Connection

_MENDING = ("Corrected", "Voided")


async def queries_of_trial(
    connection: Connection,
    study: StudyView,
    at: datetime,
    after: tuple[str, UUID] | None,
    chosen: QueryFilter,
    limit: int,
) -> list[QueryRow]:
    """Queries that have opened by an instant, behind (participant, query), in that order; ENR-05 included."""
    among = None if chosen.subject_id is None else [chosen.subject_id]
    enrolments = {row.query_id: row for row in (await over_planned(connection, study.published_at(at), among)).values()}
    found = await queries_after(connection, after, chosen, at, limit, enrolments)
    if not enrolments:
        return found
    said = {row.query_id: row for row in await DATA_QUERY.where(connection, "query_id = ANY ($1)", list(enrolments))}
    asked = (with_what_was_said(row, said.get(query_id)) for query_id, row in enrolments.items())
    late = [row for row in asked if chosen.admits(row) and (after is None or _place(row) > after)]
    return sorted((*found, *late), key=_place)[:limit]


async def opened_by_commit(
    connection: Connection, study: StudyView, stream: str, event_ids: Sequence[UUID]
) -> tuple[QueryRow, ...]:
    """The queries that were open after the commit of these events and would not have been without it.

    Both sides are looked at under the protocol and at the instant of the commit, so that no passing of time counts.
    What is projected of the stream ends with the commit as a rule: then one that adds facts, and on which no stored
    query depends, costs three small statements. What a correction or a void takes away may open a query that does not
    depend on it any more, so these are always looked at.
    """
    subject_id, placed = subject_of(stream), await places_of(connection, stream, event_ids)
    if subject_id is None or not placed:
        return ()
    first, last, at = placed[0].streamseq, placed[-1].streamseq, placed[-1].recorded_at
    published = study.published_at(at)
    enrolment: QueryRow | None = None
    if any(each.type == SubjectEnrolled.type_name() for each in placed):
        enrolment = (await over_planned(connection, published, [subject_id])).get(subject_id)
    adds = not any(each.type.endswith(_MENDING) for each in placed)
    if adds and await version_of(connection, stream) == last:
        known = await _depending_on(connection, subject_id, event_ids)
        if not known:
            return () if enrolment is None else (enrolment,)
    events = [each for each in await events_of(connection, stream) if each.envelope.streamseq <= last]
    before = [each for each in events if each.envelope.streamseq < first]
    open_before = {row.query_id for row in _open_at(subject_id, before, published, at)}
    opened = [row for row in _open_at(subject_id, events, published, at) if row.query_id not in open_before]
    return (*opened, *(() if enrolment is None else (enrolment,)))


async def _depending_on(connection: Connection, subject_id: str, event_ids: Sequence[UUID]) -> list[QueryRow]:
    return await DATA_QUERY.where(
        connection, "subject_id = $1 AND event_ids && $2::uuid[]", subject_id, list(event_ids)
    )


def _open_at(
    subject_id: str, events: Sequence[Recorded], published: PublishedProtocol | None, at: datetime
) -> list[QueryRow]:
    view: SubjectView = fold_all(subject_id, events)
    state = None if published is None else clinical_state(view, published)
    return [row for row in query_rows(view, state) if row.is_open_at(at)]


def _place(row: QueryRow) -> tuple[str, UUID]:
    return row.subject_id, row.query_id
