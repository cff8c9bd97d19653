"""SOFA of the inputs of `score_inputs.py`, some of them changed."""

from fractions import Fraction

from hypothesis import strategies as st

from hepatrail_projections.clinical.scores.common import Options, ScoreResult
from hepatrail_projections.clinical.scores.sofa import SOFA_1996
from score_inputs import SOFA_INPUTS, read

NORMAL = Options(missing_policy="assume_normal")


def sofa(options: Options | None = None, /, **changes: str | None) -> ScoreResult:
    """The result; None takes an input away."""
    return SOFA_1996.of(read(SOFA_INPUTS | changes), options or Options())


def points(component: str, options: Options | None = None, /, **changes: str | None) -> Fraction | int | None:
    """The points of one component."""
    return sofa(options, **changes).components[component]


VALUES = st.fractions(Fraction(0), Fraction(900), max_denominator=20)
"""Amounts that any of the inputs may have."""
