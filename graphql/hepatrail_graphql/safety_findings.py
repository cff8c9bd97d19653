"""Findings of the radar: where something serious seems unflagged, open ones and closed ones."""

from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from hepatrail_events.commands import Actor
from hepatrail_events.streams import subject_stream
from hepatrail_graphql.authorize import QUERIES, SUBJECT_FIELDS, require, sites_of
from hepatrail_graphql.common import Provenance, provenance
from hepatrail_graphql.context import Info
from hepatrail_graphql.errors import bad_input
from hepatrail_graphql.fields import resolved
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first
from hepatrail_graphql.queries import QueryObject
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.subject_parts import Whole
from hepatrail_graphql.waiting import instant_argument
from hepatrail_projections.finding_reading import FindingFilter
from hepatrail_projections.safety_finding import SafetyFindingRow
from hepatrail_projections.subject import SubjectRow


@strawberry.enum(description="What seems unflagged.")
class FindingKind(Enum):
    """What seems unflagged."""

    FATAL_WITHOUT_DEATH_CRITERION = strawberry.enum_value(
        "FATAL_WITHOUT_DEATH_CRITERION", description="A fatal adverse event lacks the criterion DEATH."
    )
    FATAL_WITHOUT_DEATH_RECORD = strawberry.enum_value(
        "FATAL_WITHOUT_DEATH_RECORD", description="An adverse event is fatal and no death is on record."
    )
    DEATH_WITHOUT_FATAL_EVENT = strawberry.enum_value(
        "DEATH_WITHOUT_FATAL_EVENT", description="The participant died and no adverse event is fatal; INV-18 asks."
    )
    STAY_WITHOUT_HOSPITALISATION = strawberry.enum_value(
        "STAY_WITHOUT_HOSPITALISATION",
        description="Admitted, or long in hospital, during an adverse event that is not serious.",
    )
    INTERVENTION_WITHOUT_SERIOUS_EVENT = strawberry.enum_value(
        "INTERVENTION_WITHOUT_SERIOUS_EVENT",
        description="An intervention began while adverse events were going of which none is serious.",
    )
    GRADE_4_WITHOUT_CRITERION = strawberry.enum_value(
        "GRADE_4_WITHOUT_CRITERION", description="Grade 4, and nobody judged the seriousness; INV-15 asks."
    )
    GRADE_4_WITHOUT_CAUSALITY = strawberry.enum_value(
        "GRADE_4_WITHOUT_CAUSALITY", description="Grade 4, and the investigator has not judged the causality."
    )
    LAB_GRADE_ABOVE_REPORTED = strawberry.enum_value(
        "LAB_GRADE_ABOVE_REPORTED", description="A laboratory grade above that of the adverse event of its term."
    )
    LAB_GRADE_UNREVIEWED = strawberry.enum_value(
        "LAB_GRADE_UNREVIEWED", description="A new severe laboratory grade without adverse event and without review."
    )
    HYS_LAW = strawberry.enum_value(
        "HYS_LAW", description="Transaminase and bilirubin rise together without cholestasis, against the baseline."
    )


@strawberry.enum(description="How bad it is if the finding is right, as inspections grade their findings.")
class FindingSeverity(Enum):
    """How bad it is if the finding is right."""

    CRITICAL = strawberry.enum_value("CRITICAL", description="A death or a liver injury may be unreported.")
    MAJOR = strawberry.enum_value("MAJOR", description="A serious adverse event may be unreported.")
    MINOR = strawberry.enum_value("MINOR", description="A grade may be wrong, or wait for a review.")


@strawberry.enum(description="Whether somebody still has to look.")
class FindingStatus(Enum):
    """Whether somebody still has to look."""

    OPEN = strawberry.enum_value("OPEN", description="Its condition holds and nobody has answered.")
    CLOSED = strawberry.enum_value("CLOSED", description="Answered, closed, or its condition is gone; it stays listed.")


@strawberry.enum(description="What closed a finding: whatever came first.")
class FindingClosure(Enum):
    """What closed a finding."""

    ANSWERED = strawberry.enum_value("ANSWERED", description="The site answered its data query.")
    QUERY_CLOSED = strawberry.enum_value("QUERY_CLOSED", description="The monitor closed its data query.")
    CONDITION_GONE = strawberry.enum_value("CONDITION_GONE", description="The record accounts for it by now.")


