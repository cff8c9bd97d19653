"""What is observed at the bedside: coma scale, circulation, breathing, kidneys, and what supports them.

A blood gas is drawn from inpatients; an outpatient's is stated as not done (`OUTPATIENT_NO_ABG`).
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from hepatrail_events.catalogue import catalogue
from hepatrail_services.simulation.participants import Participant
from hepatrail_services.simulation.physiology import decimal_text, severity_at

_ILL = 0.8
"""From here on the participant needs oxygen."""
_SHOCK = 0.95
_INTUBATED = 1.2
_OF_THE_GAS = ("pao2", "paco2", "ph_arterial", "fio2")


@dataclass(frozen=True, slots=True)
class Bedside:
    """The circumstances of one assessment.

    `days` after the end of the first session; `urine`: a collection of 24 h ends now; `dialysis_stated`: the counts
    are stated, because no such procedure is recorded of the seven days before.
    """

    days: float
    outpatient: bool
    urine: bool
    dialysis_stated: bool


def severity_of(participant: Participant, days: float) -> float:
    """The severity, never below 0."""
    return max(0.0, severity_at(participant, days))


def in_shock(participant: Participant, days: float) -> bool:
    """Whether norepinephrine runs."""
    return severity_of(participant, days) >= _SHOCK


def bedside_rows(participant: Participant, moment: Bedside, rng: Random) -> list[dict[str, Any]]:
    """All inputs of MELD_CTX, GCS, SOFA_IN and APACHE_IN that the site states (`visits.md` section 1.1)."""
    severity = severity_of(participant, moment.days)
    intubated = severity >= _INTUBATED
    values = _coma(severity + rng.gauss(0, 0.05), intubated=intubated)
    values |= {
        "map": f"{88 - 14 * severity + rng.gauss(0, 3):.0f}",
        "heart_rate": f"{74 + 24 * severity + rng.gauss(0, 4):.0f}",
        "resp_rate": f"{15 + 5 * severity + rng.gauss(0, 1):.0f}",
        "temperature": f"{36.7 + 0.3 * severity + rng.gauss(0, 0.15):.1f}",
        "temperature_site": "bladder" if intubated else "axillary",
        "acute_renal_failure": "true" if participant.renal_failure and severity > 0.6 else "false",
    }
    values |= _breathing(severity, rng, intubated=intubated)
    values |= _infusions(participant, severity, rng)
    if moment.urine:
        least = 350 if participant.renal_failure else 900
        values["urine_output_24h"] = f"{max(120, least + 900 * (1 - severity) + rng.gauss(0, 90)):.0f}"
    if moment.dialysis_stated:
        values |= {"dialysis_sessions_7d": "0", "cvvhd_hours_7d": "0"}
    rows = [_row(code, value) for code, value in values.items()]
    if moment.outpatient:
        rows = [_not_drawn(row) for row in rows if row["code"] != "fio2_source"]
    return [row | {"ntReason": "INTUBATED"} if row.get("value") == "NT" else row for row in rows]


def _coma(depth: float, *, intubated: bool) -> dict[str, str]:
    eye, verbal, motor = (
        (4, 5, 6) if depth < 0.6 else (4, 4, 6) if depth < 0.85 else (3, 3, 5) if depth < 1.1 else (2, 2, 4)
    )
    return {
        "gcs_eye": str(eye),
        "gcs_verbal": "NT" if intubated else str(verbal),
        "gcs_motor": str(motor),
        "sedated": "yes" if intubated else "no",
    }


def _breathing(severity: float, rng: Random, *, intubated: bool) -> dict[str, str]:
    support, fio2, source = (
        ("imv", "0.60", "set")
        if intubated
        else ("nasal_cannula", "0.35", "estimated")
        if severity > _ILL
        else ("none", "0.21", "measured")
    )
    return {
        "respiratory_support": support,
        "fio2": fio2,
        "fio2_source": source,
        "pao2": f"{(112 if intubated else 94) - 12 * severity + rng.gauss(0, 3):.0f}",
        "paco2": f"{38 - 3 * severity + rng.gauss(0, 1):.0f}",
        "ph_arterial": f"{7.42 - 0.05 * severity:.2f}",
    }


def _infusions(participant: Participant, severity: float, rng: Random) -> dict[str, str]:
    values = {"vasoactive_given": "no"}
    if severity >= _SHOCK:
        rate = 0.05 + 0.5 * (severity - _SHOCK) + rng.uniform(0, 0.03)
        values = {
            "vasoactive_given": "yes",
            "norepinephrine_dose": decimal_text(rate, 2),
            "norepinephrine_duration_min": str(rng.randrange(120, 960, 30)),
        }
    if participant.renal_failure and severity > 0.6:
        values |= {"vasoactive_given": "yes", "other_vasoactive": "terlipressin"}
    return values


def _not_drawn(row: dict[str, Any]) -> dict[str, Any]:
    return {"code": row["code"], "notDone": "OUTPATIENT_NO_ABG"} if row["code"] in _OF_THE_GAS else row


def _row(code: str, value: str) -> dict[str, Any]:
    measurement = catalogue()[code]
    coded = measurement.value_type in ("coded", "boolean") or value == "NT"
    unit = {} if coded or measurement.canonical_unit is None else {"unit": measurement.canonical_unit}
    return {"code": code, "value": value, **unit}
