"""What all scores share: inputs, options, results, rounding, change from baseline (`scores.md` sections 0, 9.10)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal, TypeAlias
from uuid import UUID

from hepatrail_events.acceptance import Accepted, accept
from hepatrail_events.catalogue import catalogue
from hepatrail_events.units import fraction_str
from hepatrail_projections.clinical.inputs import Collected, Observation

Status: TypeAlias = Literal["complete", "complete_with_assumptions", "incomplete", "invalid_input", "not_applicable"]
Problem: TypeAlias = Literal["invalid", "not_accepted", "spread_exceeded"]
Detail: TypeAlias = int | str | Fraction

_NINE_DECIMALS = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Options:
    """What the protocol chose where the literature offers a choice (sections 0.6, 3, 5, 6, 8).

    `barometric_pressure` in mm[Hg]; `meld3_cap` None leaves MELD 3.0 without an upper bound, as Kim 2021 has it.
    """

    missing_policy: Literal["strict", "assume_normal"] = "strict"
    sofa_unit_mode: Literal["si", "conventional"] = "si"
    hfnc_counts_as_support: bool = False
    rrt_scores_4: bool = False
    verbal_nt_policy: Literal["incomplete", "score_1", "pre_intubation", "brennan"] = "incomplete"
    barometric_pressure: Fraction = Fraction(760)
    meld3_cap: int | None = 40


STRICT = Options()
"""Every default of the reference."""

_TRACED = frozenset({"missing_policy", "verbal_nt_policy"})
"""Options that leave a mark in the status wherever they had an effect, so that two complete results never differ
by them."""


@dataclass(frozen=True, slots=True)
class ScoreInput:
    """One input as a score sees it: the canonical value, or the problem that makes it missing or invalid.

    `derived` says that it was computed from what `event_ids` recorded: a mean pressure from a cuff, dialysis from
    procedures.
    """

    code: str
    value: Fraction | str | None
    comparator: str | None = None
    problem: Problem | None = None
    collected: Collected | None = None
    event_ids: tuple[UUID, ...] = ()
    derived: bool = False

    @property
    def number(self) -> Fraction | None:
        """The usable number, None when there is none."""
        return self.value if self.problem is None and isinstance(self.value, Fraction) else None

    @property
    def text(self) -> str | None:
        """The usable code, None when there is none."""
        return self.value if self.problem is None and isinstance(self.value, str) else None


Inputs: TypeAlias = Mapping[str, ScoreInput]


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """A score and everything it rests on.

    `unrounded` has 9 decimals and stands before rounding and cap. `missing` and `invalid` are sorted codes;
    `reasons` says why a missing input that was there could not be used. `assumed` are the points that an option put
    in place of what is missing. `components` are the values or points that entered, None for what is open.
    `details` are `meld_i`, `aps`, `a_ado2` (mm[Hg]), `acid_base_basis`, `renal_basis`, `without_liver` as far as the
    score has them.
    `range` of an incomplete SOFA or APACHE II: least and greatest total that is still possible (section 0.7).
    `flags` name rules that replaced a measured value and circumstances of the measurement, `warnings` what a
    reader must know before using the score. `options` holds only those that this score depends on.
    """

    score_id: str
    status: Status
    score: int | None = None
    unrounded: Decimal | None = None
    missing: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    invalid: tuple[str, ...] = ()
    assumed: Mapping[str, int] = field(default_factory=dict)
    components: Mapping[str, Fraction | int | None] = field(default_factory=dict)
    details: Mapping[str, Detail] = field(default_factory=dict)
    display: str | None = None
    range: tuple[int, int] | None = None
    inputs: tuple[ScoreInput, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def event_ids(self) -> tuple[UUID, ...]:
        """The events of all inputs, each once."""
        return tuple(dict.fromkeys(event for given in self.inputs for event in given.event_ids))


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """A score's definition.

    `inputs` are all codes that it reads, `one_draw` those that one blood draw should give (section 9, rule 3),
    `option_names` the options that it depends on. `compute` sees valid inputs only; `of` is what callers use.
    """

    score_id: str
    inputs: tuple[str, ...]
    compute: Callable[[Inputs, Options], ScoreResult]
    one_draw: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()

    def of(self, inputs: Inputs, options: Options = STRICT) -> ScoreResult:
        """The score of these inputs; codes that it does not read are ignored. Invalid inputs come first (0.1)."""
        seen = tuple(inputs[code] for code in self.inputs if code in inputs)
        invalid = invalid_codes(seen)
        if invalid:
            result = ScoreResult(self.score_id, "invalid_input", invalid=invalid)
        else:
            result = self.compute(inputs, options)
        return replace(result, inputs=seen, options=self.recorded(options))

    def recorded(self, options: Options) -> dict[str, str]:
        """The options that the score depends on, as they are stored with every result."""
        return {name: _option_text(getattr(options, name)) for name in self.option_names}


@dataclass(frozen=True, slots=True)
class Change:
    """score(t) - score(baseline), or the reason why there is none."""

    value: int | None
    reason: str | None = None


def given(
    code: str, value: str, unit: str | None = None, comparator: str | None = None, collected: Collected | None = None
) -> ScoreInput:
    """An input typed into a calculator: no unit means the canonical one, what cannot be accepted is invalid."""
    measurement = catalogue().get(code)
    canonical_unit = None if measurement is None else measurement.canonical_unit
    judged = accept(code, value, comparator, unit or canonical_unit)
    if isinstance(judged, Accepted):
        return ScoreInput(code, judged.canonical, comparator, collected=collected)
    return ScoreInput(code, None, comparator, "invalid", collected)


def observed(observation: Observation, problem: Problem | None = None, *, derived: bool = False) -> ScoreInput:
    """An accepted observation; its limits were judged when it was recorded and are not judged again (0.1)."""
    return ScoreInput(
        observation.code,
        observation.value,
        observation.comparator,
        problem,
        observation.collected,
        observation.event_ids,
        derived,
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


def nine_decimals(value: float | Fraction) -> Decimal:
    """Removes binary noise: 9 decimals, half away from zero (0.3)."""
    number = Decimal(value) if isinstance(value, float) else Decimal(value.numerator) / Decimal(value.denominator)
    return number.quantize(_NINE_DECIMALS, ROUND_HALF_UP)


def half_up(value: Decimal) -> int:
    """The nearest integer, half away from zero."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def change_from_baseline(baseline: ScoreResult, later: ScoreResult) -> Change:
    """The change of one score (section 9, rule 10): both complete, same score, same options; otherwise a reason.

    `missing_policy` and `verbal_nt_policy` are not compared: a complete result made no use of them.
    """
    if baseline.score_id != later.score_id:
        return Change(None, "different_score")
    if _compared(baseline) != _compared(later):
        return Change(None, "different_options")
    if baseline.status != "complete" or baseline.score is None:
        return Change(None, f"baseline_{baseline.status}")
    if later.status != "complete" or later.score is None:
        return Change(None, later.status)
    return Change(later.score - baseline.score)


def _compared(result: ScoreResult) -> dict[str, str]:
    return {name: value for name, value in result.options.items() if name not in _TRACED}


def _option_text(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Fraction():
            return fraction_str(value)
        case _:
            return str(value)
