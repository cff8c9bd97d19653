"""SAE alerts of the safety desk: what officers must not miss (`safety.md` section 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.authorize import QUERIES, reads_sealed_text, sites_of
from hepatrail_graphql.common import PartialDate, Provenance, instant, optional_instant, partial_date, provenance
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.cursors import alert_seq_before, desk_cursor
from hepatrail_graphql.enums import ActionTaken, AlertType, Causality, CausalityTarget, Criterion, Outcome, Priority
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Decimal, decimal
from hepatrail_graphql.scalars import Position as PositionScalar
from hepatrail_graphql.text import Opener, Text, opener, sealed_text
from hepatrail_graphql.waiting import wait_for
from hepatrail_projections.alert import AlertFilter as RowFilter
from hepatrail_projections.alert import AlertRow


@strawberry.type(description="A reporting clock as it stood when the alert was raised.")
class AlertClock:
    """A reporting clock as it stood when the alert was raised."""

    type: str = strawberry.field(description="The clock.")
    due_at: datetime = strawberry.field(description="When the report is due.")
    status: str = strawberry.field(description="Whether it ran, was met or was missed.")


@strawberry.type(description="One assessor's causality for one target.")
class AlertCausality:
    """One assessor's causality for one target."""

    assessor: str = strawberry.field(description="INVESTIGATOR or SPONSOR.")
    target: CausalityTarget = strawberry.field(description="What may have caused the event.")
    value: Causality = strawberry.field(description="WHO-UMC causality.")


@strawberry.type(description="A field that changed in the commit behind the alert.")
class AlertChange:
    """A field that changed in the commit behind the alert."""

    field: str = strawberry.field(description="The field.")
    old: str | None = strawberry.field(description="Before.")
    new: str | None = strawberry.field(description="After.")


