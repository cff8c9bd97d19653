"""Clinical scores at the time points and at any moment, with everything that they rest on (`scores.md`)."""

from datetime import datetime
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Provenance, by_name
from hepatrail_graphql.fields import of_row
from hepatrail_graphql.scalars import Decimal
from hepatrail_graphql.score_parts import (
    AssumedPoints,
    Confounder,
    MissingInput,
    ScoreComponent,
    ScoreDetail,
    ScoreId,
    ScoreInput,
    ScoreOption,
    ScoreRange,
    ScoreStatus,
    component,
    detail,
    score_input,
)
from hepatrail_projections.score import ScoreRow


@strawberry.type(description="One score at one time point or moment, derived from the inputs that belong there.")
class Score:
    """One score at one time point or moment."""

    row: strawberry.Private[ScoreRow]

    score: ScoreId = of_row(lambda row: ScoreId(row.score_id), "The score (ADaM PARAMCD).")
    visit: str = of_row("point", "The time point (AVISIT); AT for a moment that was asked for.")
    at: datetime | None = strawberry.field(description="The moment that was asked for; null at a time point.")
    status: ScoreStatus = of_row(lambda row: ScoreStatus(row.status), "Whether it could be computed.")
    value: int | None = of_row(
        "value", "After rounding and cap (AVAL); null unless it could be computed, never silently completed."
    )
    unrounded: Decimal | None = of_row("unrounded", "The value before rounding and cap, 9 decimals.")
    display: str | None = of_row("display", "The coma scale as it is written: E4VNTM6.")
    range: ScoreRange | None = of_row(
        lambda row: _range(row.range), "What an incomplete SOFA or APACHE II may still become."
    )
    baseline: int | None = of_row("baseline", "The score before treatment (BASE).")
    change: int | None = of_row("change", "Value minus baseline (CHG).")
    change_reason: str | None = of_row(
        "change_reason",
        "Why there is no change: the status of the value, baseline_ with that of the baseline, "
        "different_options; null where there is one, and at the baseline.",
    )
    components: list[ScoreComponent] = of_row(
        lambda row: [component(*each) for each in by_name(row.components)], "Its parts, as far as they are known."
    )
    details: list[ScoreDetail] = of_row(
        lambda row: [detail(*each) for each in by_name(row.details)], "Further results."
    )
    missing: list[MissingInput] = of_row(
        lambda row: [MissingInput(code=each["code"], reason=each["reason"]) for each in row.missing],
        "The inputs that the score lacks.",
    )
    invalid: list[str] = of_row("invalid", "Inputs that no score may be computed from.")
    assumed: list[AssumedPoints] = of_row(
        lambda row: [AssumedPoints(component=name, points=points) for name, points in by_name(row.assumed)],
        "What an option put in place of what is missing.",
    )
    inputs: list[ScoreInput] = of_row(
        lambda row: [score_input(each) for each in row.inputs], "The values that it read."
    )
    flags: list[str] = of_row("flags", "Rules that replaced a measured value, and circumstances of the measurement.")
    warnings: list[str] = of_row("warnings", "What a reader must know before using the score.")
    options: list[ScoreOption] = of_row(
        lambda row: [ScoreOption(name=name, value=value) for name, value in by_name(row.options)],
        "The protocol's choices that it depends on.",
    )
    confounders: list[Confounder] = of_row(
        lambda row: [
            Confounder(code=each["code"], event_ids=[UUID(one) for one in each["eventIds"]]) for each in row.confounders
        ],
        "Treatments of the 24 h before that move its inputs.",
    )
    during_session: bool = of_row("during_session", "Whether an input was collected while a circuit ran.")
    post_transplant: bool = of_row(
        "post_transplant", "Whether it lies after a liver transplantation, where the MELD family measures no severity."
    )
    provisional: bool = of_row("provisional", "Whether the baseline may still change: treatment has not begun.")
    provenance: Provenance = of_row(lambda row: _provenance(row), "The events of its inputs, and the formula.")


def score(row: ScoreRow, at: datetime | None = None) -> Score:
    """A score's row as the schema shows it; `at` is the moment that was asked for."""
    return Score(row=row, at=at)


def _range(spread: list[int] | None) -> ScoreRange | None:
    return None if spread is None else ScoreRange(least=spread[0], greatest=spread[1])


def _provenance(row: ScoreRow) -> Provenance:
    return Provenance(event_ids=list(row.event_ids), algorithm=row.algorithm, protocol_version=row.protocol_version)
