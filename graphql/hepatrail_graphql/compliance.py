"""Deviations from the schedule and its compliance rate (`visits.md` 5.2; CDISC DV)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP
from decimal import Decimal as Exact
from fractions import Fraction
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Provenance, provenance
from hepatrail_graphql.scalars import Decimal
from hepatrail_graphql.visit_lists import DeviationClass, DeviationKind, StopCause
from hepatrail_projections.visit import VisitRow
from hepatrail_projections.visits import VisitStatus, compliance_of, deviation_of

_PLACES = Exact("0.0001")


@strawberry.type(description="A time point that was not done as planned; it closes by itself when that is mended.")
class Deviation:
    """A time point that was not done as planned."""

    id: UUID = strawberry.field(description="The same for the same participant and time point.")
    visit: str = strawberry.field(description="The time point (VISIT).")
    kind: DeviationKind = strawberry.field(description="In what it deviates (DVDECOD).")
    deviation_class: DeviationClass = strawberry.field(description="How grave that is (DVCAT).")
    missing: list[str] = strawberry.field(description="The required items that are not there.")
    cause: StopCause | None = strawberry.field(description="What cut the time point short.")
    provenance: Provenance = strawberry.field(description="What the deviation rests on.")


@strawberry.type(description="How many time points are complete in their window, of those whose window is over.")
class Compliance:
    """The compliance of the main time points."""

    numerator: int = strawberry.field(description="Main time points complete in their window.")
    denominator: int = strawberry.field(description="Main time points whose window is over and that apply.")
    rate: Decimal | None = strawberry.field(
        description="Their ratio, four decimals; null while no window is over. The two numbers are exact."
    )
    outside_sessions: int = strawberry.field(
        description="Those of the numerator in which nothing was observed while a later session ran."
    )
    provenance: Provenance = strawberry.field(description="What the numbers rest on.")


def deviations(points: Iterable[tuple[VisitRow, VisitStatus]]) -> list[Deviation]:
    """The deviations that are open with these statuses, in the order of the time points."""
    return [made for row, status in points if (made := _deviation(row, status)) is not None]


def compliance(points: Sequence[tuple[VisitRow, VisitStatus]], as_of: datetime) -> Compliance:
    """The compliance of one participant at an instant (aware), from the time points with their status then."""
    found = compliance_of(points, as_of)
    main = [row for row, _ in points if row.series == "MAIN"]
    ids = dict.fromkeys(event_id for row in main for event_id in row.event_ids)
    return Compliance(
        numerator=found.numerator,
        denominator=found.denominator,
        rate=None if found.rate is None else _text(found.rate),
        outside_sessions=found.outside_sessions,
        provenance=provenance("compliance", tuple(ids), main[0].protocol_version if main else None),
    )


def _deviation(row: VisitRow, status: VisitStatus) -> Deviation | None:
    found = deviation_of(row, status)
    if found is None:
        return None
    return Deviation(
        id=found.deviation_id,
        visit=found.code,
        kind=DeviationKind(found.kind),
        deviation_class=DeviationClass(found.deviation_class),
        missing=list(found.missing),
        cause=None if found.cause is None else StopCause(found.cause),
        provenance=provenance("deviation", row.event_ids, row.protocol_version),
    )


def _text(rate: Fraction) -> Decimal:
    exact = Exact(rate.numerator) / Exact(rate.denominator)
    return Decimal(format(exact.quantize(_PLACES, ROUND_HALF_UP), "f"))
