"""How ill a participant is at a moment, and what the laboratory would measure then.

One latent severity drives all measurements, here and in `bedside.py`, so that bilirubin, INR, creatinine, ammonia
and consciousness move together as they do in liver failure; each value has its own scatter. Numbers are plausible,
not fitted to anyone.
"""

import math
from decimal import Decimal
from random import Random
from typing import Any

from hepatrail_events.catalogue import catalogue
from hepatrail_events.enrolment import Sex
from hepatrail_services.simulation.participants import Participant

_SCATTER = {"tbil": 0.06, "dbil": 0.06, "alt": 0.12, "ast": 0.12, "lactate": 0.15, "ammonia": 0.12, "afp": 0.2}
_USUAL_SCATTER = 0.05
_SPOILT = 0.04
_SPOILT_OFTEN = ("lactate", "ammonia", "ceruloplasmin", "afp")
"""What needs a tube of its own, or haste; none of them feeds a score."""


def severity_at(participant: Participant, days: float) -> float:
    """Severity `days` after the end of the first session; negative before it."""
    if participant.dies_on_day is not None:
        return participant.severity + 0.35 * max(0.0, days) / participant.dies_on_day
    if participant.transplant_on_day is not None and days <= participant.transplant_on_day:
        return participant.severity + 0.1 * max(0.0, days) / participant.transplant_on_day
    if days <= 0:
        return participant.severity
    healed = 0.06 + 0.04 * (participant.severity > 0.8)
    if participant.transplant_on_day is not None:
        return healed + (participant.severity + 0.1 - healed) * math.exp(-(days - participant.transplant_on_day) / 6)
    relief = 0.08 * math.exp(-(((days - 0.5) / 0.7) ** 2))
    return healed + (participant.severity - healed) * math.exp(-days / participant.recovery_days) - relief * (days < 3)


def laboratory_rows(participant: Participant, days: float, rng: Random) -> list[dict[str, Any]]:
    """The 21 laboratory measurements of the trial, sodium, potassium, hematocrit and bicarbonate, in canonical units.

    Every third participant's bilirubin and creatinine come in mg/dL, as from an outside laboratory.
    """
    severity = max(0.0, severity_at(participant, days))
    rows: list[dict[str, Any]] = []
    for code, level in _levels(severity, max(0.0, days), participant).items():
        value = level * rng.lognormvariate(0.0, _SCATTER.get(code, _USUAL_SCATTER if level < 130 else 0.02))
        rows.append(_row(participant, code, value))
    if rng.random() < _SPOILT:
        code = rng.choice(_SPOILT_OFTEN)
        place = next(number for number, row in enumerate(rows) if row["code"] == code)
        rows[place] = {"code": code, "notDone": "HEMOLYSED" if code == "lactate" else "INSUFFICIENT"}
    return rows


def _levels(severity: float, days: float, participant: Participant) -> dict[str, float]:
    inr = 1.02 + 2.1 * severity
    necrosis = severity * math.exp(-days / 5)
    consumed = 0.3 * math.exp(-days / 1.5) * (days > 0)
    renal = 1.0 if participant.renal_failure else 0.0
    return {
        "lactate": 1.0 + 3.2 * severity**1.5,
        "afp": 4 + 70 * severity * math.exp(-(((days - 8) / 8) ** 2)),
        "ceruloplasmin": 0.28 - 0.09 * severity,
        "ammonia": 26 + 105 * severity,
        "rbc": 4.5 - 1.1 * severity,
        "hemoglobin": 138 - 36 * severity,
        "wbc": 5.8 + 6.5 * severity,
        "platelets": (205 - 125 * severity) * (1 - consumed),
        "alt": 24 + 1400 * necrosis,
        "ast": 27 + 1500 * necrosis,
        "tbil": 12 + 390 * severity**1.2,
        "dbil": 4 + 265 * severity**1.2,
        "alp": 82 + 105 * severity,
        "bun": 4.8 + (9 + 9 * renal) * max(0.0, severity - 0.25),
        "creatinine": 66 + (120 + 230 * renal) * max(0.0, severity - 0.35),
        "albumin": 42.5 - 14 * severity,
        "glucose": 5.3 - 0.7 * severity,
        "pt": 12.2 * inr**0.93,
        "pta": max(8.0, 102 / inr**1.25),
        "inr": inr,
        "aptt": 30 + 26 * severity,
        "sodium": 140 - 6 * severity,
        "potassium": 4.1 - 0.3 * severity + 0.9 * renal * max(0.0, severity - 0.35),
        "hco3_serum": 25.5 - 5 * severity,
        "hematocrit": 41 - 10 * severity if participant.sex is Sex.MALE else 38 - 9 * severity,
    }


def _row(participant: Participant, code: str, value: float) -> dict[str, Any]:
    measurement = catalogue()[code]
    low, high = measurement.typical_low, measurement.typical_high
    if participant.sex is Sex.FEMALE and measurement.typical_low_female is not None:
        low, high = measurement.typical_low_female, measurement.typical_high_female
    unit, factor, decimals = measurement.canonical_unit, 1.0, measurement.decimals or 0
    if participant.number % 3 == 0 and code in ("tbil", "creatinine"):
        unit, factor, decimals = "mg/dL", (17.1 if code == "tbil" else 88.4), 2
    row: dict[str, Any] = {"code": code, "value": decimal_text(value / factor, decimals), "unit": unit}
    if low is not None and high is not None:
        limits = {"low": low, "high": high}
        row |= {name: decimal_text(float(limit) / factor, decimals) for name, limit in limits.items()}
    return row


def decimal_text(value: float, decimals: int) -> str:
    """A number as a report prints it."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-decimals)))
