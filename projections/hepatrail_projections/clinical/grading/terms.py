"""The CTCAE v5.0 terms of the trial's analytes, as the tables of `ctcae_labs.md` section 2 print them.

Decided here, because the reference leaves room: `urine_output_24h` is a volume of 24 hours, so only grade 4 (anuria,
less than 240 mL) follows from it; grade 3 needs a volume of 8 hours and is a person's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from hepatrail_projections.clinical.grading.bands import BandRow, band

CTCAE_VERSION = "5.0"
"""Fixed by the trial text; stored with every grade."""

Direction: TypeAlias = Literal["H", "L"]


_NO_BANDS = BandRow(())


class BaselineRule(StrEnum):
    """How a term uses the participant's baseline (R8)."""

    NONE = "NONE"
    PAIR = "PAIR"
    """One row for a normal baseline, another for an abnormal one (R7)."""
    EITHER = "EITHER"
    """Multiples of the baseline or of the upper limit, whichever gives more."""
    ANTICOAGULATED = "ANTICOAGULATED"
    """Multiples of the baseline while on therapeutic anticoagulation, and only then."""


@dataclass(frozen=True, slots=True)
class Term:
    """A CTCAE term of one analyte.

    `bands` hold unless `other_bands` do: the row of an abnormal baseline (PAIR), of a known one (EITHER: both limbs,
    where `bands` has the upper limit's alone), or of somebody on anticoagulation.
    `clinical` and `other_clinical` say that the text of the row has clinical alternatives beside the number (R9).
    A term without bands has no threshold: its grade is entered by a person.
    """

    code: str
    name: str
    direction: Direction
    bands: BandRow
    clinical: bool = False
    rule: BaselineRule = BaselineRule.NONE
    other_bands: BandRow = _NO_BANDS
    other_clinical: bool = False


def _row(*conditions: tuple[int, str]) -> BandRow:
    return BandRow(tuple(band(grade, text) for grade, text in conditions))


def _paired(code: str, name: str, normal: BandRow, abnormal: BandRow) -> Term:
    return Term(code, name, "H", normal, rule=BaselineRule.PAIR, other_bands=abnormal)


_TRANSAMINASE = _row((1, "U < x <= 3U"), (2, "3U < x <= 5U"), (3, "5U < x <= 20U"), (4, "x > 20U"))
_TRANSAMINASE_ABNORMAL = _row((1, "1.5B <= x <= 3B"), (2, "3B < x <= 5B"), (3, "5B < x <= 20B"), (4, "x > 20B"))

