"""ENR-05: more participants enrolled than planned; the one rule that needs all participants.

Nothing of it is stored but what was said about it: whether a participant is one too many is the rank of the enrolment
among all that were recorded until then, against the planned number of the protocol in force, and is worked out
whenever queries are read. An enrolment is never taken back, so the rank is the same now, as of any later instant and
after a rebuild.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from hepatrail_events.enrolment import SubjectEnrolled
from hepatrail_events.streams import subject_stream
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject, QueryRow, QueryStatus, status_of
from hepatrail_projections.event import first_event_ids
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.finding import Finding, Rule
from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.subject import OneTooMany, enrolled_beyond
from hepatrail_projections.table import Connection

_CODE = "MORE_THAN_PLANNED"


def _when_read(_: SubjectView, __: ClinicalState) -> Iterator[Finding]:
    """Nothing: one participant's stream does not tell."""
    return iter(())


ENR_05 = Rule("ENR-05", "1", ((QueryObject.ENROLMENT, ""),), _when_read)


async def over_planned(
    connection: Connection, published: PublishedProtocol | None, subject_ids: Sequence[str] | None = None
) -> Mapping[str, QueryRow]:
    """The queries of the participants (None: of all) who are one too many, by participant.

    What was said about them is not in these rows; `with_what_was_said` puts it there.
    """
    if published is None:
        return {}
    beyond = await enrolled_beyond(connection, published.protocol.planned_n, subject_ids)
    if not beyond:
        return {}
    streams = [subject_stream(each.subject_id) for each in beyond]
    found = await first_event_ids(connection, streams, SubjectEnrolled.type_name())
    return {
        each.subject_id: _row(each, found[stream], published)
        for each, stream in zip(beyond, streams, strict=True)
        if stream in found
    }


def asked_when_read(queries: Sequence[QueryRow], one_too_many: QueryRow | None) -> tuple[QueryRow, ...]:
    """A participant's queries with the one about the enrolment, as it stands with what was said about it."""
    if one_too_many is None:
        return tuple(queries)
    said = next((row for row in queries if row.query_id == one_too_many.query_id), None)
    others = (row for row in queries if row is not said)
    return tuple(sorted((*others, with_what_was_said(one_too_many, said)), key=lambda row: row.query_id))


def with_what_was_said(row: QueryRow, said: QueryRow | None) -> QueryRow:
    """The query with the answers and closures of the stored row, None where there is none."""
    if said is None:
        return row
    status = status_of(said.answers, said.closures, row.rule_version)
    return replace(row, answers=said.answers, closures=said.closures, status=status.value)


def _row(found: OneTooMany, enrolment: UUID, published: PublishedProtocol) -> QueryRow:
    planned = published.protocol.planned_n
    message = (
        f"This is enrolment {found.rank} of a trial planned for {planned} participants; say who approved it, or have "
        "the protocol amended."
    )
    return QueryRow(
        subject_id=found.subject_id,
        query_id=ENR_05.query_id(found.subject_id, enrolment),
        site_id=found.site_id,
        rule=ENR_05.rule_id,
        rule_version=ENR_05.version,
        status=QueryStatus.OPEN.value,
        code=_CODE,
        object_kind=QueryObject.ENROLMENT.value,
        object_id=enrolment,
        message=message,
        details=[{"code": _CODE, "message": message}],
        opens_at=None,
        answers=[],
        closures=[],
        protocol_version=published.version,
        event_ids=(enrolment,),
    )
