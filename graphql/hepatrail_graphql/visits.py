"""The 14 time points: windows, status at an instant, and what each still lacks (`visits.md`)."""

from datetime import date, datetime
from enum import Enum

import strawberry

from hepatrail_graphql.common import Provenance, provenance
from hepatrail_projections.visit import VisitRow
from hepatrail_projections.visits import status_at


@strawberry.enum(description="How far the assessments of a time point are done (`visits.md` section 5).")
class VisitState(Enum):
    """How far the assessments of a time point are done."""

    not_yet_due = strawberry.enum_value("not_yet_due", description="The window has not opened, or is not defined yet.")
    due = strawberry.enum_value("due", description="The window is open and something is still required.")
    complete_in_window = strawberry.enum_value("complete_in_window", description="All is there, inside the window.")
    complete_out_of_window = strawberry.enum_value(
        "complete_out_of_window", description="All is there, some of it outside the window."
    )
    partial = strawberry.enum_value("partial", description="The window is over and something lacks.")
    missed = strawberry.enum_value("missed", description="The window is over and nothing is there.")
    not_applicable = strawberry.enum_value("not_applicable", description="Nothing is required; `cause` says why.")


@strawberry.type(description="When the assessments of a time point are to be made.")
class VisitWindow:
    """When the assessments of a time point are to be made."""

    target: datetime = strawberry.field(description="The ideal instant.")
    earliest: datetime = strawberry.field(description="The window opens, inclusive.")
    latest: datetime = strawberry.field(description="The window's last instant; see `latestInclusive`.")
    latest_inclusive: bool = strawberry.field(description="Whether `latest` lies inside.")
    first_date: date | None = strawberry.field(description="The first civil date at the site, of a date window.")
    last_date: date | None = strawberry.field(description="The last civil date at the site, of a date window.")
    zone: str = strawberry.field(description="The site's time zone, in which civil dates count.")


@strawberry.type(description="Something that a time point requires and that is not there.")
class MissingItem:
    """Something that a time point requires and that is not there."""

    item: str = strawberry.field(description="The item's code.")
    reason: str | None = strawberry.field(description="Why a row that is there does not count; null: there is none.")


@strawberry.type(description="One of the time points of the schedule.")
class Visit:
    """One of the time points of the schedule."""

    code: str = strawberry.field(description="BL, P0_5_1H, H12, H24, D2 and so on to M12.")
    ordinal: int = strawberry.field(description="Its place in the schedule.")
    window: VisitWindow | None = strawberry.field(description="Its window; null before treatment has ended once.")
    status: VisitState = strawberry.field(description="How far it is done, at `asOf` or now.")
    satisfied: list[str] = strawberry.field(description="The required items that are there.")
    required: list[str] = strawberry.field(description="The items that it requires.")
    missing: list[MissingItem] = strawberry.field(description="The required items that are not there.")
    cause: str | None = strawberry.field(description="What cut it short: DEATH, WITHDRAWAL, TRANSPLANT or NOT_TREATED.")
    provisional: bool = strawberry.field(description="Whether the baseline may still change: treatment has not begun.")
    provenance: Provenance = strawberry.field(description="What the time point rests on.")


def visit(row: VisitRow, as_of: datetime) -> Visit:
    """A time point with its status at an instant (aware)."""
    found = status_at(row, as_of)
    return Visit(
        code=row.code,
        ordinal=row.ordinal,
        window=_window(row),
        status=VisitState(found.status),
        satisfied=list(found.satisfied),
        required=list(found.required),
        missing=[MissingItem(item=item, reason=reason) for item, reason in found.missing],
        cause=found.cause,
        provisional=found.provisional,
        provenance=provenance("visit", row.event_ids, row.protocol_version),
    )


def _window(row: VisitRow) -> VisitWindow | None:
    if row.target is None or row.earliest is None or row.latest is None:
        return None
    return VisitWindow(
        target=row.target,
        earliest=row.earliest,
        latest=row.latest,
        latest_inclusive=bool(row.latest_inclusive),
        first_date=row.first_date,
        last_date=row.last_date,
        zone=row.zone,
    )
