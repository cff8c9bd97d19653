"""`data_query`: questions to the site that follow from the data (`events.md` 3.10); none of them is an event.

The life of a query, a pure function of the participant's stream and the protocol version:

| status | its condition | somebody |
|---|---|---|
| OPEN | holds | has said nothing |
| ANSWERED | holds | of the site answered; it stays open until the condition is gone or the monitor closes it |
| CLOSED | holds | (the monitor) closed it for the present version of its rule, for which it stays closed |
| RESOLVED | is gone: the query closed by itself | answered or closed it before |

A query whose condition is gone and about which nobody said anything has no row. When a rule gets a newer version, what
was closed for an older one is open again, and keeps its closures. Where a condition holds again, so do the answers of
the time before. A query that opens by time has a row before it is open: `opens_at` decides when the row is read.

Decided here, because the reference leaves room: a resolved query says what it was about and what was said, not any
more how the question read; that, the participant as of that time shows. An answer to something that never was a query
has no row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from hepatrail_events.types import format_instant
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.table import Connection, Json, Table


class QueryStatus(StrEnum):
    """How far a data query is; OPEN and ANSWERED wait for the site."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"
    RESOLVED = "RESOLVED"


class QueryObject(StrEnum):
    """What a data query is about; OBSERVATIONS is one moment at the bedside, known by the event that recorded it.

    LAB_FINDING is what a measured row means for the participant's safety, known by the row: asked of the site, where
    LAB_RESULT is also asked of the laboratory.
    """

    ENROLMENT = "ENROLMENT"
    SESSION = "SESSION"
    LAB_RESULT = "LAB_RESULT"
    LAB_FINDING = "LAB_FINDING"
    OBSERVATION = "OBSERVATION"
    SAMPLE = "SAMPLE"
    OBSERVATIONS = "OBSERVATIONS"
    ASSESSMENT = "ASSESSMENT"
    DEATH = "DEATH"
    PROCEDURE = "PROCEDURE"
    MEDICATION = "MEDICATION"
    ADVERSE_EVENT = "ADVERSE_EVENT"
    SPONSOR_NOTIFICATION = "SPONSOR_NOTIFICATION"


OPEN_STATUSES = frozenset({QueryStatus.OPEN.value, QueryStatus.ANSWERED.value})


@dataclass(frozen=True, slots=True)
class QueryRow:
    """A query: id = derived_id(rule, subjectId, objectId), with an aspect behind the object where a rule has two.

    `status` is a `QueryStatus`, once `opens_at` (None: at once) has come; `object_kind` is a `QueryObject`. `code` says
    which condition of the rule holds first, `message` is the whole question as sentences for the site and `details` are
    its parts, `{code, message}`; of a resolved query the code is RESOLVED. `answers` are `{text, answeredAt, actorId,
    actorRole, eventId}` and `closures` `{reason, ruleVersion, closedAt, actorId, eventId}`, both in the log's order.
    `event_ids` are all on which it depends that there is a query.
    """

    subject_id: str
    query_id: UUID
    site_id: str | None
    rule: str
    rule_version: str
    status: str
    code: str
    object_kind: str
    object_id: UUID
    message: str
    details: Json
    opens_at: datetime | None
    answers: Json
    closures: Json
    protocol_version: str | None
    event_ids: tuple[UUID, ...]

    @property
    def closed(self) -> dict[str, Any] | None:
        """The closure in force: the last one for this version of the rule; None when there is none."""
        return in_force(self.closures, self.rule_version)

    def exists_at(self, at: datetime) -> bool:
        """Whether it has opened by an instant (aware)."""
        return self.opens_at is None or self.opens_at <= at

    def is_open_at(self, at: datetime) -> bool:
        """Whether it waits for the site at an instant (aware)."""
        return self.status in OPEN_STATUSES and self.exists_at(at)


DATA_QUERY = Table("data_query", QueryRow, ("subject_id", "query_id"))


def in_force(closures: Iterable[dict[str, Any]], rule_version: str) -> dict[str, Any] | None:
    """The last closure for a version of the rule."""
    return next((each for each in reversed(list(closures)) if each["ruleVersion"] == rule_version), None)


def status_of(answers: Json, closures: Json, rule_version: str) -> QueryStatus:
    """The status of a query whose condition holds."""
    if in_force(closures, rule_version) is not None:
        return QueryStatus.CLOSED
    return QueryStatus.ANSWERED if answers else QueryStatus.OPEN


def answers_to(view: SubjectView, query_id: UUID) -> list[dict[str, Any]]:
    """What the site answered, in the log's order."""
    return [
        {
            "text": answer.text.payload(),
            "answeredAt": format_instant(answer.answered_at),
            "actorId": answer.actor_id,
            "actorRole": answer.actor_role,
            "eventId": str(answer.event_id),
        }
        for answer in view.query_answers.get(query_id, ())
    ]


def closures_of(view: SubjectView, query_id: UUID) -> list[dict[str, Any]]:
    """How the monitor closed it, for whatever versions of its rule, in the log's order."""
    return [
        {
            "reason": closure.reason.payload(),
            "ruleVersion": closure.rule_version,
            "closedAt": format_instant(closure.closed_at),
            "actorId": closure.actor_id,
            "eventId": str(closure.event_id),
        }
        for closure in view.query_closures.get(query_id, ())
    ]


@dataclass(frozen=True, slots=True)
class QueryFilter:
    """Which queries are listed; None: any. `kinds` are `QueryObject`s, `statuses` `QueryStatus`es."""

    sites: frozenset[str] | None = None
    subject_id: str | None = None
    rule: str | None = None
    statuses: frozenset[str] | None = None
    kinds: frozenset[str] | None = None

    def admits(self, row: QueryRow) -> bool:
        """Whether a row is listed; the same as the statement of `queries_after`."""
        return (
            (self.sites is None or row.site_id in self.sites)
            and self.subject_id in (None, row.subject_id)
            and self.rule in (None, row.rule)
            and (self.statuses is None or row.status in self.statuses)
            and (self.kinds is None or row.object_kind in self.kinds)
        )


ANY_QUERY = QueryFilter()


async def queries_after(
    connection: Connection,
    after: tuple[str, UUID] | None,
    chosen: QueryFilter,
    at: datetime,
    limit: int,
    without: Iterable[UUID] = (),
) -> list[QueryRow]:
    """Queries that have opened by an instant, behind (participant, query), in that order; `without` these."""
    subject_id, query_id = after or (None, None)
    return await DATA_QUERY.where(
        connection,
        "($1::text IS NULL OR (subject_id, query_id) > ($1, $2::uuid)) AND (opens_at IS NULL OR opens_at <= $3) "
        "AND ($4::text[] IS NULL OR site_id = ANY ($4)) AND ($5::text IS NULL OR subject_id = $5) "
        "AND ($6::text IS NULL OR rule = $6) AND ($7::text[] IS NULL OR status = ANY ($7)) "
        "AND ($8::text[] IS NULL OR object_kind = ANY ($8)) AND NOT query_id = ANY ($9::uuid[])",
        subject_id,
        query_id,
        at,
        _listed(chosen.sites),
        chosen.subject_id,
        chosen.rule,
        _listed(chosen.statuses),
        _listed(chosen.kinds),
        list(without),
        limit=limit,
    )


def _listed(values: frozenset[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)
