"""MELD 3.0, OPTN 2023, for adults (`scores.md` section 3).

Kim WR, Mannalithara A, Heimbach JK, et al. Gastroenterology 2021;161:1887-1895. OPTN policy 9.1.D, in force since
13 July 2023. Above bilirubin 30.5 mg/dL the interaction term makes a lower sodium lower the score; that is meant so.
"""

from fractions import Fraction
from math import log

from hepatrail_projections.clinical.scores.common import (
    Inputs,
    Options,
    Score,
    ScoreResult,
    bounded,
    half_up,
    nine_decimals,
)
from hepatrail_projections.clinical.scores.meld_common import HOURS, SESSIONS, flags, liver, reasons, renal
from hepatrail_projections.clinical.scores.meld_na import SODIUM_HIGH, SODIUM_LOW

INPUTS = ("sex", "creatinine", "tbil", "inr", "sodium", "albumin", SESSIONS, HOURS)

_CREATININE_CAP_MG_DL = 3
_FLOOR = 6
_PER_G_DL = Fraction(10)
_ALBUMIN_LOW, _ALBUMIN_HIGH = Fraction(15), Fraction(35)
_ALBUMIN_HIGH_G_DL = 3.5


def meld_3_0(inputs: Inputs, options: Options) -> ScoreResult:
    """MELD 3.0, from 6 to `meld3_cap` (40, or none), from canonical inputs (umol/L; g/L; mmol/L; INR)."""
    kidney = renal(inputs, _CREATININE_CAP_MG_DL, (SESSIONS, HOURS))
    albumin = bounded(inputs.get("albumin"), _ALBUMIN_LOW, _ALBUMIN_HIGH)
    needed = {
        **liver(inputs),
        "sodium": bounded(inputs.get("sodium"), SODIUM_LOW, SODIUM_HIGH),
        "albumin": None if albumin is None else albumin / _PER_G_DL,
    }
    sex = inputs["sex"].text if "sex" in inputs else None
    lacking = [*kidney.missing, *(code for code, value in needed.items() if value is None)]
    missing = tuple(sorted(lacking if sex is not None else [*lacking, "sex"]))
    components: dict[str, Fraction | int | None] = {
        "creatinine_mg_dl": kidney.creatinine,
        "tbil_mg_dl": needed["tbil"],
        "inr": needed["inr"],
        "sodium": needed["sodium"],
        "albumin_g_dl": needed["albumin"],
    }
    if missing:
        return ScoreResult(
            "meld_3_0",
            "incomplete",
            missing=missing,
            reasons=reasons(missing, inputs),
            components=components,
            flags=flags(kidney),
        )
    creatinine, tbil, inr, sodium, grams = (float(value) for value in components.values() if value is not None)
    unrounded = nine_decimals(_formula(sex == "female", log(creatinine), log(tbil), log(inr), sodium, grams))
    score = max(_FLOOR, half_up(unrounded))
    return ScoreResult(
        "meld_3_0",
        "complete",
        score=score if options.meld3_cap is None else min(options.meld3_cap, score),
        unrounded=unrounded,
        components=components,
        flags=flags(kidney),
    )


def _formula(female: bool, ln_creatinine: float, ln_tbil: float, ln_inr: float, sodium: float, albumin: float) -> float:
    sodium_lacking, albumin_lacking = 137 - sodium, _ALBUMIN_HIGH_G_DL - albumin
    return (
        (1.33 if female else 0.0)
        + 4.56 * ln_tbil
        + 0.82 * sodium_lacking
        - 0.24 * sodium_lacking * ln_tbil
        + 9.09 * ln_inr
        + 11.14 * ln_creatinine
        + 1.85 * albumin_lacking
        - 1.83 * albumin_lacking * ln_creatinine
        + 6
    )


MELD_3_0 = Score(
    "meld_3_0",
    INPUTS,
    meld_3_0,
    one_draw=("creatinine", "tbil", "inr", "sodium", "albumin"),
    option_names=("meld3_cap",),
)
