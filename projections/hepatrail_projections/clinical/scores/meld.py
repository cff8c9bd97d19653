"""MELD, the UNOS/OPTN form of 2002 (`scores.md` section 1).

Malinchoc M, et al. Hepatology 2000;31:864-871. Kamath PS, et al. Hepatology 2001;33:464-470. Wiesner R, et al.
Gastroenterology 2003;124:91-96. UNOS policy 3.6.4.1 (2002), later OPTN policy 9.1.D.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import log

from hepatrail_projections.clinical.scores.common import Inputs, Options, Score, ScoreResult, half_up, nine_decimals
from hepatrail_projections.clinical.scores.meld_common import SESSIONS, flags, liver, reasons, renal

INPUTS = ("creatinine", "tbil", "inr", SESSIONS)
CAP = 40

_CREATININE_CAP_MG_DL = 4


@dataclass(frozen=True, slots=True)
class MeldTerm:
    """The sum of 2002 before rounding and cap, times 10; None while an input is open."""

    unrounded: float | None
    missing: tuple[str, ...]
    components: dict[str, Fraction | int | None]
    flags: tuple[str, ...]


def meld_term(inputs: Inputs, counts: tuple[str, ...]) -> MeldTerm:
    """What MELD 2002 and MELD-Na have in common; `counts` are the codes of the dialysis rule."""
    kidney = renal(inputs, _CREATININE_CAP_MG_DL, counts)
    others = liver(inputs)
    components: dict[str, Fraction | int | None] = {
        "creatinine_mg_dl": kidney.creatinine,
        "tbil_mg_dl": others["tbil"],
        "inr": others["inr"],
    }
    missing = (*kidney.missing, *(code for code, value in others.items() if value is None))
    if missing:
        return MeldTerm(None, tuple(sorted(missing)), components, flags(kidney))
    creatinine, tbil, inr = (log(value) for value in components.values() if value is not None)
    unrounded = 10 * (0.957 * creatinine + 0.378 * tbil + 1.120 * inr + 0.643)
    return MeldTerm(unrounded, (), components, flags(kidney))


def meld_2002(inputs: Inputs, options: Options) -> ScoreResult:
    """MELD 6 to 40 from canonical inputs (umol/L; INR; sessions in the 168 h before the creatinine sample)."""
    del options
    term = meld_term(inputs, (SESSIONS,))
    if term.unrounded is None:
        return ScoreResult(
            "meld_2002",
            "incomplete",
            missing=term.missing,
            reasons=reasons(term.missing, inputs),
            components=term.components,
            flags=term.flags,
        )
    unrounded = nine_decimals(term.unrounded)
    return ScoreResult(
        "meld_2002",
        "complete",
        score=min(CAP, half_up(unrounded)),
        unrounded=unrounded,
        components=term.components,
        flags=term.flags,
    )


MELD_2002 = Score("meld_2002", INPUTS, meld_2002, one_draw=("creatinine", "tbil", "inr"))
