"""The schedule: the 14 time points of the trial and the configurable rules around them (`visits.md` section 1).

Decided here, because the reference leaves room: where a plan has no point named `no_abg_from`, a blood gas can be
waived nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, TypeAlias

from hepatrail_events.catalogue import SEED_LABS
from hepatrail_events.protocol_rules import COMPOSITE_ITEMS, VisitRules
from hepatrail_projections.clinical.calendar import add_months, site_zone

Kind: TypeAlias = Literal["pre", "instant", "date"]
AnchorRule: TypeAlias = Literal["FIRST_SESSION_END", "LAST_SESSION_END", "FIRST_SESSION_START"]

BASELINE = "BL"
UNSCHEDULED = "UNS"
AE_ITEM = "AE"
SURVIVAL_ITEM = "SURV"
DEFAULT_ITEMS = (*SEED_LABS, *COMPOSITE_ITEMS)
"""The 21 laboratory analytes and the four items with sub-inputs, of every time point (section 1.1)."""

_RULES = VisitRules()


class InvalidPlan(ValueError):
    """The schedule contradicts itself; the message names the time points."""


@dataclass(frozen=True, slots=True)
class TimePoint:
    """One time point.

    `pre` lies before T0 and takes its look-back from the plan. `instant` counts minutes after the anchor A, all
    three inclusive. `date` counts days, or calendar months, after the anchor's civil date, and is open from
    `days_before` the target date to the end of `days_after` it.
    """

    code: str
    kind: Kind
    target_minutes: int | None = None
    earliest_minutes: int | None = None
    latest_minutes: int | None = None
    target_days: int | None = None
    target_months: int | None = None
    days_before: int = 0
    days_after: int = 0
    ae: bool = False
    surv: bool = False

    def target_date(self, anchor_date: date) -> date:
        """The target of a date point; InvalidPlan for the other kinds."""
        if self.target_months is not None:
            return add_months(anchor_date, self.target_months)
        if self.target_days is None:
            raise InvalidPlan(f"{self.code} has no target date")
        return anchor_date + timedelta(days=self.target_days)


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """The part of a protocol version that visits, baseline and scores depend on; refuses what overlaps.

    `items` are owed at every point, `auxiliary_items` after each later session. `no_abg_inputs` can be waived from
    the point `no_abg_from` on; `crrt_kinds` are the procedures whose hours MELD counts.
    """

    zone: str
    anchor_rule: AnchorRule
    baseline_lookback_days: int
    baseline_spread_hours: int
    points: tuple[TimePoint, ...]
    score_max_spread: Mapping[str, timedelta]
    post_transplant: Literal["SAFETY_AND_SURVIVAL", "ALL"] = "SAFETY_AND_SURVIVAL"
    items: tuple[str, ...] = DEFAULT_ITEMS
    auxiliary_items: tuple[str, ...] = DEFAULT_ITEMS
    no_abg_from: str = _RULES.no_abg_from
    no_abg_inputs: frozenset[str] = frozenset(_RULES.no_abg_inputs)
    safety_follow_up_days: int = _RULES.safety_follow_up_days
    entry_grace_hours: int = _RULES.entry_grace_hours
    crrt_kinds: frozenset[str] = frozenset({"CVVHD", "CVVHDF", "CVVH"})
    by_code: Mapping[str, TimePoint] = field(init=False, repr=False, compare=False)
    no_abg_points: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            site_zone(self.zone)
        except (KeyError, ValueError):
            raise InvalidPlan(f"{self.zone!r} is no IANA time zone") from None
        by_code = {point.code: point for point in self.points}
        if len(by_code) != len(self.points):
            raise InvalidPlan("a time point's code occurs twice")
        if [point.code for point in self.points if point.kind == "pre"] != [BASELINE]:
            raise InvalidPlan(f"exactly one time point lies before treatment, and its code is {BASELINE}")
        for point in self.points:
            _check_point(point)
            if point.code != BASELINE and point.code not in self.score_max_spread:
                raise InvalidPlan(f"{point.code} has no maximal spread of score inputs")
        _refuse_overlaps(self.points)
        codes = list(by_code)
        waiving = codes[codes.index(self.no_abg_from) :] if self.no_abg_from in by_code else []
        object.__setattr__(self, "by_code", MappingProxyType(by_code))
        object.__setattr__(self, "no_abg_points", frozenset(waiving))

    @property
    def lookback(self) -> timedelta:
        """How long before T0 a value may be baseline."""
        return timedelta(days=self.baseline_lookback_days)

    def required(self, point: TimePoint) -> tuple[str, ...]:
        """The items of a point of the plan, in the order to show."""
        return (*self.items, *_safety_items(point))

    def auxiliary_required(self, point: TimePoint) -> tuple[str, ...]:
        """The items of a point beside the plan: after a later session, or those of safety alone (`SFU12`)."""
        return _safety_items(point) or self.auxiliary_items

    def max_spread(self, point_code: str) -> timedelta:
        """The most that the inputs of one score may lie apart at a time point (`scores.md` section 9)."""
        if point_code == BASELINE:
            return timedelta(hours=self.baseline_spread_hours)
        return self.score_max_spread[point_code]


def _safety_items(point: TimePoint) -> tuple[str, ...]:
    return (*((AE_ITEM,) if point.ae else ()), *((SURVIVAL_ITEM,) if point.surv else ()))


def _check_point(point: TimePoint) -> None:
    if point.kind == "instant":
        minutes = (point.earliest_minutes, point.target_minutes, point.latest_minutes)
        known = [minute for minute in minutes if minute is not None]
        if len(known) != 3 or known != sorted(known):
            raise InvalidPlan(f"{point.code} needs earliest <= target <= latest minutes after the anchor")
    elif point.kind == "date":
        if (point.target_days is None) == (point.target_months is None):
            raise InvalidPlan(f"{point.code} needs a target in days or in months, one of them")
        if point.days_before < 0 or point.days_after < 0:
            raise InvalidPlan(f"{point.code}: days before and after the target cannot be negative")


@cache
def _month_days(months: int) -> tuple[int, int]:
    """Fewest and most days that so many months can have, over every start date of a leap cycle."""
    start = date(2024, 1, 1)
    starts = [start + timedelta(days=offset) for offset in range(4 * 365 + 1)]
    lengths = [(add_months(day, months) - day).days for day in starts]
    return min(lengths), max(lengths)


def _refuse_overlaps(points: tuple[TimePoint, ...]) -> None:
    """An observation may fall into one date window only, whatever the anchor date."""
    spans = []
    for point in points:
        if point.kind != "date":
            continue
        low = high = point.target_days or 0
        if point.target_months is not None:
            low, high = _month_days(point.target_months)
        spans.append((low - point.days_before, high + point.days_after, point.code))
    for (_, first_end, first), (second_start, _, second) in pairwise(sorted(spans)):
        if second_start <= first_end:
            raise InvalidPlan(f"the windows of {first} and {second} can overlap")


def _spreads(hours: Mapping[int, tuple[str, ...]]) -> Mapping[str, timedelta]:
    return MappingProxyType({code: timedelta(hours=count) for count, codes in hours.items() for code in codes})


DEFAULT_PLAN = VisitPlan(
    zone="Asia/Shanghai",
    anchor_rule="FIRST_SESSION_END",
    baseline_lookback_days=7,
    baseline_spread_hours=24,
    points=(
        TimePoint(BASELINE, "pre"),
        TimePoint("P0_5_1H", "instant", target_minutes=45, earliest_minutes=30, latest_minutes=60),
        TimePoint("H12", "instant", target_minutes=12 * 60, earliest_minutes=10 * 60, latest_minutes=14 * 60),
        TimePoint("H24", "instant", target_minutes=24 * 60, earliest_minutes=20 * 60, latest_minutes=28 * 60),
        TimePoint("D2", "date", target_days=2),
        TimePoint("D3", "date", target_days=3),
        TimePoint("D5", "date", target_days=5),
        TimePoint("D7", "date", target_days=7, days_before=1, days_after=1, ae=True, surv=True),
        TimePoint("W2", "date", target_days=14, days_before=2, days_after=2),
        TimePoint("W4", "date", target_days=28, days_before=3, days_after=3, ae=True, surv=True),
        TimePoint("W6", "date", target_days=42, days_before=3, days_after=3),
        TimePoint("W12", "date", target_days=84, days_before=7, days_after=7, ae=True, surv=True),
        TimePoint("M6", "date", target_months=6, days_before=14, days_after=14, ae=True, surv=True),
        TimePoint("M12", "date", target_months=12, days_before=14, days_after=14, ae=True, surv=True),
    ),
    score_max_spread=_spreads(
        {
            1: ("P0_5_1H",),
            2: ("H12",),
            4: ("H24",),
            6: ("D2", "D3"),
            12: ("D5", "D7"),
            24: ("W2", "W4", "W6"),
            72: ("W12", "M6", "M12"),
        }
    ),
)
"""CiPS-BAL as the reference proposes it; a running study takes its plan from the published protocol."""
