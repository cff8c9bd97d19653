"""The measurements of the trial: every row of `data/labs.csv`, the single master of codes, units and limits.

Columns and their meaning: `scores.md` section 13. The file is read once, on first use.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from io import StringIO
from types import MappingProxyType
from typing import Literal, cast, get_args

from hepatrail_events.units import IDENTITY, Conversion

ValueType = Literal["quantity", "integer", "integer_or_NT", "coded", "boolean", "derived"]

SEED_LABS = (
    "lactate",
    "afp",
    "ceruloplasmin",
    "ammonia",
    "rbc",
    "hemoglobin",
    "wbc",
    "platelets",
    "alt",
    "ast",
    "tbil",
    "dbil",
    "alp",
    "bun",
    "creatinine",
    "albumin",
    "glucose",
    "pt",
    "pta",
    "inr",
    "aptt",
)
"""The 21 laboratory analytes that the trial requires at every time point (`visits.md` section 1.2)."""

NOT_TESTABLE = "NT"

_LISTED = re.compile(r"(?:Allowed|List): ((?:[a-z_]+(?: \([A-Z0-9]+\))?\|)+[a-z_]+)")
_ATC = re.compile(r" \([A-Z0-9]+\)")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement: a row of `labs.csv`.

    Limits are inclusive and in the canonical unit; `plausible_*` are the hard limits, `typical_*` an orientation
    only (the interval printed on the report is what grading uses). `units` holds every accepted unit, the
    canonical one first. `allowed` lists the values of a coded or boolean measurement, and `NT` where a component
    of the Glasgow Coma Scale may be not testable; None where any number may stand.
    """

    code: str
    name: str
    name_zh: str
    in_seed: bool
    value_type: ValueType
    loinc: str | None
    canonical_unit: str | None
    units: Mapping[str, Conversion]
    plausible_low: Fraction | None
    plausible_high: Fraction | None
    typical_low: Fraction | None
    typical_high: Fraction | None
    typical_low_female: Fraction | None
    typical_high_female: Fraction | None
    decimals: int | None
    allowed: frozenset[str] | None
    ctcae_terms: tuple[str, ...]


@cache
def catalogue() -> Mapping[str, Measurement]:
    """Every measurement by its code, in the order of the file."""
    text = files("hepatrail_events").joinpath("data/labs.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["code"]: _measurement(row) for row in csv.DictReader(StringIO(text))})


def _measurement(row: Mapping[str, str]) -> Measurement:
    value_type = row["value_type"]
    if value_type not in get_args(ValueType):
        raise ValueError(f"labs.csv: {row['code']}: unknown value_type {value_type!r}")
    canonical_unit = row["canonical_unit_ucum"] or None
    return Measurement(
        code=row["code"],
        name=row["name"],
        name_zh=row["name_zh"],
        in_seed=row["in_seed"] == "yes",
        value_type=cast(ValueType, value_type),
        loinc=row["loinc"] or None,
        canonical_unit=canonical_unit,
        units=_units(canonical_unit, row["other_units"]),
        plausible_low=_fraction(row["plausible_low"]),
        plausible_high=_fraction(row["plausible_high"]),
        typical_low=_fraction(row["typical_ref_low"]),
        typical_high=_fraction(row["typical_ref_high"]),
        typical_low_female=_fraction(row["typical_ref_low_female"]),
        typical_high_female=_fraction(row["typical_ref_high_female"]),
        decimals=int(row["decimals"]) if row["decimals"] else None,
        allowed=_allowed(row["code"], value_type, row["notes"]),
        ctcae_terms=tuple(term for term in row["ctcae_v5_term"].split(";") if term),
    )


def _fraction(text: str) -> Fraction | None:
    return Fraction(text) if text else None


def _units(canonical: str | None, others: str) -> Mapping[str, Conversion]:
    units = {canonical: IDENTITY} if canonical else {}
    for entry in filter(None, others.split(";")):
        unit, _, conversion = entry.partition(":")
        units[unit] = Conversion.read(conversion)
    return MappingProxyType(units)


def _allowed(code: str, value_type: str, notes: str) -> frozenset[str] | None:
    if value_type == "boolean":
        return frozenset({"true", "false"})
    if value_type == "integer_or_NT":
        return frozenset({NOT_TESTABLE})
    if value_type != "coded":
        return None
    listed = _LISTED.search(notes)
    if listed is None:
        raise ValueError(f"labs.csv: {code}: a coded measurement lists its values in notes")
    return frozenset(_ATC.sub("", listed[1]).split("|"))
