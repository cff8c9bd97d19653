"""Soft checks between PT, PTA and INR of one sample (`scores.md` section 4): they open queries, they change nothing.

The three are independent results of one measurement through different calibrations. None is ever derived from
another: the formulas in circulation depend on the reagent.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, TypeAlias

CoagulationCheck: TypeAlias = Literal["INR_HIGH_PTA_NORMAL", "INR_NORMAL_PTA_LOW", "PTA_ABOVE_RANGE"]

_INR_HIGH, _PTA_NORMAL = Fraction("1.5"), Fraction(70)
_INR_NORMAL, _PTA_LOW = Fraction("1.1"), Fraction(60)
_PTA_RANGE = Fraction(130)

SENTENCES: Mapping[CoagulationCheck, str] = {
    "INR_HIGH_PTA_NORMAL": "INR is 1.5 or more although prothrombin activity is above 70 %.",
    "INR_NORMAL_PTA_LOW": "INR is 1.1 or less although prothrombin activity is below 60 %.",
    "PTA_ABOVE_RANGE": "Prothrombin activity is above 130 %.",
}
"""What a query says."""


def coagulation_checks(inr: Fraction | None, pta: Fraction | None) -> tuple[CoagulationCheck, ...]:
    """What does not fit together in one sample; INR and PTA (%) canonical and without comparator, None when absent."""
    if pta is None:
        return ()
    found: list[CoagulationCheck] = []
    if inr is not None and inr >= _INR_HIGH and pta > _PTA_NORMAL:
        found.append("INR_HIGH_PTA_NORMAL")
    if inr is not None and inr <= _INR_NORMAL and pta < _PTA_LOW:
        found.append("INR_NORMAL_PTA_LOW")
    if pta > _PTA_RANGE:
        found.append("PTA_ABOVE_RANGE")
    return tuple(found)
