"""What a score consists of: inputs, components, what is missing or was assumed, options (`scores.md` section 0)."""

from datetime import date
from enum import Enum
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import instant
from hepatrail_graphql.scalars import Comparator, DateTimeOrDate, Decimal


@strawberry.enum(description="The scores of the trial (`scores.md`); each names one published formula.")
class ScoreId(Enum):
    """The scores of the trial."""

    meld_2002 = strawberry.enum_value(
        "meld_2002", description="MELD, UNOS 2002: the trial's primary one (LOINC 44760-7)."
    )
    meld_na_2016 = strawberry.enum_value("meld_na_2016", description="MELD-Na, OPTN 2016.")
    meld_3_0 = strawberry.enum_value("meld_3_0", description="MELD 3.0, OPTN 2023.")
    gcs = strawberry.enum_value("gcs", description="Glasgow Coma Scale, total (LOINC 9269-2).")
    sofa_1996 = strawberry.enum_value("sofa_1996", description="SOFA, Vincent 1996.")
    apache_ii_1985 = strawberry.enum_value("apache_ii_1985", description="APACHE II, Knaus 1985 (LOINC 9264-3).")


@strawberry.enum(description="Whether a score could be computed (`scores.md` 0.1).")
class ScoreStatus(Enum):
    """Whether a score could be computed."""

    complete = strawberry.enum_value("complete", description="Every needed input was there and valid.")
    complete_with_assumptions = strawberry.enum_value(
        "complete_with_assumptions", description="An option of the protocol replaced something: see `assumed`."
    )
    incomplete = strawberry.enum_value("incomplete", description="A needed input is absent: see `missing`.")
    invalid_input = strawberry.enum_value("invalid_input", description="An input cannot be: see `invalid`.")
    not_applicable = strawberry.enum_value(
        "not_applicable", description="The time point lies after death or withdrawal, or does not apply."
    )


@strawberry.enum(description="Why a value that is there did not enter a score.")
class InputProblem(Enum):
    """Why a value that is there did not enter a score."""

    invalid = strawberry.enum_value("invalid", description="It is no value that the measurement can have.")
    not_accepted = strawberry.enum_value("not_accepted", description="Its row was not accepted (LAB-02).")
    spread_exceeded = strawberry.enum_value(
        "spread_exceeded", description="It was collected too far from the other inputs."
    )


@strawberry.type(description="A value that a score read, in the trial's unit.")
class ScoreInput:
    """A value that a score read."""

    code: str = strawberry.field(description="The measurement (`labs.csv`; LBTESTCD).")
    value: str | None = strawberry.field(description="The value in the trial's unit, as decimal text, or its code.")
    comparator: Comparator | None = strawberry.field(description="The sign before it, where it is only a bound.")
    unit: str | None = strawberry.field(description="The trial's unit (UCUM).")
    collected_at: DateTimeOrDate | None = strawberry.field(
        description="When it was collected; null for what enrolment fixed."
    )
    problem: InputProblem | None = strawberry.field(description="Why it could not be used; null when it was.")
    derived: bool = strawberry.field(
        description="Whether it was computed from other records: a mean pressure from a cuff, dialysis from procedures."
    )
    event_ids: list[UUID] = strawberry.field(description="The events that recorded it.")


@strawberry.type(description="An input that a score lacks.")
class MissingInput:
    """An input that a score lacks."""

    code: str = strawberry.field(description="The measurement.")
    reason: str | None = strawberry.field(
        description="Why a value that is there was not used: censored, not_testable, spread_exceeded, not_accepted; "
        "null: there is none."
    )


@strawberry.type(description="A part of a score.")
class ScoreComponent:
    """A part of a score."""

    name: str = strawberry.field(description="The component, as in `scores.md`.")
    value: Decimal | None = strawberry.field(
        description="Its points; of the MELD family the value that entered the formula. Null while it is open."
    )


@strawberry.type(description="A further result of a score, by name.")
class ScoreDetail:
    """A further result of a score."""

    name: str = strawberry.field(description="meld_i, aps, a_ado2 (mm[Hg]), acid_base_basis, renal_basis and so on.")
    value: str | None = strawberry.field(description="A number as decimal text, or a code.")


@strawberry.type(description="Points that an option of the protocol put in place of what is missing.")
class AssumedPoints:
    """Points in place of what is missing."""

    component: str = strawberry.field(description="The component.")
    points: int = strawberry.field(description="Its points.")


@strawberry.type(
    description="The least and the greatest total that an incomplete score may still have; no score itself."
)
class ScoreRange:
    """The least and the greatest total that is still possible."""

    least: int = strawberry.field(description="All open components at 0.")
    greatest: int = strawberry.field(description="All open components at their maximum.")


@strawberry.type(description="A choice of the protocol that the score depends on (`scores.md` section 12).")
class ScoreOption:
    """A choice of the protocol that the score depends on."""

    name: str = strawberry.field(description="The option, as in the protocol.")
    value: str = strawberry.field(description="What the protocol chose.")


@strawberry.type(description="A treatment of the 24 h before that moves what the MELD family reads.")
class Confounder:
    """A treatment that moves what a score reads."""

    code: str = strawberry.field(
        description="plasma_24h, plasma_exchange_24h, albumin_24h, albumin_dialysis_24h, hemodialysis_24h, crrt, "
        "anticoagulant."
    )
    event_ids: list[UUID] = strawberry.field(description="The events that recorded it.")


def score_input(stored: dict[str, Any]) -> ScoreInput:
    """An input of a row's column."""
    at, on, problem = stored["collectedAt"], stored["collectedOn"], stored["problem"]
    collected = instant(at) if at is not None else None if on is None else date.fromisoformat(on)
    return ScoreInput(
        code=stored["code"],
        value=stored["value"],
        comparator=stored["comparator"],
        unit=stored["unit"],
        collected_at=cast(DateTimeOrDate | None, collected),
        problem=None if problem is None else InputProblem(problem),
        derived=stored["derived"],
        event_ids=[UUID(each) for each in stored["eventIds"]],
    )


def component(name: str, value: int | str | None) -> ScoreComponent:
    """A component of a row's column: points are integers, values decimal text."""
    return ScoreComponent(name=name, value=None if value is None else Decimal(str(value)))


def detail(name: str, value: int | str | None) -> ScoreDetail:
    """A further result of a row's column."""
    return ScoreDetail(name=name, value=None if value is None else str(value))
