"""APACHE II of 1985 (`scores.md` section 8). Predicted mortality is not computed.

Knaus WA, Draper EA, Wagner DP, Zimmerman JE. Crit Care Med 1985;13:818-829. Repeated use at study visits is
descriptive: the score was validated for the worst values of the first 24 ICU hours.
"""

from dataclasses import replace
from fractions import Fraction

from hepatrail_projections.clinical.scores.bands import (
    Part,
    Span,
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
    ScoreResult,
    why_missing,
)
from hepatrail_projections.clinical.scores.gcs import BEFORE_TUBE, COMPONENTS, SEDATED, TOTAL, Coma, read_coma
from hepatrail_projections.clinical.scores.meld_common import CREATININE_PER_MG_DL

PH_OR_HCO3 = "ph_arterial|hco3_serum"
"""How the reference names the one input that either of the two can be."""

INPUTS = (
    "temperature",
    "map",
    "heart_rate",
    "resp_rate",
    "fio2",
    "pao2",
    "paco2",
    "ph_arterial",
    "hco3_serum",
    "sodium",
    "potassium",
    "creatinine",
    "acute_renal_failure",
    "hematocrit",
    "wbc",
    *COMPONENTS,
    TOTAL,
    "age",
    "chronic_health",
    "admission_type",
    "temperature_site",
    "fio2_source",
    SEDATED,
    BEFORE_TUBE,
)

_PHYSIOLOGY = {
    "temperature": bands({"41": 4, "39": 3, "38.5": 1, "36": 0, "34": 1, "32": 2, "30": 3}, below=4),
    "map": bands({"160": 4, "130": 3, "110": 2, "70": 0, "50": 2}, below=4),
    "heart_rate": bands({"180": 4, "140": 3, "110": 2, "70": 0, "55": 2, "40": 3}, below=4),
    "resp_rate": bands({"50": 4, "35": 3, "25": 1, "12": 0, "10": 1, "6": 2}, below=4),
    "sodium": bands({"180": 4, "160": 3, "155": 2, "150": 1, "130": 0, "120": 2, "111": 3}, below=4),
    "potassium": bands({"7": 4, "6": 3, "5.5": 1, "3.5": 0, "3": 1, "2.5": 2}, below=4),
    "hematocrit": bands({"60": 4, "50": 2, "46": 1, "30": 0, "20": 2}, below=4),
    "wbc": bands({"40": 4, "20": 2, "15": 1, "3": 0, "1": 2}, below=4),
}
_A_ADO2 = bands({"500": 4, "350": 3, "200": 2}, below=0)
_PAO2 = bands({">70": 0, "61": 1, "55": 3}, below=4)
_PH = bands({"7.70": 4, "7.60": 3, "7.50": 1, "7.33": 0, "7.25": 2, "7.15": 3}, below=4)
_HCO3 = bands({"52": 4, "41": 3, "32": 1, "22": 0, "18": 2, "15": 3}, below=4)
_CREATININE = bands({"3.5": 4, "2": 3, "1.5": 2, "0.6": 0}, below=2).scaled(CREATININE_PER_MG_DL)
_CREATININE_IN_FAILURE = bands({"3.5": 8, "2": 6, "1.5": 4, "0.6": 0}, below=2).scaled(CREATININE_PER_MG_DL)
_CREATININE_LOW = bands({"0.6": 0}, below=1).scaled(CREATININE_PER_MG_DL)
_AGE = bands({"75": 6, "65": 5, "55": 3, "45": 2}, below=0)
_HIGH_OXYGEN = bands({"0.5": 1}, below=0)
_CHRONIC = {"nonoperative": 5, "emergency_postoperative": 5, "elective_postoperative": 2}

_WATER_VAPOUR = 47
_RESPIRATORY_QUOTIENT = Fraction("0.8")
_FULL_COMA = 15

_ORDER = (
    *("temperature", "map", "heart_rate", "resp_rate", "oxygenation", "acid_base", "sodium", "potassium"),
    *("creatinine", "hematocrit", "wbc", "gcs", "age", "chronic_health"),
)
MOST = dict.fromkeys(_ORDER, 4) | {"creatinine": 8, "gcs": 12, "age": 6, "chronic_health": 5}
_STATIC = ("age", "chronic_health")


