"""SAE alerts of the safety desk: what officers must not miss (`safety.md` section 6)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.alert_parts import (
    Acknowledgement,
    AlertCausality,
    AlertChange,
    AlertClock,
    AlertDelivery,
    Escalation,
    acknowledgement,
    alert_causality,
    alert_change,
    alert_clock,
    alert_delivery,
    escalation,
)
from hepatrail_graphql.authorize import QUERIES, reads_sealed_text, sites_of
from hepatrail_graphql.common import PartialDate, Provenance, instant, optional_instant, partial_date, provenance
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.cursors import desk_cursor, read_desk_cursor
from hepatrail_graphql.enums import ActionTaken, AlertType, Criterion, Outcome, Priority
from hepatrail_graphql.fields import of_row, resolved
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Decimal, decimal
from hepatrail_graphql.scalars import Position as PositionScalar
from hepatrail_graphql.text import Opener, Text, opener, sealed_text
from hepatrail_graphql.waiting import wait_for
from hepatrail_projections.alert import AlertFilter as RowFilter
from hepatrail_projections.alert import AlertRow


def _said(name: str, description: str, read: Callable[[Any], Any] = lambda value: value) -> Any:
    """A field that the alert's content has, as `AlertRaised` was written; what is absent there is null."""

    def get(row: AlertRow) -> Any:
        value = row.content.get(name)
        return None if value is None else read(value)

    return of_row(get, description)


def _listed(name: str, description: str, read: Callable[[Any], Any] = lambda value: value) -> Any:
    """A list that the alert's content has; what is absent there is empty."""
    return of_row(lambda row: [read(each) for each in row.content.get(name, ())], description)


@strawberry.type(description="An alert to the safety officers; never withdrawn, only acknowledged.")
class SaeAlert:
    """An alert to the safety officers."""

    row: strawberry.Private[AlertRow]
    opener: strawberry.Private[Opener]

    cursor: str = of_row(
        lambda row: desk_cursor(row.streamseq), "Its place on the safety desk: subscribe or page on from here."
    )
    alert_id: UUID = of_row("alert_id", "Derived from what raised it; the same however often it is delivered.")
    alert_seq: int = of_row("alert_seq", "1, 2, 3 and so on without a gap: who holds 1 to n has missed nothing.")
    type: AlertType = of_row(lambda row: AlertType(row.type), "What raised it.")
    priority: Priority = of_row(lambda row: Priority(row.priority), "How soon somebody must look.")
    reasons: list[str] = _listed("reasons", "Everything that applies.")
    raised_at: datetime = of_row("raised_at", "When the fact behind it was recorded, or its time had come.")
    late: bool = of_row(
        lambda row: bool(row.content.get("late")), "Whether its time had long passed when it was raised: an outage."
    )
    recorded_at: datetime = of_row("recorded_at", "When the desk recorded the alert.")
    commit_id: UUID = _said("commitId", "The commit behind it.", UUID)
    subject_id: strawberry.ID | None = of_row("subject_id", "The participant; null for one of the whole trial.")
    site_id: strawberry.ID | None = of_row("site_id", "The site.")
    ae_id: UUID | None = of_row("ae_id", "The adverse event.")
    ae_version: int | None = _said("aeVersion", "Its version then.")
    code: str | None = _said("code", "Its code.")
    grade: int | None = _said("grade", "Its CTCAE grade then.")
    max_grade: int | None = _said("maxGrade", "Its greatest grade until then.")
    criteria: list[Criterion] = _listed("criteria", "Why it is serious.", Criterion)
    outcome: Outcome | None = _said("outcome", "Its outcome then.", Outcome)
    onset: PartialDate | None = _said("onset", "When it began.", partial_date)
    teae: bool | None = _said("teae", "Whether it is treatment-emergent.")
    session_id: UUID | None = _said("sessionId", "The latest session started at or before onset.", UUID)
    hours_from_session_start: Decimal | None = _said(
        "hoursFromSessionStart", "Hours from that session's start to onset.", decimal
    )
    hours_from_session_end: Decimal | None = _said(
        "hoursFromSessionEnd", "Hours from that session's end to onset.", decimal
    )
    action_taken: ActionTaken | None = _said("actionTaken", "What was done with the bioartificial liver.", ActionTaken)
    causality: list[AlertCausality] = _listed("causality", "Causality by assessor and target.", alert_causality)
    expectedness: str | None = _said("expectedness", "Expectedness against the reference safety information.")
    susar: bool | None = _said("susar", "Whether it is a SUSAR.")
    provisional: bool | None = _said("provisional", "Whether that rests on provisional assessments.")
    aware_at: datetime | None = _said("awareAt", "When the responsible person first knew.", optional_instant)
    reporter_id: str = _said("reporterId", "The account behind the commit.")
    clocks: list[AlertClock] = _listed("clocks", "The reporting clocks then.", alert_clock)
    changes: list[AlertChange] = _listed("changes", "What the commit changed.", alert_change)
    detail: str | None = _said("detail", "Position and reason of an event that cannot be read.")
    previous_alert_id: UUID | None = of_row("previous_alert_id", "The alert before, of the same adverse event.")
    escalations: list[Escalation] = of_row(
        lambda row: [escalation(each) for each in row.escalations], "How far it went unseen, in order of level."
    )
    deliveries: list[AlertDelivery] = of_row(
        lambda row: [alert_delivery(each) for each in row.deliveries],
        "What was delivered beside the subscription, as of now.",
    )
    acknowledged_at: datetime | None = of_row("acknowledged_at", "When escalation stopped; null: it is open.")
    acknowledged_by: str | None = of_row("acknowledged_by", "Who stopped it.")
    provenance: Provenance = of_row(lambda row: provenance("safety-desk", row.event_ids), "What the alert rests on.")

    @resolved("The reporter's own words.")
    def verbatim(self) -> Text | None:
        """The reporter's own words."""
        return self.opener.open(sealed_text(self.row.content.get("verbatim")))

    @resolved("Who confirmed having seen it, in order.")
    def acknowledgements(self) -> list[Acknowledgement]:
        """Who confirmed having seen it."""
        return [acknowledgement(each, self.opener) for each in _acknowledgements(self.row)]


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
    behind = None if after is None else await context.services.reader.alert_seq_until(read_desk_cursor(after))
    page = await context.services.reader.alerts(first, behind, row_filter(filter, context))
    shown = await alerts(page.items, context)
    edges = [Edge(cursor=desk_cursor(each.row.streamseq), node=each) for each in shown]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


