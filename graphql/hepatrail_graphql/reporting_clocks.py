"""Reporting clocks: what must be reported to whom by when, and how that stands (`safety.md` 5.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry

from hepatrail_events.types import format_instant, parse_instant
from hepatrail_graphql.authorize import QUERIES, sites_of
from hepatrail_graphql.common import Provenance, provenance
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.enums import ClockStatus, ClockType
from hepatrail_graphql.errors import bad_input
from hepatrail_graphql.fields import of_row
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Position as PositionScalar
from hepatrail_graphql.waiting import wait_for
from hepatrail_projections.clinical.reporting.clock import IN_HOURS, Clock
from hepatrail_projections.clock_reading import ClockFilter as RowFilter
from hepatrail_projections.reporting_clock import ReportingClockRow, clock_of

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Read:
    """A clock as it is looked at: at an instant (aware), from a site."""

    clock: Clock
    at: datetime
    zone: ZoneInfo
    site_id: str | None


@strawberry.type(description="A report that is due, was made, or need not be made any more.")
class ReportingClock:
    """A reporting clock."""

    row: strawberry.Private[Read]

    id: UUID = of_row(lambda read: read.clock.clock_id, "Derived from adverse event, clock and the commit behind it.")
    type: ClockType = of_row(lambda read: read.clock.type, "Which report.")
    status: ClockStatus = of_row(lambda read: read.clock.status(read.at), "How it stands, at `asOf` or now.")
    subject_id: strawberry.ID = of_row(lambda read: read.clock.subject_id, "The participant.")
    site_id: strawberry.ID | None = of_row("site_id", "The site.")
    ae_id: UUID = of_row(lambda read: read.clock.ae_id, "The adverse event.")
    started_at: datetime = of_row(lambda read: read.clock.started_at, "The awareness from which it counts.")
    started_at_site: str = of_row(
        lambda read: site_time(read.clock.started_at, read.zone), "The same in site time, with its offset."
    )
    day0: date | None = of_row(
        lambda read: read.clock.day0, "Day 0, the civil date of that at the site; null for a clock in hours."
    )
    due_at: datetime = of_row(
        lambda read: read.clock.due_at,
        "When it is due: the last instant of a clock in hours, the end of the last day of the others.",
    )
    due_at_site: str = of_row(
        lambda read: site_time(read.clock.due_at, read.zone),
        "The same in site time, with its offset: `2026-03-18T00:00:00.000+08:00` is the end of 17 March.",
    )
    warn_at: datetime = of_row(lambda read: read.clock.warn_at, "When a warning is raised unless it is met.")
    provisional: bool = of_row(
        lambda read: read.clock.provisional, "Whether it runs only because an assessment is missing."
    )
    lateness_minutes: int | None = of_row(
        lambda read: lateness_minutes(read.clock, read.at),
        "By how many begun minutes a report in hours was, or is, late; null while it is not.",
    )
    lateness_days: int | None = of_row(
        lambda read: lateness_days(read.clock, read.at, read.zone),
        "By how many civil days of the site any other report was, or is, late; null while it is not.",
    )
    opened_at: datetime = of_row(lambda read: read.clock.opened_at, "When what started it was recorded.")
    changed_at: datetime = of_row(lambda read: read.clock.changed_at, "When `dueAt` took its present value.")
    start_commit_id: UUID = of_row(lambda read: read.clock.start_commit_id, "The commit that started it.")
    met_at: datetime | None = of_row(lambda read: read.clock.met_at, "When the report was handed over.")
    met_recorded_at: datetime | None = of_row(lambda read: read.clock.met_recorded_at, "When that was recorded.")
    cancelled_at: datetime | None = of_row(
        lambda read: read.clock.cancelled_at, "When it was recorded that it need not be made."
    )
    start_event_ids: list[UUID] = of_row(lambda read: list(read.clock.start_event_ids), "The events that started it.")
    met_event_ids: list[UUID] = of_row(lambda read: list(read.clock.met_event_ids), "The events that met it.")
    cancel_event_ids: list[UUID] = of_row(
        lambda read: list(read.clock.cancel_event_ids), "The events that cancelled it."
    )
    provenance: Provenance = of_row(
        lambda read: provenance(
            "reporting-clock",
            (*read.clock.start_event_ids, *read.clock.met_event_ids, *read.clock.cancel_event_ids),
            read.clock.protocol_version,
        ),
        "What the clock rests on.",
    )


@strawberry.input(description="Which reporting clocks; what is left out does not restrict.")
class ClockFilter:
    """Which reporting clocks."""

    statuses: list[ClockStatus] | None = strawberry.field(default=None, description="That stand like this now.")
    types: list[ClockType] | None = strawberry.field(default=None, description="Of these types.")
    subject_id: strawberry.ID | None = strawberry.field(default=None, description="Of this participant.")
    ae_id: UUID | None = strawberry.field(default=None, description="Of this adverse event.")


async def reporting_clocks(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[ClockFilter | None, strawberry.argument(description="Which clocks.")] = None,
    min_position: Annotated[
        PositionScalar | None, strawberry.argument(description="Wait until this is projected, at most 2 s.")
    ] = None,
) -> Connection[ReportingClock]:
    """The reporting clocks of the caller's sites, the earliest due first."""
    context = info.context
    await allow(context, QUERIES, "reportingClocks")
    check_first(first)
    await wait_for(context, min_position)
    reader, now = context.services.reader, context.services.clock.now()
    place = None if after is None else _place(after)
    page = await reader.reporting_clocks(first, place, _chosen(filter or ClockFilter(), context))
    shown = shown_clocks(page.items, now, await reader.site_zone())
    edges = [Edge(cursor=_cursor(row), node=node) for row, node in zip(page.items, shown, strict=True)]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