def apache_ii_1985(inputs: Inputs, options: Options) -> ScoreResult:
    """APACHE II 0 to 71 from canonical inputs; components are points, `aps` the sum of the first twelve."""
    coma = read_coma(inputs, options, total_read=True)
    oxygenation, a_ado2 = _oxygenation(inputs, options)
    acid_base, basis = _acid_base(inputs)
    parts = {code: banded(code, inputs, table) for code, table in _PHYSIOLOGY.items()} | {
        "oxygenation": oxygenation,
        "acid_base": acid_base,
        "creatinine": _creatinine(inputs),
        "gcs": _gcs(coma),
        "age": banded("age", inputs, _AGE),
        "chronic_health": _chronic_health(inputs),
    }
    result = Sum(
        "apache_ii_1985",
        {name: parts[name] for name in _ORDER},
        MOST,
        never_assumed=frozenset({"age", "chronic_health", "admission_type", "acute_renal_failure"}),
        assumed=coma.assumed,
        flags=(*coma.flags, *(("fio2_estimated",) if _is(inputs, "fio2_source", "estimated") else ())),
        warnings=_warnings(inputs),
    ).result(options)
    details: dict[str, Detail] = {}
    if result.score is not None:
        static = sum(points for name in _STATIC if isinstance(points := result.components[name], int))
        details["aps"] = result.score - static
    if a_ado2 is not None:
        details["a_ado2"] = a_ado2
    if basis is not None:
        details["acid_base_basis"] = basis
    return replace(result, details=details)


def _oxygenation(inputs: Inputs, options: Options) -> tuple[Part, Fraction | None]:
    """The component, and the alveolar-arterial difference in mm[Hg] where it decides."""
    fio2, pao2, paco2 = (span_of(inputs.get(code)) for code in ("fio2", "pao2", "paco2"))
    high = (0, 1) if fio2 is None else _HIGH_OXYGEN.points(fio2)
    if fio2 is None or high[0] != high[1]:
        return open_part(inputs, *("fio2", "pao2") if pao2 is None else ("fio2",)), None
    if high[0] == 0:
        return (open_part(inputs, "pao2") if pao2 is None else settled(_PAO2.points(pao2), inputs, "pao2")), None
    if pao2 is None or paco2 is None:
        return open_part(inputs, *(code for code, known in (("pao2", pao2), ("paco2", paco2)) if known is None)), None
    difference = _a_ado2(fio2, pao2, paco2, options.barometric_pressure)
    return settled(_A_ADO2.points(difference), inputs, "fio2", "pao2", "paco2"), difference.exact


def _a_ado2(fio2: Span, pao2: Span, paco2: Span, pressure: Fraction) -> Span:
    return fio2.scaled(pressure - _WATER_VAPOUR).minus(paco2.scaled(1 / _RESPIRATORY_QUOTIENT)).minus(pao2)


def _acid_base(inputs: Inputs) -> tuple[Part, str | None]:
    """By arterial pH, else by serum bicarbonate; one that is censored so that its points are open is not there."""
    for code, table in (("ph_arterial", _PH), ("hco3_serum", _HCO3)):
        part = banded(code, inputs, table)
        if part.points is not None:
            return part, code
    why = why_missing(inputs.get("ph_arterial")) or why_missing(inputs.get("hco3_serum"))
    return Part(None, 0, {PH_OR_HCO3: why}), None


def _creatinine(inputs: Inputs) -> Part:
    span = span_of(inputs.get("creatinine"))
    if span is None:
        return open_part(inputs, "creatinine")
    alone, doubled = _CREATININE.points(span), _CREATININE_IN_FAILURE.points(span)
    failure = inputs["acute_renal_failure"].text if "acute_renal_failure" in inputs else None
    if failure is None and alone != doubled and alone[0] == alone[1]:
        return open_part(inputs, "acute_renal_failure", least=alone[0])
    return settled(doubled if failure == "true" else alone, inputs, "creatinine")


def _gcs(coma: Coma) -> Part:
    least = _FULL_COMA - coma.greatest
    return Part(None, least, coma.missing) if coma.total is None else scored(least)


def _chronic_health(inputs: Inputs) -> Part:
    chronic = inputs["chronic_health"].text if "chronic_health" in inputs else None
    if chronic is None:
        return open_part(inputs, "chronic_health")
    if chronic == "false":
        return scored(0)
    admission = inputs["admission_type"].text if "admission_type" in inputs else None
    return open_part(inputs, "admission_type") if admission is None else scored(_CHRONIC[admission])


def _warnings(inputs: Inputs) -> tuple[str, ...]:
    found = []
    if _is(inputs, "temperature_site", "axillary"):
        found.append("temperature_axillary")
    span = span_of(inputs.get("creatinine"))
    if _is(inputs, "acute_renal_failure", "true") and span is not None and _CREATININE_LOW.points(span) == (1, 1):
        found.append("acute_renal_failure_low_creatinine")
    return tuple(found)


def _is(inputs: Inputs, code: str, value: str) -> bool:
    return code in inputs and inputs[code].text == value


APACHE_II_1985 = Score(
    "apache_ii_1985",
    INPUTS,
    apache_ii_1985,
    option_names=("missing_policy", "verbal_nt_policy", "barometric_pressure"),
)
