"""MELD-Na, OPTN 2016 (`scores.md` section 2).

OPTN policy 9.1.D, in force from 11 January 2016. Origin: Kim WR, et al. N Engl J Med 2008;359:1018-1026, whose own
formula is a different score. The step at MELD(i) 11 is policy: MELD(i) 12 with sodium 125 gives 23, 11 gives 11.
"""

from fractions import Fraction

from hepatrail_projections.clinical.scores.common import (
    Inputs,
    Options,
    Score,
    ScoreResult,
    bounded,
    half_up,
    nine_decimals,
)
from hepatrail_projections.clinical.scores.meld import CAP, meld_term
from hepatrail_projections.clinical.scores.meld_common import HOURS, SESSIONS, reasons

INPUTS = ("creatinine", "tbil", "inr", "sodium", SESSIONS, HOURS)
SODIUM_LOW, SODIUM_HIGH = Fraction(125), Fraction(137)

_STEP = 11
_PER_MMOL = Fraction("1.32")
_PER_MMOL_AND_POINT = Fraction("0.033")


def meld_na_2016(inputs: Inputs, options: Options) -> ScoreResult:
    """MELD-Na 6 to 40; sodium in mmol/L is needed only where MELD(i), the rounded MELD, is above 11."""
    del options
    term = meld_term(inputs, (SESSIONS, HOURS))
    sodium = bounded(inputs.get("sodium"), SODIUM_LOW, SODIUM_HIGH)
    components = {**term.components, "sodium": sodium}
    meld_i = None if term.unrounded is None else half_up(nine_decimals(term.unrounded))
    details = {} if meld_i is None else {"meld_i": meld_i}
    missing = ("sodium",) if meld_i is not None and meld_i > _STEP and sodium is None else term.missing
    if meld_i is None or missing:
        return ScoreResult(
            "meld_na_2016",
            "incomplete",
            missing=missing,
            reasons=reasons(missing, inputs),
            components=components,
            details=details,
            flags=term.flags,
        )
    unrounded = nine_decimals(with_sodium(meld_i, sodium))
    return ScoreResult(
        "meld_na_2016",
        "complete",
        score=min(CAP, half_up(unrounded)),
        unrounded=unrounded,
        components=components,
        details=details,
        flags=term.flags,
    )


def with_sodium(meld_i: int, sodium: Fraction | None) -> Fraction:
    """MELD(i) raised by a bounded sodium, exact; unchanged up to 11."""
    if meld_i <= _STEP or sodium is None:
        return Fraction(meld_i)
    lacking = SODIUM_HIGH - sodium
    return meld_i + _PER_MMOL * lacking - _PER_MMOL_AND_POINT * meld_i * lacking


MELD_NA_2016 = Score("meld_na_2016", INPUTS, meld_na_2016, one_draw=("creatinine", "tbil", "inr", "sodium"))
