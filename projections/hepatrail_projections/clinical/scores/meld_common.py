"""What MELD, MELD-Na and MELD 3.0 share: bounds, the dialysis rule, the missing list (`scores.md` sections 0.2, 1-3).

Under `censored` dialysis counts see section 0.5: a stated `>=2` decides the rule, a stated `<3` leaves it open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from hepatrail_projections.clinical.scores.common import Inputs, ScoreInput, bounded, why_missing

SESSIONS, HOURS = "dialysis_sessions_7d", "cvvhd_hours_7d"
SESSIONS_OF_THE_RULE = 2
HOURS_OF_THE_RULE = 24

CREATININE_PER_MG_DL = Fraction("88.4")
BILIRUBIN_PER_MG_DL = Fraction("17.1")
ONE_MG_DL_CREATININE = CREATININE_PER_MG_DL
ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Renal:
    """Creatinine in mg/dL after bounds and dialysis rule, None while open; `dialysed` when the rule was met."""

    creatinine: Fraction | None
    missing: tuple[str, ...]
    dialysed: bool


def renal(inputs: Inputs, cap_mg_dl: int, counts: tuple[str, ...]) -> Renal:
    """Creatinine under the cap; `counts` are the codes of the dialysis rule that the score knows.

    Creatinine is not needed when the rule is met. A count is not needed when creatinine is at or above the cap or
    the other count meets the rule, and is listed as missing only when creatinine is known.
    """
    cap = cap_mg_dl * CREATININE_PER_MG_DL
    met = {code: _meets(inputs.get(code), code) for code in counts}
    if any(met.values()):
        return Renal(Fraction(cap_mg_dl), (), True)
    measured = bounded(inputs.get("creatinine"), ONE_MG_DL_CREATININE, cap)
    if measured is None:
        return Renal(None, ("creatinine",), False)
    unknown = tuple(code for code in counts if met[code] is None) if measured < cap else ()
    return Renal(measured / CREATININE_PER_MG_DL, unknown, False)


def liver(inputs: Inputs) -> dict[str, Fraction | None]:
    """Bilirubin (mg/dL) and INR, at least 1.0 each, None while open."""
    tbil = bounded(inputs.get("tbil"), BILIRUBIN_PER_MG_DL, None)
    return {
        "tbil": None if tbil is None else tbil / BILIRUBIN_PER_MG_DL,
        "inr": bounded(inputs.get("inr"), ONE, None),
    }


def reasons(missing: tuple[str, ...], inputs: Inputs) -> dict[str, str]:
    """Why a missing input that was there could not be used."""
    return {code: why for code in missing if (why := why_missing(inputs.get(code))) is not None}


def flags(kidney: Renal) -> tuple[str, ...]:
    """`dialysis_rule` where dialysis replaced the measured creatinine."""
    return ("dialysis_rule",) if kidney.dialysed else ()


def _meets(stated: ScoreInput | None, code: str) -> bool | None:
    """Whether a count reaches its limit; None when unknown, or stated with a sign that leaves it open."""
    number = None if stated is None else stated.number
    if stated is None or number is None:
        return None
    limit, whole = (SESSIONS_OF_THE_RULE, 1) if code == SESSIONS else (HOURS_OF_THE_RULE, 0)
    return _DECIDES[stated.comparator](number, limit, whole)


_Decision = Callable[[Fraction, int, int], bool | None]
_DECIDES: dict[str | None, _Decision] = {
    None: lambda number, limit, _: number >= limit,
    ">=": lambda number, limit, _: True if number >= limit else None,
    ">": lambda number, limit, whole: True if number + whole >= limit else None,
    "<": lambda number, limit, _: False if number <= limit else None,
    "<=": lambda number, limit, _: False if number < limit else None,
}
