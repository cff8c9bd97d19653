"""What all scores share: inputs, results, censored values, rounding (`scores.md` section 0)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal, TypeAlias
from uuid import UUID

from hepatrail_events.acceptance import Accepted, accept
from hepatrail_events.catalogue import catalogue
from hepatrail_projections.clinical.inputs import Collected, Observation

Status: TypeAlias = Literal["complete", "complete_with_assumptions", "incomplete", "invalid_input", "not_applicable"]
Problem: TypeAlias = Literal["invalid", "not_accepted", "spread_exceeded"]
Options: TypeAlias = Mapping[str, str]

_NINE_DECIMALS = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class ScoreInput:
    """One input as a score sees it: the canonical value, or the problem that makes it missing or invalid."""

    code: str
    value: Fraction | str | None
    comparator: str | None = None
    problem: Problem | None = None
    collected: Collected | None = None
    event_ids: tuple[UUID, ...] = ()

    @property
    def number(self) -> Fraction | None:
        """The usable number, None when there is none."""
        return self.value if self.problem is None and isinstance(self.value, Fraction) else None


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """A score and everything it rests on.

    `unrounded` has 9 decimals and stands before rounding and cap. `missing` and `invalid` are sorted codes;
    `reasons` says why a missing input that was there could not be used. `components` are the values or points
    that entered, None for what is open. `flags` names rules that replaced a measured value.
    """

    score_id: str
    status: Status
    score: int | None = None
    unrounded: Decimal | None = None
    missing: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    invalid: tuple[str, ...] = ()
    assumed: Mapping[str, int] = field(default_factory=dict)
    components: Mapping[str, Fraction | None] = field(default_factory=dict)
    inputs: tuple[ScoreInput, ...] = ()
    options: Options = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    @property
    def event_ids(self) -> tuple[UUID, ...]:
        """The events of all inputs, each once."""
        return tuple(dict.fromkeys(event for given in self.inputs for event in given.event_ids))


@dataclass(frozen=True, slots=True)
class Score:
    """A score's definition; `one_draw` are the inputs that one blood draw should give (section 9, rule 3)."""

    score_id: str
    inputs: tuple[str, ...]
    one_draw: tuple[str, ...]
    compute: Callable[[Mapping[str, ScoreInput], Options], ScoreResult]


@dataclass(frozen=True, slots=True)
class Change:
    """score(t) - score(baseline), or the reason why there is none."""

    value: int | None
    reason: str | None = None


def given(code: str, value: str, unit: str | None = None, comparator: str | None = None) -> ScoreInput:
    """An input typed into a calculator: no unit means the canonical one, what cannot be accepted is invalid."""
    measurement = catalogue().get(code)
    canonical_unit = None if measurement is None else measurement.canonical_unit
    judged = accept(code, value, comparator, unit or canonical_unit)
    if isinstance(judged, Accepted):
        return ScoreInput(code, judged.canonical, comparator)
    return ScoreInput(code, None, comparator, "invalid")


def observed(observation: Observation, problem: Problem | None = None) -> ScoreInput:
    """An accepted observation; its limits were judged when it was recorded and are not judged again (0.1)."""
    return ScoreInput(
        observation.code,
        observation.value,
        observation.comparator,
        problem,
        observation.collected,
        observation.event_ids,
    )


def invalid_codes(inputs: Iterable[ScoreInput]) -> tuple[str, ...]:
    """The codes of inputs that no score may be computed from, sorted."""
    return tuple(sorted(each.code for each in inputs if each.problem == "invalid"))


def why_missing(wanted: ScoreInput | None) -> str | None:
    """The reason beside a missing code: a value that is there but could not be used was censored (0.5)."""
    if wanted is None:
        return None
    if wanted.problem is not None:
        return wanted.problem
    return "censored" if wanted.value is not None else None


def bounded(wanted: ScoreInput | None, low: Fraction | None, high: Fraction | None) -> Fraction | None:
    """The value between its bounds; None when absent, or censored so that the bounded value is open (0.5)."""
    number = None if wanted is None else wanted.number
    if wanted is None or number is None:
        return None
    if wanted.comparator in ("<", "<="):
        return low if low is not None and number <= low else None
    if wanted.comparator in (">", ">="):
        return high if high is not None and number >= high else None
    if low is not None and number < low:
        return low
    return high if high is not None and number > high else number


def nine_decimals(value: float) -> Decimal:
    """Removes binary noise: 9 decimals, half away from zero (0.3)."""
    return Decimal(value).quantize(_NINE_DECIMALS, ROUND_HALF_UP)


def half_up(value: Decimal) -> int:
    """The nearest integer, half away from zero."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def change_from_baseline(baseline: ScoreResult, later: ScoreResult) -> Change:
    """The change of one score (section 9, rule 10): both complete, same score, same options; otherwise a reason."""
    if baseline.score_id != later.score_id:
        return Change(None, "different_score")
    if baseline.options != later.options:
        return Change(None, "different_options")
    if baseline.status != "complete" or baseline.score is None:
        return Change(None, f"baseline_{baseline.status}")
    if later.status != "complete" or later.score is None:
        return Change(None, later.status)
    return Change(later.score - baseline.score)
