"""Two events of which the first ends the other's chance: cumulative incidence after Aalen and Johansen (3.2).

lifelines has this estimator too and breaks ties by chance; here the same participants give the same bytes. The
estimates are fractions of integers, so that survival and incidences add up to 1 exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction


class Cause(IntEnum):
    """What came first."""

    CENSORED = 0
    TRANSPLANT = 1
    DEATH_WITHOUT_TRANSPLANT = 2


@dataclass(frozen=True, slots=True)
class FirstEvent:
    """How long a participant was followed, in whole civil days from T0, until what."""

    subject_id: str
    days: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class Incidence:
    """What was reached by a day; the sum of the three is 1."""

    tau: int
    transplant: Fraction
    death: Fraction
    free: Fraction


def incidence(followed: Sequence[FirstEvent], tau: int) -> Incidence | None:
    """I_k = sum over t <= tau of S(t-) d_k / n; None where no participant is, or where tau lies beyond a censored end.

    Source: Aalen and Johansen, Scand. J. Statist. 5 (1978) 141.
    """
    if not followed or _unknown(followed, tau):
        return None
    free, reached = Fraction(1), dict.fromkeys((Cause.TRANSPLANT, Cause.DEATH_WITHOUT_TRANSPLANT), Fraction(0))
    for day in sorted({each.days for each in followed if each.cause and each.days <= tau}):
        at_risk = sum(each.days >= day for each in followed)
        today = [each.cause for each in followed if each.days == day and each.cause]
        for cause in reached:
            reached[cause] += free * Fraction(today.count(cause), at_risk)
        free *= Fraction(at_risk - len(today), at_risk)
    return Incidence(tau, reached[Cause.TRANSPLANT], reached[Cause.DEATH_WITHOUT_TRANSPLANT], free)


def _unknown(followed: Sequence[FirstEvent], tau: int) -> bool:
    """Whether nobody is at risk at tau although somebody was censored last."""
    last = max(each.days for each in followed)
    return last < tau and any(not each.cause for each in followed if each.days == last)
