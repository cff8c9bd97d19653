"""SOFA of 1996 (`scores.md` section 6). SOFA-2 of 2025 (section 7) is not computed: it is optional and switched off,
known from secondary descriptions only, and the reference has no vectors for it.

Vincent JL, Moreno R, Takala J, et al. Intensive Care Med 1996;22:707-710. Vincent JL, et al. Crit Care Med
1998;26:1793-1800. Lambden S, et al. Crit Care 2019;23:374.

Decided here, because the reference leaves room: renal replacement, which `rrt_scores_4` scores 4, is known from the
dialysis counts of the seven days, so that the days between two sessions count too; it is a scoring rule like the one
for HFNC, so the status stays `complete`, with flag and basis. A censored urine output that could give more points
than creatinine does is missing, rather than left out: oliguria that was seen is not to be forgotten. Durations and
doses are asked for only where the agent could still give more points than a counted one.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from hepatrail_projections.clinical.scores.bands import (
    Bands,
    Part,
    Sum,
    banded,
    bands,
    open_part,
    scored,
    settled,
    span_of,
)
from hepatrail_projections.clinical.scores.common import (
    Detail,
    Inputs,
    Options,
    Score,
    ScoreInput,
    ScoreResult,
    why_missing,
)
from hepatrail_projections.clinical.scores.gcs import BEFORE_TUBE, COMPONENTS, SEDATED, TOTAL, Coma, read_coma
from hepatrail_projections.clinical.scores.meld_common import BILIRUBIN_PER_MG_DL, CREATININE_PER_MG_DL, HOURS, SESSIONS

AGENTS = {
    "dopamine": bands({">15": 4, ">5": 3, ">0": 2}, below=0),
    "dobutamine": bands({">0": 2}, below=0),
    "epinephrine": bands({">0.1": 4, ">0": 3}, below=0),
    "norepinephrine": bands({">0.1": 4, ">0": 3}, below=0),
}
"""ug/kg/min, norepinephrine as base."""

INPUTS = (
    "pao2",
    "fio2",
    "respiratory_support",
    "platelets",
    "tbil",
    "map",
    "vasoactive_given",
    *(f"{agent}_{what}" for agent in AGENTS for what in ("dose", "duration_min")),
    "other_vasoactive",
    *COMPONENTS,
    TOTAL,
    "creatinine",
    "urine_output_24h",
    "fio2_source",
    SEDATED,
    BEFORE_TUBE,
    SESSIONS,
    HOURS,
)
MOST: Mapping[str, int] = dict.fromkeys(("respiration", "coagulation", "liver", "cardiovascular", "cns", "renal"), 4)

_UNSUPPORTED = bands({"400": 0, "300": 1}, below=2)
_SUPPORTED = bands({"400": 0, "300": 1, "200": 2, "100": 3}, below=4)
_SUPPORT = frozenset({"imv", "niv", "cpap", "ecmo_resp"})
_PLATELETS = bands({"150": 0, "100": 1, "50": 2, "20": 3}, below=4)
_MAP = bands({"70": 0}, below=1)
_COMA = bands({"15": 0, "13": 1, "10": 2, "6": 3}, below=4)
_URINE = bands({"500": 0, "200": 3}, below=4)
_BILIRUBIN = {
    "si": bands({">204": 4, "102": 3, "33": 2, "20": 1}, below=0),
    "conventional": bands({"12": 4, "6": 3, "2": 2, "1.2": 1}, below=0).scaled(BILIRUBIN_PER_MG_DL),
}
_CREATININE = {
    "si": bands({">440": 4, "300": 3, "171": 2, "110": 1}, below=0),
    "conventional": bands({"5": 4, "3.5": 3, "2": 2, "1.2": 1}, below=0).scaled(CREATININE_PER_MG_DL),
}
_COUNTED_FROM = bands({"60": 1}, below=0)
_DURATION_UNKNOWN = (0, 1)


def sofa_1996(inputs: Inputs, options: Options) -> ScoreResult:
    """SOFA 0 to 24 from canonical inputs; `without_liver` beside it is the secondary total of liver failure."""
    coma = read_coma(inputs, options, total_read=True)
    cardiovascular, outside = _cardiovascular(inputs)
    renal, basis = _renal(inputs, options)
    replaced = basis == "renal_replacement"
    estimated = "fio2_source" in inputs and inputs["fio2_source"].text == "estimated"
    result = Sum(
        "sofa_1996",
        {
            "respiration": _respiration(inputs, options),
            "coagulation": banded("platelets", inputs, _PLATELETS),
            "liver": banded("tbil", inputs, _BILIRUBIN[options.sofa_unit_mode]),
            "cardiovascular": cardiovascular,
            "cns": _cns(coma),
            "renal": renal,
        },
        MOST,
        assumed=coma.assumed,
        flags=(*coma.flags, *(("rrt_scores_4",) if replaced else ()), *(("fio2_estimated",) if estimated else ())),
        warnings=("vasoactive_outside_table",) if outside else (),
    ).result(options)
    details: dict[str, Detail] = {} if basis is None else {"renal_basis": basis}
    liver = result.components["liver"]
    if result.score is not None and isinstance(liver, int):
        details["without_liver"] = result.score - liver
    return replace(result, details=details)


def _cns(coma: Coma) -> Part:
    least = _COMA.of(Fraction(coma.greatest))
    return Part(None, least, coma.missing) if coma.total is None else scored(least)


def _respiration(inputs: Inputs, options: Options) -> Part:
    pao2, fio2 = span_of(inputs.get("pao2")), span_of(inputs.get("fio2"))
    if pao2 is None or fio2 is None:
        return open_part(inputs, *(code for code, known in (("pao2", pao2), ("fio2", fio2)) if known is None))
    ratio = pao2.over(fio2)
    supported = _SUPPORTED.points(ratio)
    support = inputs["respiratory_support"].text if "respiratory_support" in inputs else None
    if support is None and supported[0] == supported[1] and supported != _UNSUPPORTED.points(ratio):
        return open_part(inputs, "respiratory_support", least=_UNSUPPORTED.points(ratio)[0])
    counts = support in _SUPPORT or (support == "hfnc" and options.hfnc_counts_as_support)
    possible = supported if counts or support is None else _UNSUPPORTED.points(ratio)
    return settled(possible, inputs, "pao2", "fio2")


def _cardiovascular(inputs: Inputs) -> tuple[Part, bool]:
    """The component, and whether only agents outside the table run."""
    stated = inputs["vasoactive_given"].text if "vasoactive_given" in inputs else None
    if stated is None:
        return open_part(inputs, "vasoactive_given"), False
    by_pressure = banded("map", inputs, _MAP)
    if stated == "no":
        return by_pressure, False
    sure, tabled = 0, False
    pending: dict[str, int] = {}
    for agent, table in AGENTS.items():
        fewest, most, lacking = _agent(agent, table, inputs)
        tabled = tabled or (f"{agent}_dose" in inputs and inputs[f"{agent}_dose"].number != 0)
        sure = max(sure, fewest)
        if lacking is not None:
            pending[lacking] = most
    open_ones = [code for code, most in pending.items() if most > sure]
    if open_ones:
        return open_part(inputs, *open_ones, least=max(sure, by_pressure.least)), False
    if sure:
        return scored(sure), False
    if tabled:
        return by_pressure, False
    if "other_vasoactive" in inputs and inputs["other_vasoactive"].text is not None:
        return by_pressure, True
    return open_part(inputs, "vasoactive_dose", least=by_pressure.least), False


def _agent(agent: str, table: Bands, inputs: Inputs) -> tuple[int, int, str | None]:
    """Fewest and most points that an agent gives, and the code that leaves it open."""
    dose, minutes = f"{agent}_dose", f"{agent}_duration_min"
    amount, lasted = span_of(inputs.get(dose)), span_of(inputs.get(minutes))
    counted = _DURATION_UNKNOWN if lasted is None else _COUNTED_FROM.points(lasted)
    if amount is None:
        running = dose in inputs and counted[1]
        return 0, max(cut.points for cut in table.cuts) if running else 0, dose if running else None
    low, high = table.points(amount)
    fewest, most = low * counted[0], high * counted[1]
    if fewest == most:
        return fewest, most, None
    return fewest, most, dose if low != high else minutes


def _renal(inputs: Inputs, options: Options) -> tuple[Part, str | None]:
    """The component and what it rests on where that needs saying."""
    if options.rrt_scores_4 and any(_replaced(inputs.get(code)) for code in (SESSIONS, HOURS)):
        return scored(4), "renal_replacement"
    creatinine, urine = span_of(inputs.get("creatinine")), span_of(inputs.get("urine_output_24h"))
    table = _CREATININE[options.sofa_unit_mode]
    by_creatinine = (0, 4) if creatinine is None else table.points(creatinine)
    by_urine = (0, 0) if urine is None else _URINE.points(urine)
    basis = "creatinine_only" if urine is None and creatinine is not None else None
    fewest, most = max(by_creatinine[0], by_urine[0]), max(by_creatinine[1], by_urine[1])
    if fewest == most:
        return scored(fewest), basis
    lacking = [
        code
        for code, (least, greatest) in (("creatinine", by_creatinine), ("urine_output_24h", by_urine))
        if least != greatest and greatest > fewest
    ]
    return Part(None, fewest, {code: why_missing(inputs.get(code)) for code in lacking}), None


def _replaced(count: ScoreInput | None) -> bool:
    """Whether a count of the seven days is certainly above zero."""
    number = None if count is None else count.number
    if count is None or number is None:
        return False
    return (number > 0 and count.comparator in (None, ">=")) or (number >= 0 and count.comparator == ">")


SOFA_1996 = Score(
    "sofa_1996",
    INPUTS,
    sofa_1996,
    option_names=(
        "missing_policy",
        "sofa_unit_mode",
        "hfnc_counts_as_support",
        "rrt_scores_4",
        "verbal_nt_policy",
    ),
)
