"""Time points: window, status at an instant, what is there and what still lacks (`visits.md`; CDISC SV)."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeAlias, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Provenance, by_name, instant, provenance
from hepatrail_graphql.fields import of_row, resolved
from hepatrail_graphql.scalars import DateTimeOrDate
from hepatrail_graphql.visit_lists import ItemBasis, NoticeKind, StopCause, VisitKind, VisitSeries, VisitState
from hepatrail_projections.visit import VisitRow
from hepatrail_projections.visits import VisitStatus, notices_at

Items: TypeAlias = tuple[tuple[str, str | None], ...]
"""Items or parts with why a row that is there does not count."""


@strawberry.type(description="When the assessments of a time point are to be made.")
class VisitWindow:
    """When the assessments of a time point are to be made."""

    target: datetime = strawberry.field(description="The ideal instant.")
    earliest: datetime = strawberry.field(description="The window opens, inclusive.")
    latest: datetime = strawberry.field(description="The window's last instant; see `latestInclusive`.")
    latest_inclusive: bool = strawberry.field(description="Whether `latest` lies inside.")
    ends: datetime = strawberry.field(description="The first instant behind the window: its status is settled then.")
    first_date: date | None = strawberry.field(description="The first civil date at the site, of a date window.")
    last_date: date | None = strawberry.field(description="The last civil date at the site, of a date window.")
    zone: str = strawberry.field(description="The site's time zone, in which civil dates count.")


@strawberry.type(description="A value or code that an item consists of and that is there.")
class DoneInput:
    """A part of an item that is there."""

    code: str = strawberry.field(description="The measurement (`labs.csv`), AE or SURV.")
    collected_at: DateTimeOrDate = strawberry.field(description="When it was collected or assessed.")
    in_window: bool = strawberry.field(description="Whether that lies in the window.")
    basis: ItemBasis = strawberry.field(description="How it satisfies the item.")


@strawberry.type(description="A required item that is there.")
class DoneItem:
    """A required item that is there."""

    item: str = strawberry.field(description="The item's code.")
    in_window: bool = strawberry.field(description="Whether all of it lies in the window.")
    during_session: bool = strawberry.field(description="Whether it was observed while a later session ran.")
    inputs: list[DoneInput] = strawberry.field(description="What it consists of.")


@strawberry.type(description="A part of an item that is not there.")
class LackingInput:
    """A part of an item that is not there."""

    code: str = strawberry.field(description="The measurement.")
    reason: str | None = strawberry.field(description="Why a row that is there does not count; null: there is none.")


@strawberry.type(description="Something that a time point requires and that is not there.")
class MissingItem:
    """Something that a time point requires and that is not there."""

    item: str = strawberry.field(description="The item's code.")
    reason: str | None = strawberry.field(description="Why a row that is there does not count; null: there is none.")
    lacking: list[LackingInput] = strawberry.field(description="The parts that are not there, of an item with parts.")


@strawberry.type(description="A notice to the site about a time point, from a moment on (`visits.md` 5.2).")
class VisitNotice:
    """A notice to the site about a time point."""

    kind: NoticeKind = strawberry.field(description="What it says.")
    at: datetime = strawberry.field(description="Since when it stands.")


@strawberry.type(description="Something that ends or reduces what is required, at its clinical time.")
class VisitStop:
    """Something that ends or reduces what is required."""

    cause: StopCause = strawberry.field(description="What it is.")
    time: datetime = strawberry.field(description="When it happened.")
    vital_status_allowed: bool = strawberry.field(description="Whether survival may still be asked for.")


@strawberry.type(description="A time point: of the schedule, after a later session, or after the last one.")
class Visit:
    """A time point."""

    row: strawberry.Private[VisitRow]
    found: strawberry.Private[VisitStatus]
    as_of: strawberry.Private[datetime]

    code: str = of_row("code", "BL, P0_5_1H, H12, H24, D2 and so on to M12; S2_H12; SFU12 (VISIT).")
    ordinal: int = of_row("ordinal", "Its place in the list (VISITNUM).")
    series: VisitSeries = of_row(lambda row: VisitSeries(row.series), "To which series it belongs.")
    session_id: UUID | None = of_row("session_id", "The session that an auxiliary point follows.")
    kind: VisitKind = of_row(lambda row: VisitKind(row.kind), "How its window counts.")
    window: VisitWindow | None = of_row(lambda row: _window(row), "Its window; null before treatment has ended once.")
    status: VisitState = of_row(
        lambda found: VisitState(found.status), "How far it is done, at `asOf` or now.", holder="found"
    )
    satisfied: list[str] = of_row("satisfied", "The required items that are there.", holder="found")
    required: list[str] = of_row("required", "The items that it requires.", holder="found")
    missing: list[MissingItem] = of_row(
        lambda found: _missing(found),
        "The required items that are not there.",
        holder="found",
    )
    cause: StopCause | None = of_row(
        lambda found: None if found.cause is None else StopCause(found.cause),
        "Why it does not apply, or what cut it short.",
        holder="found",
    )
    during_session: list[str] = of_row(
        "during_session", "The satisfied items that were observed while a later session ran.", holder="found"
    )
    provisional: bool = of_row(
        "provisional", "Whether the baseline may still change: treatment has not begun.", holder="found"
    )
    provenance: Provenance = of_row(
        lambda row: provenance("visit", row.event_ids, row.protocol_version), "What the time point rests on."
    )

    @resolved("The items that are there by code, also those that are no longer required, with times and parts.")
    def done(self) -> list[DoneItem]:
        """The items that are there."""
        return [_done(item, stored) for item, stored in by_name(self.row.done)]

    @resolved("What ends or reduces what is required here.")
    def stops(self) -> list[VisitStop]:
        """What ends or reduces what is required here."""
        return [
            VisitStop(
                cause=StopCause(stored["cause"]),
                time=instant(stored["time"]),
                vital_status_allowed=stored["vitalStatusAllowed"],
            )
            for stored in cast(list[dict[str, Any]], self.row.stops)
        ]

    @resolved("The notices that stand at `asOf` or now, in the order of their moments.")
    def notices(self) -> list[VisitNotice]:
        """The notices that stand."""
        return [VisitNotice(kind=NoticeKind(each.kind), at=each.at) for each in notices_at(self.row, self.as_of)]


def visit(row: VisitRow, found: VisitStatus, as_of: datetime) -> Visit:
    """A time point with its status at an instant (aware)."""
    return Visit(row=row, found=found, as_of=as_of)


def _missing(found: VisitStatus) -> tuple[MissingItem, ...]:
    return _missing_items(found.missing, tuple(found.lacking.items()))


# Most points lack what their neighbours lack.
@lru_cache(maxsize=256)
def _missing_items(missing: Items, lacking: tuple[tuple[str, Items], ...]) -> tuple[MissingItem, ...]:
    parts = dict(lacking)
    return tuple(
        MissingItem(
            item=item,
            reason=reason,
            lacking=[LackingInput(code=code, reason=why) for code, why in parts.get(item, ())],
        )
        for item, reason in missing
    )


def _window(row: VisitRow) -> VisitWindow | None:
    if row.target is None or row.earliest is None or row.latest is None or row.ends is None:
        return None
    return VisitWindow(
        target=row.target,
        earliest=row.earliest,
        latest=row.latest,
        latest_inclusive=bool(row.latest_inclusive),
        ends=row.ends,
        first_date=row.first_date,
        last_date=row.last_date,
        zone=row.zone,
    )


def _done(item: str, stored: dict[str, Any]) -> DoneItem:
    parts = stored.get("inputs", [{"code": item, **stored}])
    return DoneItem(
        item=item,
        in_window=stored["inWindow"],
        during_session=stored["duringSession"],
        inputs=[
            DoneInput(
                code=part["code"],
                collected_at=cast(
                    DateTimeOrDate, instant(part["at"]) if "at" in part else date.fromisoformat(part["on"])
                ),
                in_window=part["inWindow"],
                basis=ItemBasis(part.get("basis", "VALUE")),
            )
            for part in parts
        ],
    )
