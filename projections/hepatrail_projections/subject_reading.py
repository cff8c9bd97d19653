"""Participants' rows: from the tables, or derived anew where the tables cannot answer.

`rows_of` asks one statement a table, one more for those whose rows must be derived and one for their number among all
that were enrolled (ENR-05), whatever their number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from hepatrail_events.codec import Recorded
from hepatrail_events.streams import subject_stream
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.data_query import QueryRow
from hepatrail_projections.derive import (
    OUTCOME_PARTS,
    PARTS,
    OutcomeRows,
    Part,
    SubjectRows,
    derive,
    derive_outcome_rows,
)
from hepatrail_projections.event import events_of_many
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.enrolment import asked_when_read, over_planned
from hepatrail_projections.score import ScoreRow, scores_at
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_projections.subject import SUBJECT
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.table import Connection


@dataclass(frozen=True, slots=True)
class Course:
    """A participant's folded events under a protocol version (None: none in force): for what no table can hold."""

    view: SubjectView
    published: PublishedProtocol | None

    def scores_at(self, at: datetime) -> tuple[ScoreRow, ...]:
        """Every score of the protocol at any moment (aware); none without a protocol."""
        if self.published is None:
            return ()
        return scores_at(self.view, clinical_state(self.view, self.published), at)


@dataclass(frozen=True, slots=True)
class Derived:
    """One participant's rows; `course` is there when it was asked for."""

    rows: SubjectRows
    course: Course | None = None


async def rows_of(
    connection: Connection,
    subject_ids: Sequence[str],
    study: StudyView,
    as_of: datetime | None,
    now: datetime,
    *,
    courses: bool = False,
) -> dict[str, Derived]:
    """The rows of participants now, or as of an instant; one of whom nothing was recorded until then is left out.

    The tables stand under the protocol version of the last event; when another has taken effect since, the rows are
    derived anew. Queries that open later than the instant are left out, ENR-05 is added. `courses`: whether they
    are wanted too.
    """
    at = as_of or now
    published = study.published_at(at)
    version = None if published is None else published.version
    stored = await stored_rows(connection, subject_ids) if as_of is None else {}
    wanted = stored if as_of is None else subject_ids
    stale = [each for each in wanted if each not in stored or stored[each].subject.protocol_version != version]
    views = await _views(connection, wanted if courses else stale, as_of)
    derived = {each: derive(views[each], study, at) for each in stale if each in views}
    found = stored | derived
    enrolled = [each for each, rows in found.items() if rows.subject.enrolled_at is not None]
    too_many = await over_planned(connection, published, enrolled) if enrolled else {}
    return {
        each: Derived(open_at(rows, at, too_many.get(each)), Course(views[each], published) if courses else None)
        for each, rows in found.items()
    }


def open_at(rows: SubjectRows, at: datetime, one_too_many: QueryRow | None = None) -> SubjectRows:
    """The rows with the queries and findings that have opened by the instant, and with the one about the enrolment."""
    queries = tuple(row for row in rows.queries if row.exists_at(at))
    findings = tuple(row for row in rows.findings if row.exists_at(at))
    return replace(rows, queries=asked_when_read(queries, one_too_many), findings=findings)


async def outcome_rows_of(
    connection: Connection, subject_ids: Sequence[str], study: StudyView, as_of: datetime | None, now: datetime
) -> dict[str, OutcomeRows]:
    """As `rows_of`, only what outcomes are made of.

    That depends on nothing but the participant's events and the protocol version, so that the tables also answer for an
    instant since which nothing was recorded of a participant.
    """
    at = as_of or now
    published = study.published_at(at)
    version = None if published is None else published.version
    subjects = {
        row.subject_id: row for row in await SUBJECT.where(connection, "subject_id = ANY($1)", list(subject_ids))
    }
    standing = [
        each
        for each, row in subjects.items()
        if row.protocol_version == version and (as_of is None or row.recorded_at <= as_of)
    ]
    others = [part for part in OUTCOME_PARTS if part.table is not SUBJECT]
    stored = await _stored(connection, standing, others)
    views = await _views(connection, [each for each in subjects if each not in stored], as_of)
    found = {each: OutcomeRows(subject=subjects[each], **parts) for each, parts in stored.items()}
    return found | {each: derive_outcome_rows(view, study, at) for each, view in views.items()}


async def stored_rows(connection: Connection, subject_ids: Sequence[str]) -> dict[str, SubjectRows]:
    """What the tables hold of participants, in one statement a table; each list in the order of `PARTS`."""
    stored = await _stored(connection, subject_ids, PARTS)
    return {each: SubjectRows(**parts) for each, parts in stored.items() if parts["subject"]}


async def _stored(
    connection: Connection, subject_ids: Sequence[str], parts: Sequence[Part]
) -> dict[str, dict[str, Any]]:
    """The rows by participant and part; `()` where there is none."""
    found: dict[str, dict[str, Any]] = {each: {part.name: () for part in parts} for each in subject_ids}
    for part in parts:
        order = ", ".join(("subject_id", *part.order))
        rows = await part.table.where(connection, "subject_id = ANY($1)", list(subject_ids), order=order)
        for subject_id, group in groupby(rows, attrgetter("subject_id")):
            of_one = tuple(group)
            found[subject_id][part.name] = of_one[0] if part.single else of_one
    return found


async def _views(connection: Connection, subject_ids: Iterable[str], until: datetime | None) -> dict[str, SubjectView]:
    streams = {subject_stream(each): each for each in subject_ids}
    events: dict[str, list[Recorded]] = await events_of_many(connection, list(streams), until) if streams else {}
    return {streams[stream]: fold_all(streams[stream], recorded) for stream, recorded in events.items()}
