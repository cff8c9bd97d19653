"""The whole course of the cumulative incidences, for a figure (`endpoints.md` 3.2)."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from hepatrail_projections.clinical.endpoints.competing import Cause, FirstEvent, Incidence


def incidence_steps(followed: Sequence[FirstEvent]) -> tuple[Incidence, ...]:
    """What was reached from day 0 on, a step for each day with an event, and the last day on which anybody was known.

    The same numbers as `incidence` has for these days, in one pass; none without participants.
    """
    if not followed:
        return ()
    ending = Counter((each.days, each.cause) for each in followed)
    last = max(each.days for each in followed)
    at_risk, free, transplant, death = len(followed), Fraction(1), Fraction(0), Fraction(0)
    steps = []
    for day in sorted({0, *(each.days for each in followed)}):
        grafted, died = ending[day, Cause.TRANSPLANT], ending[day, Cause.DEATH_WITHOUT_TRANSPLANT]
        if grafted or died:
            transplant += free * Fraction(grafted, at_risk)
            death += free * Fraction(died, at_risk)
            free *= Fraction(at_risk - grafted - died, at_risk)
        if grafted or died or day in (0, last):
            steps.append(Incidence(day, transplant, death, free))
        at_risk -= grafted + died + ending[day, Cause.CENSORED]
    return tuple(steps)
