"""Clinical scores at the time points, with the inputs that they were computed from (`scores.md`)."""

from datetime import date
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Provenance, instant
from hepatrail_graphql.scalars import Comparator, DateTimeOrDate, Decimal, decimal
from hepatrail_projections.score import ScoreRow


@strawberry.type(description="A value that entered a score, in the trial's unit.")
class ScoreInput:
    """A value that entered a score."""

    code: str = strawberry.field(description="The measurement.")
    value: str | None = strawberry.field(description="The value in the trial's unit, as decimal text, or its code.")
    comparator: Comparator | None = strawberry.field(description="The sign before it, where it is only a bound.")
    unit: str | None = strawberry.field(description="The trial's unit (UCUM).")
    collected_at: DateTimeOrDate | None = strawberry.field(description="When it was collected.")
    problem: str | None = strawberry.field(description="Why it could not be used; null when it was.")
    event_ids: list[UUID] = strawberry.field(description="The events that recorded it.")


@strawberry.type(description="An input that a score lacks.")
class MissingInput:
    """An input that a score lacks."""

    code: str = strawberry.field(description="The measurement.")
    reason: str | None = strawberry.field(description="Why a value that is there was not used; null: there is none.")


@strawberry.type(description="One score at one time point, derived from the inputs assigned to that point.")
class Score:
    """One score at one time point."""

    score: str = strawberry.field(description="The score: MELD, MELD_NA, MELD_3_0 and so on.")
    visit: str = strawberry.field(description="The time point.")
    status: str = strawberry.field(description="complete, incomplete, invalid or not_applicable.")
    value: int | None = strawberry.field(description="The score; null unless complete: it is never silently completed.")
    unrounded: Decimal | None = strawberry.field(description="The value before rounding and cap.")
    baseline: int | None = strawberry.field(description="The score before treatment.")
    change: int | None = strawberry.field(description="Value minus baseline.")
    change_reason: str | None = strawberry.field(description="Why there is no change.")
    missing: list[MissingInput] = strawberry.field(description="The inputs that the score lacks.")
    invalid: list[str] = strawberry.field(description="Inputs that no score may be computed from.")
    inputs: list[ScoreInput] = strawberry.field(description="The values that entered.")
    flags: list[str] = strawberry.field(description="Rules that replaced a measured value.")
    during_session: bool = strawberry.field(description="Whether an input was collected while a circuit ran.")
    provisional: bool = strawberry.field(description="Whether the baseline may still change: treatment has not begun.")
    provenance: Provenance = strawberry.field(description="What the score rests on.")


def score(row: ScoreRow) -> Score:
    """A score's row as the schema shows it."""
    return Score(
        score=row.score_id,
        visit=row.point,
        status=row.status,
        value=row.value,
        unrounded=decimal(row.unrounded),
        baseline=row.baseline,
        change=row.change,
        change_reason=row.change_reason,
        missing=[
            MissingInput(code=each["code"], reason=each.get("reason"))
            for each in cast(list[dict[str, Any]], row.missing)
        ],
        invalid=cast(list[str], row.invalid),
        inputs=[_input(each) for each in cast(list[dict[str, Any]], row.inputs)],
        flags=cast(list[str], row.flags),
        during_session=row.during_session,
        provisional=row.provisional,
        provenance=Provenance(
            event_ids=list(row.event_ids), algorithm=row.algorithm, protocol_version=row.protocol_version
        ),
    )


def _input(stored: dict[str, Any]) -> ScoreInput:
    at, on = stored.get("collectedAt"), stored.get("collectedOn")
    collected = instant(at) if at is not None else None if on is None else date.fromisoformat(on)
    return ScoreInput(
        code=stored["code"],
        value=stored.get("value"),
        comparator=stored.get("comparator"),
        unit=stored.get("unit"),
        collected_at=cast(DateTimeOrDate | None, collected),
        problem=stored.get("problem"),
        event_ids=[UUID(each) for each in stored.get("eventIds", ())],
    )
