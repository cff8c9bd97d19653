"""What changes from baseline: four scores and the laboratory analytes of the protocol, at its time points.

Source: `endpoints.md` section 4. Decided here, because the reference leaves room: MELD is `meld_2002`, the one with the
three inputs that the registration names (`scores.md`), and the others are exploratory beside it. A protocol that does
not have it means another MELD: the first of the family that it has, under that one's own code, because numbers of two
formulas are not one parameter. The decimals of the source are those of `labs.csv`, which `visits.md` 1.2 makes the
master of decimals, whatever a single report printed; a score has none.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hepatrail_events.catalogue import catalogue
from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.visits import BASELINE

_SCORES: Final[Sequence[Mapping[str, str]]] = (
    {"meld_2002": "MELD", "meld_na_2016": "MELD-Na", "meld_3_0": "MELD 3.0"},
    {"gcs": "GCS"},
    {"sofa_1996": "SOFA"},
    {"apache_ii_1985": "APACHE II"},
)
"""The scores of the registration in its order; of each the names by the id of the algorithm, the one wanted first."""

_WORDS: Final[Mapping[str, str]] = {"D": "Day {}", "W": "Week {}", "M": "Month {}", "H": "{} h"}
_COUNTED: Final = re.compile(r"([DWMH])(\d+)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A score or an analyte.

    `code` is the id of the score, which names its algorithm, or the code of `labs.csv`; `unit` in UCUM, None of a
    score; `decimals` those of a single value, in that unit.
    """

    code: str
    name: str
    unit: str | None
    decimals: int
    is_score: bool

    @property
    def label(self) -> str:
        """The name with its unit."""
        return self.name if self.unit is None else f"{self.name} ({self.unit})"


def parameters(protocol: Protocol) -> tuple[Parameter, ...]:
    """The four scores as far as the protocol has them, then the analytes of its visits in the order of `labs.csv`."""
    return _parameters(protocol.scores.enabled, protocol.visits.items)


@lru_cache(maxsize=8)
def _parameters(enabled: tuple[str, ...], items: tuple[str, ...]) -> tuple[Parameter, ...]:
    meant = (next((each for each in family.items() if each[0] in enabled), None) for family in _SCORES)
    scores = (Parameter(*each, None, 0, True) for each in meant if each is not None)
    labs = (
        Parameter(each.code, each.name, each.canonical_unit, each.decimals or 0, False)
        for each in catalogue().values()
        if each.code in items and each.value_type == "quantity"
    )
    return (*scores, *labs)


def post_points(protocol: Protocol) -> tuple[str, ...]:
    """The time points after treatment, in the order of the plan."""
    return tuple(point.code for point in protocol.points if point.kind != "pre")


def point_label(code: str) -> str:
    """A time point in the words of the registration; its code where it is none of that form."""
    if code == BASELINE:
        return "Baseline"
    if code == "P0_5_1H":
        return "0.5–1 h"
    counted = _COUNTED.fullmatch(code)
    return code if counted is None else _WORDS[counted[1]].format(counted[2])
