"""Inputs of scores for tests, as texts: each test names only what matters."""

import csv
import json
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

from hepatrail_projections.clinical.scores.common import ScoreInput, given

MELD_INPUTS = {
    "tbil": "2.0 mg/dL",
    "inr": "1.5",
    "creatinine": "1.2 mg/dL",
    "dialysis_sessions_7d": "0",
    "cvvhd_hours_7d": "0",
    "sodium": "137",
    "albumin": "35",
    "sex": "male",
}
SOFA_INPUTS = {
    "pao2": "95",
    "fio2": "0.21",
    "respiratory_support": "none",
    "platelets": "210",
    "tbil": "12",
    "map": "85",
    "vasoactive_given": "no",
    "gcs_total": "15",
    "creatinine": "70",
    "urine_output_24h": "1500",
}
APACHE_INPUTS = {
    "temperature": "37.0",
    "map": "85",
    "heart_rate": "85",
    "resp_rate": "16",
    "fio2": "0.21",
    "pao2": "95",
    "ph_arterial": "7.40",
    "sodium": "140",
    "potassium": "4.2",
    "creatinine": "80",
    "acute_renal_failure": "false",
    "hematocrit": "40",
    "wbc": "7.0",
    "gcs_total": "15",
    "age": "40",
    "chronic_health": "false",
}


def read(texts: Mapping[str, str | None]) -> dict[str, ScoreInput]:
    """Inputs from texts such as `2.0 mg/dL`, `<17.1` or `NT`; None leaves the input out."""
    inputs = {}
    for code, text in texts.items():
        if text is None:
            continue
        amount, _, unit = text.partition(" ")
        number = amount.lstrip("<>=")
        inputs[code] = given(code, number, unit or None, amount.removesuffix(number) or None)
    return inputs


def vector(case: str, score: str, inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, str]:
    """One row of a file of vectors."""
    return {"id": case, "score": score, "inputs": json.dumps(inputs), "expected": json.dumps(expected)}


def vector_file(rows: Iterable[Mapping[str, str]]) -> str:
    """The file as text."""
    out = StringIO(newline="")
    writer = csv.DictWriter(out, ("id", "score", "inputs", "expected", "note", "source"), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _numbers(texts: Mapping[str, str], **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for code, text in texts.items():
        amount, _, unit = text.partition(" ")
        value: Any = amount if amount.isalpha() else float(amount)
        if amount in ("true", "false"):
            value = amount == "true"
        made[code] = {"value": value, "unit": unit} if unit else value
    return {code: value for code, value in (made | changes).items() if value is not None}


_NO_POINTS = dict.fromkeys(("respiration", "coagulation", "liver", "cardiovascular", "cns", "renal"), 0)
_NO_APS = dict.fromkeys(
    [
        *("temperature", "map", "heart_rate", "resp_rate", "oxygenation", "acid_base", "sodium", "potassium"),
        *("creatinine", "hematocrit", "wbc", "gcs", "age", "chronic_health"),
    ],
    0,
)

SAMPLE: tuple[dict[str, str], ...] = (
    vector("T-1", "meld_2002", _numbers(MELD_INPUTS), {"status": "complete", "score": 15, "unrounded": 15.336}),
    vector(
        "T-2", "meld_2002", _numbers(MELD_INPUTS, inr=None), {"status": "incomplete", "score": None, "missing": ["inr"]}
    ),
    vector(
        "T-3",
        "meld_2002",
        _numbers(MELD_INPUTS, inr=0.3),
        {"status": "invalid_input", "score": None, "invalid": ["inr"]},
    ),
    vector(
        "T-4",
        "meld_na_2016",
        _numbers(MELD_INPUTS, sodium=125),
        {"status": "complete", "score": 25, "meld_i": 15, "unrounded": 24.9},
    ),
    vector(
        "T-5",
        "meld_3_0",
        {
            "tbil": 17.1,
            "inr": 1,
            "creatinine": 88.4,
            "sodium": 126,
            "albumin": 27,
            "sex": "male",
            "dialysis_sessions_7d": 0,
            "cvvhd_hours_7d": 0,
        },
        {"status": "complete", "score": 17, "unrounded": 16.5},
    ),
    vector(
        "T-6",
        "gcs",
        {"gcs_eye": 4, "gcs_verbal": "NT", "gcs_motor": 6},
        {
            "status": "incomplete",
            "score": None,
            "missing": ["gcs_verbal"],
            "reasons": {"gcs_verbal": "not_testable"},
            "display": "E4VNTM6",
        },
    ),
    vector(
        "T-7",
        "sofa_1996",
        _numbers(SOFA_INPUTS, options={"sofa_unit_mode": "conventional"}, creatinine=107),
        {"status": "complete", "score": 1, "components": _NO_POINTS | {"renal": 1}},
    ),
    vector(
        "T-8",
        "sofa_1996",
        _numbers(SOFA_INPUTS, pao2=None, fio2=None, options={"missing_policy": "assume_normal"}),
        {
            "status": "complete_with_assumptions",
            "score": 0,
            "components": _NO_POINTS,
            "assumed": {"respiration": 0},
            "missing": ["fio2", "pao2"],
        },
    ),
    vector(
        "T-9",
        "apache_ii_1985",
        _numbers(APACHE_INPUTS, fio2={"value": 50, "unit": "%"}, pao2=106.5, paco2=40),
        {
            "status": "complete",
            "score": 2,
            "aps": 2,
            "a_ado2": 200,
            "acid_base_basis": "ph_arterial",
            "components": _NO_APS | {"oxygenation": 2},
        },
    ),
    vector(
        "T-10",
        "sofa_1996",
        _numbers(SOFA_INPUTS, vasoactive_given="yes", other_vasoactive=["terlipressin"], map=65),
        {
            "status": "complete",
            "score": 1,
            "components": _NO_POINTS | {"cardiovascular": 1},
            "warnings": ["vasoactive_outside_table"],
        },
    ),
)
"""A compact set of cases of every score, worked by hand from the formulas and tables of the reference."""