async def alerts(rows: Iterable[AlertRow], context: Context, as_of: datetime | None = None) -> list[SaeAlert]:
    """Alerts as the caller may read them; their texts are opened with one question to the vault."""
    listed = [row if as_of is None else _known(row, as_of) for row in rows]
    kids = [kid for row in listed for kid in sealing_keys(row)]
    opening = await opener(context.services.vault, kids, may_read=reads_sealed_text(context.actor))
    return [SaeAlert(row=row, opener=opening) for row in listed]


def sealing_keys(row: AlertRow) -> Iterable[str]:
    """The ids of the keys under which the texts of an alert are sealed."""
    texts = [
        cast(Mapping[str, Any], row.content).get("verbatim"),
        *(each.get("comment") for each in _acknowledgements(row)),
    ]
    return (text["kid"] for text in texts if text is not None)


def _known(row: AlertRow, as_of: datetime) -> AlertRow:
    """The alert without what became of it later."""
    made = _acknowledgements(row)
    kept = [each for each in made if instant(each["recordedAt"]) <= as_of]
    fired = cast(list[dict[str, Any]], row.escalations)
    still = [each for each in fired if instant(each["recordedAt"]) <= as_of]
    later = {UUID(each["eventId"]) for each in (*made, *fired) if each not in kept and each not in still}
    stopped = row.acknowledged_at is not None and row.acknowledged_at <= as_of
    return replace(
        row,
        acknowledgements=kept,
        escalations=still,
        acknowledged_at=row.acknowledged_at if stopped else None,
        acknowledged_by=row.acknowledged_by if stopped else None,
        event_ids=tuple(each for each in row.event_ids if each not in later),
    )


def _acknowledgements(row: AlertRow) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], row.acknowledgements)
