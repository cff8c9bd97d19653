"""The status of a visit row at an instant (`visits.md` section 5): the only place where the clock meets a visit."""

from datetime import datetime
from functools import lru_cache

from hepatrail_projections.clinical.compliance import VisitStatus, status
from hepatrail_projections.clinical.visits import BASELINE, TimePoint, VisitPlan
from hepatrail_projections.visit import VisitRow, row_evidence, row_stops

__all__ = ["VisitStatus", "status_at"]


def status_at(row: VisitRow, as_of: datetime) -> VisitStatus:
    """The status at `as_of` (aware); pure, from what the row holds alone."""
    plan = _plan(row.zone, row.lookback_days, row.post_transplant)
    return status(row_evidence(row), row_stops(row), tuple(row.required), as_of, plan)


@lru_cache(maxsize=64)
def _plan(zone: str, lookback_days: int, post_transplant: str) -> VisitPlan:
    """As much of the plan as a status depends on."""
    return VisitPlan(
        zone=zone,
        anchor_rule="FIRST_SESSION_END",
        baseline_lookback_days=lookback_days,
        baseline_spread_hours=0,
        points=(TimePoint(BASELINE, "pre"),),
        score_max_spread={},
        post_transplant="ALL" if post_transplant == "ALL" else "SAFETY_AND_SURVIVAL",
    )