def shown_clocks(rows: Iterable[ReportingClockRow], at: datetime, zone: ZoneInfo) -> list[ReportingClock]:
    """Clocks as they stand at an instant (aware), in the order given."""
    return [ReportingClock(row=Read(clock_of(row), at, zone, row.site_id)) for row in rows]


def site_time(instant: datetime, zone: ZoneInfo) -> str:
    """An instant (aware) in site time, RFC 3339 with its offset and milliseconds."""
    return instant.astimezone(zone).isoformat(timespec="milliseconds")


def lateness_minutes(clock: Clock, at: datetime) -> int | None:
    """Begun minutes by which a clock in hours was or is late; None when it is not, or is no such clock."""
    late = clock.lateness(at)
    return None if late is None or clock.type not in IN_HOURS else -(-late // _MINUTE)


def lateness_days(clock: Clock, at: datetime, zone: ZoneInfo) -> int | None:
    """Civil days of the site by which any other clock was or is late; None when it is not."""
    late = clock.lateness(at)
    if late is None or clock.type in IN_HOURS:
        return None
    last_day = clock.due_at.astimezone(zone).date() - _DAY
    return ((clock.due_at + late).astimezone(zone).date() - last_day).days


def _chosen(given: ClockFilter, context: Context) -> RowFilter:
    return RowFilter(
        statuses=None if given.statuses is None else frozenset(given.statuses),
        types=None if given.types is None else frozenset(each.value for each in given.types),
        subject_id=given.subject_id,
        ae_id=given.ae_id,
        sites=sites_of(context.actor),
    )


def _cursor(row: ReportingClockRow) -> str:
    return f"{format_instant(row.due_at)}/{row.clock_id}"


def _place(cursor: str) -> tuple[datetime, UUID]:
    due_at, _, clock_id = cursor.partition("/")
    try:
        return parse_instant(due_at), UUID(clock_id)
    except ValueError:
        raise bad_input("after is no cursor of this list.", field="after", rule="cursor") from None
