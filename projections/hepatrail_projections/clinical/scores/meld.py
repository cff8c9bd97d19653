"""MELD, the UNOS/OPTN form of 2002 (`scores.md` section 1).

Malinchoc M, et al. Hepatology 2000;31:864-871. Kamath PS, et al. Hepatology 2001;33:464-470. Wiesner R, et al.
Gastroenterology 2003;124:91-96. UNOS policy 3.6.4.1 (2002), later OPTN policy 9.1.D.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import log

from hepatrail_projections.clinical.scores.common import (
    Options,
    Score,
    ScoreInput,
    ScoreResult,
    bounded,
    half_up,
    invalid_codes,
    nine_decimals,
    why_missing,
)

INPUTS = ("creatinine", "tbil", "inr", "dialysis_sessions_7d")

_CREATININE_PER_MG_DL = Fraction("88.4")
_BILIRUBIN_PER_MG_DL = Fraction("17.1")
_ONE = Fraction(1)
_CREATININE_LOW = _CREATININE_PER_MG_DL
_CREATININE_CAP = 4 * _CREATININE_PER_MG_DL
_SESSIONS_OF_THE_RULE = 2


def meld_2002(inputs: Mapping[str, ScoreInput], options: Options) -> ScoreResult:
    """MELD 6 to 40 from canonical inputs (umol/L; INR; sessions in the 168 h before the creatinine sample).

    Creatinine is not needed when the dialysis rule is met, the sessions are not needed when creatinine is at or
    above 4.0 mg/dL, and are listed as missing only when creatinine is known.
    """
    seen = tuple(inputs[code] for code in INPUTS if code in inputs)
    invalid = invalid_codes(seen)
    if invalid:
        return ScoreResult("meld_2002", "invalid_input", invalid=invalid, inputs=seen, options=options)
    dialysed = _dialysed(inputs.get("dialysis_sessions_7d"))
    measured = bounded(inputs.get("creatinine"), _CREATININE_LOW, _CREATININE_CAP)
    creatinine = _CREATININE_CAP if dialysed else measured
    needed = {
        "creatinine": creatinine,
        "tbil": bounded(inputs.get("tbil"), _BILIRUBIN_PER_MG_DL, None),
        "inr": bounded(inputs.get("inr"), _ONE, None),
    }
    missing = [code for code, value in needed.items() if value is None]
    if dialysed is None and creatinine is not None and creatinine < _CREATININE_CAP:
        missing.append("dialysis_sessions_7d")
    components = {
        "creatinine_mg_dl": _per(creatinine, _CREATININE_PER_MG_DL),
        "tbil_mg_dl": _per(needed["tbil"], _BILIRUBIN_PER_MG_DL),
        "inr": needed["inr"],
    }
    flags = ("dialysis_rule",) if dialysed else ()
    if missing:
        reasons = {code: why for code in missing if (why := why_missing(inputs.get(code))) is not None}
        return ScoreResult(
            "meld_2002",
            "incomplete",
            missing=tuple(sorted(missing)),
            reasons=reasons,
            components=components,
            inputs=seen,
            options=options,
            flags=flags,
        )
    logs = {name: log(value) for name, value in components.items() if value is not None}
    unrounded = nine_decimals(
        10 * (0.957 * logs["creatinine_mg_dl"] + 0.378 * logs["tbil_mg_dl"] + 1.120 * logs["inr"] + 0.643)
    )
    return ScoreResult(
        "meld_2002",
        "complete",
        score=min(40, half_up(unrounded)),
        unrounded=unrounded,
        components=components,
        inputs=seen,
        options=options,
        flags=flags,
    )


def _dialysed(stated: ScoreInput | None) -> bool | None:
    """Whether two or more sessions were held; None when unknown, or stated with a sign that leaves it open."""
    number = None if stated is None else stated.number
    if stated is None or number is None:
        return None
    fewest = number + 1 if stated.comparator == ">" else number
    most = number - 1 if stated.comparator == "<" else number
    if fewest >= _SESSIONS_OF_THE_RULE and stated.comparator in (None, ">", ">="):
        return True
    if most < _SESSIONS_OF_THE_RULE and stated.comparator in (None, "<", "<="):
        return False
    return None


def _per(value: Fraction | None, unit: Fraction) -> Fraction | None:
    return None if value is None else value / unit


MELD_2002 = Score("meld_2002", INPUTS, one_draw=("creatinine", "tbil", "inr"), compute=meld_2002)