@strawberry.type(description="Something serious seems unflagged; the radar points at facts and judges nothing.")
class SafetyFinding:
    """Something serious seems unflagged."""

    id: UUID = strawberry.field(description="The same for the same kind, participant and object.")
    subject_id: strawberry.ID = strawberry.field(description="The participant.")
    kind: FindingKind = strawberry.field(description="What seems unflagged.")
    severity: FindingSeverity = strawberry.field(description="How bad it is if the finding is right.")
    status: FindingStatus = strawberry.field(description="Whether somebody still has to look, at `asOf` or now.")
    object_kind: QueryObject = strawberry.field(description="What it is about.")
    object_id: UUID = strawberry.field(description="The object's id.")
    words: str = strawberry.field(description="What seems wrong and what would be right; of a closed one as last seen.")
    evidence: list[UUID] = strawberry.field(description="The events that show it.")
    opened_at: datetime = strawberry.field(description="Since when it is listed, by the times of recording.")
    closed_at: datetime | None = strawberry.field(description="When it was closed; null while it is open.")
    closed_by: FindingClosure | None = strawberry.field(description="What closed it.")
    closing_event_id: UUID | None = strawberry.field(description="The event that closed it.")
    rule: str = strawberry.field(description='The rule of the data query that asks: "RAD-05".')
    query_id: UUID = strawberry.field(description="The data query that asks: answer it with `answerQuery`.")
    detector_version: str = strawberry.field(description="The version of what found it.")
    provenance: Provenance = strawberry.field(description="What it rests on.")


@strawberry.input(description="Which findings; what is left out does not restrict.")
class SafetyFindingFilter:
    """Which findings."""

    kind: list[FindingKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    open: bool | None = strawberry.field(default=None, description="Only open ones, or only closed ones.")
    subject_id: strawberry.ID | None = strawberry.field(default=None, description="Of this participant.")


def safety_finding(row: SafetyFindingRow) -> SafetyFinding:
    """A finding's row as the schema shows it."""
    return SafetyFinding(
        id=row.finding_id,
        subject_id=strawberry.ID(row.subject_id),
        kind=FindingKind(row.kind),
        severity=FindingSeverity(row.severity),
        status=FindingStatus(row.status),
        object_kind=QueryObject(row.object_kind),
        object_id=row.object_id,
        words=row.words,
        evidence=list(row.evidence),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closed_by=None if row.closed_by is None else FindingClosure(row.closed_by),
        closing_event_id=row.closing_event_id,
        rule=row.rule,
        query_id=row.query_id,
        detector_version=row.detector_version,
        provenance=provenance(f"radar/{row.kind}/{row.detector_version}", row.event_ids, row.protocol_version),
    )


@strawberry.type(description="What the radar finds of a participant.")
class Findings:
    """What the radar finds of a participant."""

    row: strawberry.Private[SubjectRow]
    whole: strawberry.Private[Whole | None]

    @resolved("Where something serious seems unflagged; closed findings stay listed.")
    def findings(self, info: Info) -> list[SafetyFinding]:
        """Findings of the radar."""
        require(SUBJECT_FIELDS, "findings", info.context.actor)
        assert self.whole is not None, "a field was asked for that the look-ahead did not foresee"
        return [safety_finding(row) for row in self.whole.read.rows.findings]


async def safety_findings(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[SafetyFindingFilter | None, strawberry.argument(description="Which findings.")] = None,
    as_of: Annotated[
        datetime | None, strawberry.argument(description="As it was recorded until this instant; null: the latest.")
    ] = None,
) -> Connection[SafetyFinding]:
    """Where something serious seems unflagged, at the caller's sites, by participant; closed ones stay listed."""
    context = info.context
    await allow(context, QUERIES, "safetyFindings")
    check_first(first)
    place = None if after is None else _place(after)
    chosen = _chosen(filter or SafetyFindingFilter(), context.actor)
    page = await context.services.reader.safety_findings(first, place, chosen, instant_argument(as_of, "asOf"))
    edges = [Edge(cursor=f"{row.subject_id}/{row.finding_id}", node=safety_finding(row)) for row in page.items]
    ends = edges[-1].cursor if edges else None
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=ends))


def _chosen(given: SafetyFindingFilter, actor: Actor) -> FindingFilter:
    return FindingFilter(
        sites=sites_of(actor),
        subject_id=given.subject_id,
        kinds=None if given.kind is None else frozenset(each.name for each in given.kind),
        open=given.open,
    )


def _place(cursor: str) -> tuple[str, UUID]:
    subject_id, _, finding_id = cursor.rpartition("/")
    try:
        subject_stream(subject_id)
        return subject_id, UUID(finding_id)
    except ValueError:
        raise bad_input("after is no cursor of this list.", field="after", rule="cursor") from None
