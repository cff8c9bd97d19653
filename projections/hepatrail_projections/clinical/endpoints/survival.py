"""Survival curves of few participants: Kaplan and Meier's estimate at landmarks (`endpoints.md` 3.2)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import sqrt
from typing import Any

from scipy import stats

from hepatrail_projections.clinical.endpoints.cells import Interval
from hepatrail_projections.clinical.endpoints.proportion import clopper_pearson


@dataclass(frozen=True, slots=True)
class Followed:
    """How long a participant was followed, in whole civil days from T0, and whether the event ended it."""

    subject_id: str
    days: int
    event: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """The curve at a landmark.

    `survival` and `se` (Greenwood) are None where they are not estimable, `interval` too where the curve is 1 or 0;
    `supplement` is then the exact interval of those without event, if nobody was censored before. `at_risk` counts
    t >= tau, `events` t <= tau, `censored` t < tau.
    """

    tau: int
    survival: float | None
    se: float | None
    interval: Interval | None
    supplement: Interval | None
    at_risk: int
    events: int
    censored: int


@dataclass(frozen=True, slots=True)
class Step:
    """The curve from a day on at which something happened; the interval is None where the curve is 1 or 0."""

    days: int
    survival: float
    interval: Interval | None
    at_risk: int
    events: int
    censored: int


class KaplanMeier:
    """The curve of some participants (none: nothing is estimable); events before censorings of the same day.

    Survival and log-log interval are scipy's, `scipy.stats.ecdf`; the standard error is Greenwood's.
    """

    def __init__(self, followed: Sequence[Followed], confidence: Decimal) -> None:
        self.followed = tuple(followed)
        self.confidence = confidence

    @cached_property
    def _curves(self) -> tuple[Any, Any, Any]:
        """Survival function, lower and upper limit."""
        days = [float(each.days) for each in self.followed]
        sample = stats.CensoredData.right_censored(days, [not each.event for each in self.followed])
        survival = stats.ecdf(sample).sf
        with warnings.catch_warnings():
            # Where the curve is 1 or 0 it has no such interval; none is given there.
            warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
            limits = survival.confidence_interval(float(self.confidence), method="log-log")
        return survival, limits.low, limits.high

    def at(self, tau: int) -> Estimate:
        """The estimate at a day from T0; ValueError for a day before it."""
        if tau < 0:
            raise ValueError("a landmark lies at or after T0")
        at_risk = sum(each.days >= tau for each in self.followed)
        events = sum(each.event and each.days <= tau for each in self.followed)
        censored = sum(not each.event and each.days < tau for each in self.followed)
        survival = self._survival(tau, at_risk)
        interval = self._interval(tau, survival)
        supplement = None
        if survival in (0.0, 1.0) and censored == 0:
            supplement = clopper_pearson(len(self.followed) - events, len(self.followed), self.confidence)
        return Estimate(tau, survival, self._se(tau, survival), interval, supplement, at_risk, events, censored)

    def steps(self) -> tuple[Step, ...]:
        """The curve from day 0 on, a step for each day on which somebody's time ended."""
        days = sorted({0, *(each.days for each in self.followed)}) if self.followed else []
        return tuple(self._step(each) for each in days)

    def _step(self, day: int) -> Step:
        ending = [each for each in self.followed if each.days == day]
        survival = float(self._curves[0].evaluate(day))
        events = sum(each.event for each in ending)
        return Step(
            day,
            survival,
            self._interval(day, survival),
            sum(each.days >= day for each in self.followed),
            events,
            len(ending) - events,
        )

    def _survival(self, tau: int, at_risk: int) -> float | None:
        if not self.followed:
            return None
        last = max(each.days for each in self.followed)
        ended_by_event = any(each.event for each in self.followed if each.days == last)
        # Where the longest time is a censoring, what comes behind it is unknown; where all have died, it stays 0.
        if at_risk == 0 and not (ended_by_event and self._curves[0].evaluate(last) == 0):
            return None
        return float(self._curves[0].evaluate(tau))

    def _interval(self, tau: int, survival: float | None) -> Interval | None:
        if survival is None or survival in (0.0, 1.0):
            return None
        _, low, high = self._curves
        return Interval(float(low.evaluate(tau)), float(high.evaluate(tau)), self.confidence, "LOG_LOG")

    def _se(self, tau: int, survival: float | None) -> float | None:
        """Greenwood's: S times the root of the sum of d / (n (n - d)); not estimable where S is 0."""
        if survival is None or survival == 0:
            return None
        total = 0.0
        for day in sorted({each.days for each in self.followed if each.event and each.days <= tau}):
            died = sum(each.event and each.days == day for each in self.followed)
            at_risk = sum(each.days >= day for each in self.followed)
            total += died / (at_risk * (at_risk - died))
        return survival * sqrt(total)