TERMS: tuple[Term, ...] = (
    _paired("alt", "Alanine aminotransferase increased", _TRANSAMINASE, _TRANSAMINASE_ABNORMAL),
    _paired("ast", "Aspartate aminotransferase increased", _TRANSAMINASE, _TRANSAMINASE_ABNORMAL),
    _paired(
        "alp",
        "Alkaline phosphatase increased",
        _row((1, "U < x <= 2.5U"), (2, "2.5U < x <= 5U"), (3, "5U < x <= 20U"), (4, "x > 20U")),
        _row((1, "2B <= x <= 2.5B"), (2, "2.5B < x <= 5B"), (3, "5B < x <= 20B"), (4, "x > 20B")),
    ),
    _paired(
        "tbil",
        "Blood bilirubin increased",
        _row((1, "U < x <= 1.5U"), (2, "1.5U < x <= 3U"), (3, "3U < x <= 10U"), (4, "x > 10U")),
        _row((1, "B < x <= 1.5B"), (2, "1.5B < x <= 3B"), (3, "3B < x <= 10B"), (4, "x > 10B")),
    ),
    Term(
        "creatinine",
        "Creatinine increased",
        "H",
        _row((1, "U < x <= 1.5U"), (2, "1.5U < x <= 3U"), (3, "3U < x <= 6U"), (4, "x > 6U")),
        rule=BaselineRule.EITHER,
        other_bands=_row(
            (1, "U < x <= 1.5U"),
            (2, "1.5B < x <= 3B"),
            (2, "1.5U < x <= 3U"),
            (3, "x > 3B"),
            (3, "3U < x <= 6U"),
            (4, "x > 6U"),
        ),
    ),
    Term(
        "platelets",
        "Platelet count decreased",
        "L",
        _row((1, "75 <= x < L"), (2, "50 <= x < 75"), (3, "25 <= x < 50"), (4, "x < 25")),
    ),
    Term(
        "wbc",
        "White blood cell decreased",
        "L",
        _row((1, "3.0 <= x < L"), (2, "2.0 <= x < 3.0"), (3, "1.0 <= x < 2.0"), (4, "x < 1.0")),
    ),
    Term("wbc", "Leukocytosis", "H", _row((3, "x > 100")), clinical=True),
    Term(
        "hemoglobin",
        "Anemia",
        "L",
        _row((1, "100 <= x < L"), (2, "80 <= x < 100"), (3, "x < 80")),
        clinical=True,
    ),
    Term(
        "hemoglobin",
        "Hemoglobin increased",
        "H",
        _row((1, "U < x <= U + 20"), (2, "U + 20 < x <= U + 40"), (3, "x > U + 40")),
    ),
    Term(
        "albumin",
        "Hypoalbuminemia",
        "L",
        _row((1, "30 <= x < L"), (2, "20 <= x < 30"), (3, "x < 20")),
        clinical=True,
    ),
    Term(
        "glucose",
        "Hypoglycemia",
        "L",
        _row((1, "3.0 <= x < L"), (2, "2.2 <= x < 3.0"), (3, "1.7 <= x < 2.2"), (4, "x < 1.7")),
        clinical=True,
    ),
    Term("glucose", "Hyperglycemia", "H", _NO_BANDS, clinical=True),
    Term(
        "inr",
        "INR increased",
        "H",
        _row((1, "1.2 < x <= 1.5"), (2, "1.5 < x <= 2.5"), (3, "x > 2.5")),
        rule=BaselineRule.ANTICOAGULATED,
        other_bands=_row((1, "B < x <= 1.5B"), (2, "1.5B < x <= 2.5B"), (3, "x > 2.5B")),
        other_clinical=True,
    ),
    Term(
        "aptt",
        "Activated partial thromboplastin time prolonged",
        "H",
        _row((1, "U < x <= 1.5U"), (2, "1.5U < x <= 2.5U"), (3, "x > 2.5U")),
        clinical=True,
    ),
    Term(
        "sodium",
        "Hypernatremia",
        "H",
        _row((1, "U < x <= 150"), (2, "150 < x <= 155"), (3, "155 < x <= 160"), (4, "x > 160")),
        clinical=True,
    ),
    Term(
        "sodium",
        "Hyponatremia",
        "L",
        _row((1, "130 <= x < L"), (2, "125 <= x < 130"), (3, "120 <= x < 125"), (4, "x < 120")),
        clinical=True,
    ),
    Term(
        "potassium",
        "Hyperkalemia",
        "H",
        _row((1, "U < x <= 5.5"), (2, "5.5 < x <= 6.0"), (3, "6.0 < x <= 7.0"), (4, "x > 7.0")),
        clinical=True,
    ),
    Term(
        "potassium",
        "Hypokalemia",
        "L",
        # Grades 1 and 2 share their numbers: the machine proposes 1, symptoms or an intervention make it 2.
        _row((1, "3.0 <= x < L"), (3, "2.5 <= x < 3.0"), (4, "x < 2.5")),
        clinical=True,
    ),
    Term("ph_arterial", "Acidosis", "L", _row((1, "7.3 <= x < L"), (3, "x < 7.3")), clinical=True),
    Term("ph_arterial", "Alkalosis", "H", _row((1, "U < x <= 7.5"), (3, "x > 7.5")), clinical=True),
    Term("hco3_serum", "Blood bicarbonate decreased", "L", _row((1, "x < L")), clinical=True),
    Term("urine_output_24h", "Urine output decreased", "L", _row((4, "x < 240")), clinical=True),
)


def _by_code() -> Mapping[str, tuple[Term, ...]]:
    found: dict[str, tuple[Term, ...]] = {}
    for term in TERMS:
        found[term.code] = (*found.get(term.code, ()), term)
    return found


TERMS_OF: Mapping[str, tuple[Term, ...]] = _by_code()
"""The terms of an analyte by its code; an analyte that is not here has none (section 3)."""

TERM_NAMED: Mapping[str, Term] = {term.name: term for term in TERMS}
"""The terms by their CTCAE name."""