@strawberry.type(description="Somebody confirmed having seen the alert.")
class Acknowledgement:
    """Somebody confirmed having seen the alert."""

    by: str = strawberry.field(description="The account.")
    at: datetime = strawberry.field(description="When it was confirmed.")
    comment: Text | None = strawberry.field(description="What they remarked.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    event_id: UUID = strawberry.field(description="Its event.")
    stopping: bool = strawberry.field(description="Whether it stops escalation; the reporter's own does not.")


@strawberry.type(description="An alert to the safety officers; never withdrawn, only acknowledged.")
class SaeAlert:
    """An alert to the safety officers."""

    cursor: str = strawberry.field(description="Its place on the safety desk: subscribe or page on from here.")
    alert_id: UUID = strawberry.field(
        description="Derived from what raised it; the same however often it is delivered."
    )
    alert_seq: int = strawberry.field(
        description="1, 2, 3 and so on without a gap: who holds 1 to n has missed nothing."
    )
    type: AlertType = strawberry.field(description="What raised it.")
    priority: Priority = strawberry.field(description="How soon somebody must look.")
    reasons: list[str] = strawberry.field(description="Everything that applies.")
    raised_at: datetime = strawberry.field(description="When the fact behind it was recorded, or its time had come.")
    recorded_at: datetime = strawberry.field(description="When the desk recorded the alert.")
    commit_id: UUID = strawberry.field(description="The commit behind it.")
    subject_id: strawberry.ID | None = strawberry.field(description="The participant; null for one of the whole trial.")
    site_id: strawberry.ID | None = strawberry.field(description="The site.")
    ae_id: UUID | None = strawberry.field(description="The adverse event.")
    ae_version: int | None = strawberry.field(description="Its version then.")
    code: str | None = strawberry.field(description="Its code.")
    verbatim: Text | None = strawberry.field(description="The reporter's own words.")
    grade: int | None = strawberry.field(description="Its CTCAE grade then.")
    max_grade: int | None = strawberry.field(description="Its greatest grade until then.")
    criteria: list[Criterion] = strawberry.field(description="Why it is serious.")
    outcome: Outcome | None = strawberry.field(description="Its outcome then.")
    onset: PartialDate | None = strawberry.field(description="When it began.")
    teae: bool | None = strawberry.field(description="Whether it is treatment-emergent.")
    session_id: UUID | None = strawberry.field(description="The latest session started at or before onset.")
    hours_from_session_start: Decimal | None = strawberry.field(description="Hours from that session's start to onset.")
    hours_from_session_end: Decimal | None = strawberry.field(description="Hours from that session's end to onset.")
    action_taken: ActionTaken | None = strawberry.field(description="What was done with the bioartificial liver.")
    causality: list[AlertCausality] = strawberry.field(description="Causality by assessor and target.")
    expectedness: str | None = strawberry.field(description="Expectedness against the reference safety information.")
    susar: bool | None = strawberry.field(description="Whether it is a SUSAR.")
    provisional: bool | None = strawberry.field(description="Whether that rests on provisional assessments.")
    aware_at: datetime | None = strawberry.field(description="When the responsible person first knew.")
    reporter_id: str = strawberry.field(description="The account behind the commit.")
    clocks: list[AlertClock] = strawberry.field(description="The reporting clocks then.")
    changes: list[AlertChange] = strawberry.field(description="What the commit changed.")
    detail: str | None = strawberry.field(description="Position and reason of an event that cannot be read.")
    previous_alert_id: UUID | None = strawberry.field(description="The alert before, of the same adverse event.")
    acknowledgements: list[Acknowledgement] = strawberry.field(description="Who confirmed having seen it, in order.")
    acknowledged_at: datetime | None = strawberry.field(description="When escalation stopped; null: it is open.")
    acknowledged_by: str | None = strawberry.field(description="Who stopped it.")
    provenance: Provenance = strawberry.field(description="What the alert rests on.")


@strawberry.input(description="Which alerts; what is left out does not restrict.")
class AlertFilter:
    """Which alerts."""

    priorities: list[Priority] | None = strawberry.field(default=None, description="Of these priorities.")
    types: list[AlertType] | None = strawberry.field(default=None, description="Of these types.")
    subject_id: strawberry.ID | None = strawberry.field(default=None, description="Of this participant.")
    ae_id: UUID | None = strawberry.field(default=None, description="Of this adverse event.")
    open: bool | None = strawberry.field(
        default=None, description="Only those that wait for an acknowledgement, or only the others; a list only."
    )


def row_filter(chosen: AlertFilter | None, context: Context, *, open_only: bool = False) -> RowFilter:
    """The filter cut down to the caller's sites."""
    given = chosen or AlertFilter()
    return RowFilter(
        priorities=None if given.priorities is None else frozenset(each.value for each in given.priorities),
        types=None if given.types is None else frozenset(each.value for each in given.types),
        subject_id=given.subject_id,
        ae_id=given.ae_id,
        sites=sites_of(context.actor),
        open=True if open_only else given.open,
    )


async def sae_alerts(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[AlertFilter | None, strawberry.argument(description="Which alerts.")] = None,
    min_position: Annotated[
        PositionScalar | None, strawberry.argument(description="Wait until this is projected, at most 2 s.")
    ] = None,
) -> Connection[SaeAlert]:
    """The alerts of the caller's sites, by alertSeq."""
    context = info.context
    await allow(context, QUERIES, "saeAlerts")
    check_first(first)
    await wait_for(context, min_position)
    behind = None if after is None else await alert_seq_before(context.services.reader, after)
    page = await context.services.reader.alerts(first, behind, row_filter(filter, context))
    shown = await alerts(page.items, context)
    edges = [Edge(cursor=each.cursor, node=each) for each in shown]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


def last_cursor(edges: list[Edge[Any]]) -> str | None:
    """Where a page ends."""
    return edges[-1].cursor if edges else None


async def alerts(rows: Iterable[AlertRow], context: Context, as_of: datetime | None = None) -> list[SaeAlert]:
    """Alerts as the caller may read them; their texts are opened with one question to the vault."""
    listed = [row if as_of is None else _known(row, as_of) for row in rows]
    kids = [kid for row in listed for kid in _kids(row)]
    opening = await opener(context.services.vault, kids, may_read=reads_sealed_text(context.actor))
    return [alert(row, opening) for row in listed]


def alert(row: AlertRow, opening: Opener) -> SaeAlert:
    """An alert's row as the schema shows it."""
    content = cast(dict[str, Any], row.content)
    return SaeAlert(
        cursor=desk_cursor(row.streamseq),
        alert_id=row.alert_id,
        alert_seq=row.alert_seq,
        type=AlertType(row.type),
        priority=Priority(row.priority),
        reasons=list(content.get("reasons", ())),
        raised_at=row.raised_at,
        recorded_at=row.recorded_at,
        commit_id=UUID(content["commitId"]),
        subject_id=_id(row.subject_id),
        site_id=_id(row.site_id),
        ae_id=row.ae_id,
        ae_version=content.get("aeVersion"),
        code=content.get("code"),
        verbatim=opening.open(sealed_text(content.get("verbatim"))),
        grade=content.get("grade"),
        max_grade=content.get("maxGrade"),
        criteria=[Criterion(each) for each in content.get("criteria", ())],
        outcome=None if content.get("outcome") is None else Outcome(content["outcome"]),
        onset=partial_date(content.get("onset")),
        teae=content.get("teae"),
        session_id=None if content.get("sessionId") is None else UUID(content["sessionId"]),
        hours_from_session_start=decimal(content.get("hoursFromSessionStart")),
        hours_from_session_end=decimal(content.get("hoursFromSessionEnd")),
        action_taken=None if content.get("actionTaken") is None else ActionTaken(content["actionTaken"]),
        causality=[_causality(each) for each in content.get("causality", ())],
        expectedness=content.get("expectedness"),
        susar=content.get("susar"),
        provisional=content.get("provisional"),
        aware_at=optional_instant(content.get("awareAt")),
        reporter_id=content["reporterId"],
        clocks=[
            AlertClock(type=each["type"], due_at=instant(each["dueAt"]), status=each["status"])
            for each in content.get("clocks", ())
        ],
        changes=[
            AlertChange(field=each["field"], old=each.get("old"), new=each.get("new"))
            for each in content.get("changes", ())
        ],
        detail=content.get("detail"),
        previous_alert_id=row.previous_alert_id,
        acknowledgements=[_acknowledgement(each, opening) for each in _acknowledgements(row)],
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        provenance=provenance("safety-desk", row.event_ids),
    )


def _known(row: AlertRow, as_of: datetime) -> AlertRow:
    """The alert without what became of it later."""
    made = _acknowledgements(row)
    kept = [each for each in made if instant(each["recordedAt"]) <= as_of]
    later = {UUID(each["eventId"]) for each in made if each not in kept}
    stopped = row.acknowledged_at is not None and row.acknowledged_at <= as_of
    return replace(
        row,
        acknowledgements=kept,
        acknowledged_at=row.acknowledged_at if stopped else None,
        acknowledged_by=row.acknowledged_by if stopped else None,
        event_ids=tuple(each for each in row.event_ids if each not in later),
    )


def _acknowledgements(row: AlertRow) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], row.acknowledgements)


def _kids(row: AlertRow) -> Iterable[str]:
    texts = [
        cast(Mapping[str, Any], row.content).get("verbatim"),
        *(each.get("comment") for each in _acknowledgements(row)),
    ]
    return (text["kid"] for text in texts if text is not None)


def _id(value: str | None) -> strawberry.ID | None:
    return None if value is None else strawberry.ID(value)


def _causality(stored: dict[str, Any]) -> AlertCausality:
    return AlertCausality(
        assessor=stored["assessor"], target=CausalityTarget(stored["target"]), value=Causality(stored["value"])
    )


def _acknowledgement(stored: dict[str, Any], opening: Opener) -> Acknowledgement:
    return Acknowledgement(
        by=stored["by"],
        at=instant(stored["at"]),
        comment=opening.open(sealed_text(stored.get("comment"))),
        recorded_at=instant(stored["recordedAt"]),
        event_id=UUID(stored["eventId"]),
        stopping=stored["stopping"],
    )
