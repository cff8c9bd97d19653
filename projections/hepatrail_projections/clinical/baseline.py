"""The baseline of each parameter (`visits.md` section 6)."""

from collections.abc import Mapping

from hepatrail_projections.clinical.assignment import Assignment
from hepatrail_projections.clinical.inputs import Observation
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.clinical.windows import Anchor


def baseline_values(assignment: Assignment, anchored: Anchor | None) -> Mapping[str, Observation]:
    """By item code, the last usable observation before T0 and within the look-back; empty before treatment.

    A parameter whose last value is older than the look-back has none. Never re-set by later sessions.
    """
    if anchored is None:
        return {}
    return {
        code: assigned.observation
        for code, assigned in assignment.points[BASELINE].used.items()
        if assigned.placement.in_window
    }


def baseline_value(code: str, assignment: Assignment, anchored: Anchor | None) -> Observation | None:
    """The baseline of one parameter, or None."""
    return baseline_values(assignment, anchored).get(code)
