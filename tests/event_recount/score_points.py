"""MELD, GCS, SOFA and APACHE II of canonical inputs, by the tables of `scores.md` (sections 1, 5, 6 and 8).

None is an incomplete score. A censored value counts only if all that it allows gives the same points (0.5).
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor, log
from typing import NamedTuple

TINY, HUGE = Fraction(1, 10**12), Fraction(10**12)


class Value(NamedTuple):
    """An input: a number in the canonical unit or a code, with the sign of a censored one."""

    value: Fraction | str
    comparator: str | None = None


Inputs = Mapping[str, Value]
Bands = Sequence[tuple[str, int]]
"""Lower limits, inclusive unless they begin with `>`, from the highest down, with their points."""


def points(given: Value | None, bands: Bands, below: int) -> int | None:
    """The points of a value; None where it is absent or censored so that several are possible."""
    if given is None or isinstance(given.value, str):
        return None
    limits = [Fraction(limit.lstrip(">")) for limit, _ in bands]
    near = [each + shift for each in (given.value, *limits) for shift in (-TINY, 0, TINY)]
    possible = {_band(each, bands, below) for each in (*near, Fraction(0), HUGE) if _allows(given, each)}
    return possible.pop() if len(possible) == 1 else None


def _allows(given: Value, number: Fraction) -> bool:
    assert isinstance(given.value, Fraction)
    match given.comparator:
        case "<":
            return 0 <= number < given.value
        case "<=":
            return 0 <= number <= given.value
        case ">":
            return number > given.value
        case ">=":
            return number >= given.value
        case _:
            return number == given.value


def _band(number: Fraction, bands: Bands, below: int) -> int:
    for limit, found in bands:
        if number > Fraction(limit.lstrip(">")) or (number == Fraction(limit.lstrip(">")) and limit[0] != ">"):
            return found
    return below


def meld(inputs: Inputs) -> int | None:
    """MELD of 2002: 10 (0.957 ln creatinine + 0.378 ln bilirubin + 1.120 ln INR + 0.643), half up, at most 40."""
    bilirubin, inr = _bounded(inputs.get("tbil"), Fraction("17.1")), _bounded(inputs.get("inr"), Fraction(1))
    creatinine = _creatinine_of_meld(inputs)
    if creatinine is None or bilirubin is None or inr is None:
        return None
    raw = 10 * (0.957 * log(creatinine) + 0.378 * log(bilirubin) + 1.120 * log(inr) + 0.643)
    return min(40, floor(round(raw, 9) + 0.5))


def _bounded(given: Value | None, unit: Fraction) -> Fraction | None:
    """In multiples of the unit, at least 1; None where the sign leaves the bounded value open."""
    if given is None or isinstance(given.value, str):
        return None
    if given.comparator is not None:
        return Fraction(1) if given.comparator[0] == "<" and given.value <= unit else None
    return max(Fraction(1), given.value / unit)


def _creatinine_of_meld(inputs: Inputs) -> Fraction | None:
    """In mg/dL, 1 to 4; 4 where two or more dialysis sessions are counted, which must be known below 4."""
    sessions, measured = inputs.get("dialysis_sessions_7d"), inputs.get("creatinine")
    dialysed = points(sessions, [("2", 1)], 0)
    if dialysed == 1:
        return Fraction(4)
    at_cap = points(measured, [("353.6", 1)], 0)
    if at_cap == 1:
        return Fraction(4)
    return None if dialysed is None else _bounded(measured, Fraction("88.4"))


def gcs(inputs: Inputs) -> int | None:
    """E + V + M, only if all three were tested."""
    tested = [inputs.get(f"gcs_{part}") for part in ("eye", "verbal", "motor")]
    numbers = [each.value for each in tested if each is not None and isinstance(each.value, Fraction)]
    return int(sum(numbers)) if len(numbers) == 3 else None


def _coma(inputs: Inputs) -> int | None:
    """The total as an input: stated directly only where no component was recorded."""
    total = inputs.get("gcs_total")
    if total is not None and isinstance(total.value, Fraction):
        return int(total.value)
    return gcs(inputs)


def sofa(inputs: Inputs) -> int | None:
    """SOFA of 1996, SI columns."""
    coma = _coma(inputs)
    parts = [
        _respiration(inputs),
        points(inputs.get("platelets"), [("150", 0), ("100", 1), ("50", 2), ("20", 3)], 4),
        points(inputs.get("tbil"), [(">204", 4), ("102", 3), ("33", 2), ("20", 1)], 0),
        _cardiovascular(inputs),
        None if coma is None else _band(Fraction(coma), [("15", 0), ("13", 1), ("10", 2), ("6", 3)], 4),
        _renal(inputs),
    ]
    return _sum(parts)


def _sum(parts: Sequence[int | None]) -> int | None:
    known = [each for each in parts if each is not None]
    return sum(known) if len(known) == len(parts) else None


def _ratio(inputs: Inputs) -> Value | None:
    pao2, fio2 = inputs.get("pao2"), inputs.get("fio2")
    if pao2 is None or fio2 is None or isinstance(pao2.value, str) or isinstance(fio2.value, str):
        return None
    if fio2.comparator is not None:
        return None
    return Value(pao2.value / fio2.value, pao2.comparator)


def _respiration(inputs: Inputs) -> int | None:
    """Below 200 the support decides between 2 points and 3 or 4."""
    ratio, support = _ratio(inputs), inputs.get("respiratory_support")
    alone = points(ratio, [("400", 0), ("300", 1)], 2)
    supported = points(ratio, [("400", 0), ("300", 1), ("200", 2), ("100", 3)], 4)
    if support is None:
        return supported if alone == supported else None
    return supported if support.value in ("imv", "niv", "cpap", "ecmo_resp") else alone


AGENTS: Mapping[str, Bands] = {
    "dopamine": [(">15", 4), (">5", 3), (">0", 2)],
    "dobutamine": [(">0", 2)],
    "epinephrine": [(">0.1", 4), (">0", 3)],
    "norepinephrine": [(">0.1", 4), (">0", 3)],
}
"""ug/kg/min."""


def _cardiovascular(inputs: Inputs) -> int | None:
    stated = inputs.get("vasoactive_given")
    by_pressure = points(inputs.get("map"), [("70", 0)], 1)
    if stated is None or stated.value == "no":
        return None if stated is None else by_pressure
    doses = {agent: inputs[f"{agent}_dose"] for agent in AGENTS if f"{agent}_dose" in inputs}
    counted, open_ones = [0], [0]
    for agent, dose in doses.items():
        most = points(dose, AGENTS[agent], 0)
        lasted = points(inputs.get(f"{agent}_duration_min"), [("60", 1)], 0)
        if most is None:
            open_ones.append(max(found for _, found in AGENTS[agent]))
        elif lasted is None:
            open_ones.append(most)
        else:
            counted.append(most * lasted)
    if max(open_ones) > max(counted):
        return None
    if max(counted):
        return max(counted)
    tabled = any(dose.value != 0 for dose in doses.values())
    return by_pressure if tabled or "other_vasoactive" in inputs else None


def _renal(inputs: Inputs) -> int | None:
    """The worse of creatinine and urine; creatinine is not needed below 200 mL."""
    creatinine = points(inputs.get("creatinine"), [(">440", 4), ("300", 3), ("171", 2), ("110", 1)], 0)
    urine = points(inputs.get("urine_output_24h"), [("500", 0), ("200", 3)], 4)
    if urine == 4 or creatinine is None:
        return 4 if urine == 4 else None
    if "urine_output_24h" in inputs and urine is None and creatinine < 4:
        return None
    return max(creatinine, urine or 0)


PHYSIOLOGY: Mapping[str, tuple[Bands, int]] = {
    "temperature": ([("41", 4), ("39", 3), ("38.5", 1), ("36", 0), ("34", 1), ("32", 2), ("30", 3)], 4),
    "map": ([("160", 4), ("130", 3), ("110", 2), ("70", 0), ("50", 2)], 4),
    "heart_rate": ([("180", 4), ("140", 3), ("110", 2), ("70", 0), ("55", 2), ("40", 3)], 4),
    "resp_rate": ([("50", 4), ("35", 3), ("25", 1), ("12", 0), ("10", 1), ("6", 2)], 4),
    "sodium": ([("180", 4), ("160", 3), ("155", 2), ("150", 1), ("130", 0), ("120", 2), ("111", 3)], 4),
    "potassium": ([("7.0", 4), ("6.0", 3), ("5.5", 1), ("3.5", 0), ("3.0", 1), ("2.5", 2)], 4),
    "hematocrit": ([("60", 4), ("50", 2), ("46", 1), ("30", 0), ("20", 2)], 4),
    "wbc": ([("40", 4), ("20", 2), ("15", 1), ("3", 0), ("1", 2)], 4),
}
PH: Bands = [("7.70", 4), ("7.60", 3), ("7.50", 1), ("7.33", 0), ("7.25", 2), ("7.15", 3)]
HCO3: Bands = [("52", 4), ("41", 3), ("32", 1), ("22", 0), ("18", 2), ("15", 3)]


def apache_ii(inputs: Inputs, enrolled: Mapping[str, object]) -> int | None:
    """APACHE II of 1985; age, chronic health and admission are those of the enrolment."""
    coma = _coma(inputs)
    by_ph, by_hco3 = points(inputs.get("ph_arterial"), PH, 4), points(inputs.get("hco3_serum"), HCO3, 4)
    chronic = (
        0 if enrolled["chronicHealth"] is False else 2 if enrolled["admissionType"] == "elective_postoperative" else 5
    )
    parts = [points(inputs.get(code), bands, below) for code, (bands, below) in PHYSIOLOGY.items()]
    parts += [_oxygenation(inputs), by_hco3 if by_ph is None else by_ph, _creatinine(inputs)]
    parts.append(None if coma is None else 15 - coma)
    parts.append(_band(Fraction(str(enrolled["ageYears"])), [("75", 6), ("65", 5), ("55", 3), ("45", 2)], 0))
    return _sum([*parts, chronic])


def _oxygenation(inputs: Inputs) -> int | None:
    """From FiO2 0.5 on by the alveolar-arterial difference, below by PaO2."""
    high, pao2 = points(inputs.get("fio2"), [("0.5", 1)], 0), inputs.get("pao2")
    if high is None or pao2 is None:
        return None
    if high == 0:
        return points(pao2, [(">70", 0), ("61", 1), ("55", 3)], 4)
    exact = [inputs[code] for code in ("fio2", "paco2", "pao2") if code in inputs and inputs[code].comparator is None]
    fio2, paco2, pressure = (each.value for each in exact) if len(exact) == 3 else (None, None, None)
    if not (isinstance(fio2, Fraction) and isinstance(paco2, Fraction) and isinstance(pressure, Fraction)):
        return None
    return _band(fio2 * 713 - paco2 / Fraction("0.8") - pressure, [("500", 4), ("350", 3), ("200", 2)], 0)


def _creatinine(inputs: Inputs) -> int | None:
    """By mg/dL x 88.4; from 1.5 mg/dL on doubled in acute renal failure, which must be known there."""
    limits = [("309.4", 4), ("176.8", 3), ("132.6", 2), ("53.04", 0)]
    alone, failure = points(inputs.get("creatinine"), limits, 2), inputs.get("acute_renal_failure")
    if alone is None or points(inputs.get("creatinine"), [("132.6", 1)], 0) == 0:
        return alone
    if failure is None:
        return None
    return 2 * alone if failure.value == "true" else alone
