"""What tests ask of the only participant of a trial about survival."""

from datetime import date, datetime, timedelta

from hepatrail_projections.clinical.endpoints.follow_up import Ended, FollowUp, overall, transplant_free
from survival_course import LATER, T0_DAY, SurvivalTrial

HORIZON = 379
CUT = LATER.date()


def day(days: int) -> date:
    """So many days after T0."""
    return T0_DAY + timedelta(days=days)


def known(trial: SurvivalTrial, as_of: datetime = LATER, subject_id: str | None = None) -> FollowUp:
    """The follow-up of a treated participant, of the only one unless named."""
    [facts] = [each for each in trial.facts(as_of) if subject_id in (None, each.subject_id)]
    assert facts.follow_up is not None
    return facts.follow_up


def died(trial: SurvivalTrial, cut: date = CUT, *, imputed: bool = True) -> Ended:
    """The time until death."""
    return overall(known(trial), cut, HORIZON, imputed=imputed)


def first(trial: SurvivalTrial) -> Ended:
    """The time until transplant or death."""
    return transplant_free(known(trial), CUT, HORIZON)


def shown(ended: Ended) -> tuple[int, str]:
    """Days and what ended them."""
    return ended.days, ended.end.value
