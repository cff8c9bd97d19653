"""Soft checks between PTA and INR (scores.md section 4)."""

from fractions import Fraction

import pytest

from hepatrail_projections.clinical.coagulation import SENTENCES, coagulation_checks


@pytest.mark.parametrize(
    ("inr", "pta", "found"),
    [
        ("1.5", "70.1", ("INR_HIGH_PTA_NORMAL",)),
        ("1.5", "70", ()),
        ("1.49", "71", ()),
        ("1.1", "59.9", ("INR_NORMAL_PTA_LOW",)),
        ("1.1", "60", ()),
        ("1.11", "59", ()),
        ("1.2", "130", ()),
        ("1.0", "130.1", ("PTA_ABOVE_RANGE",)),
        ("1.6", "131", ("INR_HIGH_PTA_NORMAL", "PTA_ABOVE_RANGE")),
        (None, "140", ("PTA_ABOVE_RANGE",)),
        ("9", None, ()),
    ],
)
def test_what_does_not_fit_together(inr: str | None, pta: str | None, found: tuple[str, ...]) -> None:
    checks = coagulation_checks(None if inr is None else Fraction(inr), None if pta is None else Fraction(pta))
    assert checks == found
    assert all(SENTENCES[check].endswith(".") for check in checks)
