"""Whether a protocol can be followed: its shape, and that it does not contradict itself (`visits.md` section 1).

The one place of these checks: a protocol file and the command `publishProtocol` both go through `examine`. Decided
here, because the reference leaves room:

- A key that belongs to another kind of time point, or has no effect under the other options, is refused: whoever
  wrote it expects something of it.
- Codes that the system itself gives to points (`UNS`, `AT`, `SFU12`, `S2_H12`) are no codes of time points.
- Every priority has its escalation, in ascending steps and at most three: there are three levels.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from hepatrail_events.catalogue import catalogue
from hepatrail_events.civil import add_months
from hepatrail_events.protocol import Escalation, Point, Protocol
from hepatrail_events.protocol_rules import (
    COMPOSITE_ITEMS,
    CONTINUOUS_DIALYSIS,
    SCORES_BY_WORST,
    RsiVersion,
    ScoreRules,
    StoppingRule,
    VisitRules,
)
from hepatrail_events.safety_desk import Priority
from hepatrail_events.study import HoldScope

Path: TypeAlias = tuple[str | int, ...]

BASELINE = "BL"
_RESERVED = re.compile(r"^(UNS|AT|SFU12|S\d+_.*)$")
_LEVELS = 3
_PRESSURE = (Decimal(500), Decimal(800))
_OF_KIND = {
    "pre": frozenset[str](),
    "instant": frozenset({"target_minutes", "earliest_minutes", "latest_minutes"}),
    "date": frozenset({"target_days", "target_months", "days_before", "days_after"}),
}
_NEEDED_BY_RULE = {
    "SR1": frozenset({"window_days"}),
    "SR2": frozenset({"grade_ge", "thresholds"}),
    "SR3": frozenset({"grade_ge", "thresholds"}),
    "SR4": frozenset({"grade_ge"}),
    "SR5": frozenset({"grade_ge", "window_days", "thresholds"}),
    "SR6": frozenset({"grade_ge", "window_days", "rate", "probability", "prior"}),
}
_NUMBERS = ("window_days", "grade_ge", "thresholds", "rate", "probability", "prior")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: `path` leads to the field (empty: the whole), `why` ends a sentence that begins with it."""

    path: Path
    why: str

    @property
    def field(self) -> str:
        """The field as JSON names it: `points[4].targetDays`."""
        return render([to_camel(part) if isinstance(part, str) else part for part in self.path])


def render(path: Iterable[str | int]) -> str:
    """A path as text: `points[4].targetDays`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def examine(document: Any) -> Protocol | Fault:
    """The protocol in a JSON or TOML document, or the first thing that is wrong with it."""
    try:
        protocol = Protocol.model_validate(document)
    except ValidationError as error:
        return _fault_of_shape(error)
    return next(contradictions(protocol), protocol)


def contradictions(protocol: Protocol) -> Iterator[Fault]:
    """Everything in a protocol of the right shape that cannot be followed, in the order of the document."""
    yield from _whole(protocol)
    yield from _repeated(("laboratories",), protocol.laboratories)
    yield from _points(protocol.points)
    yield from _overlaps(protocol.points)
    yield from _escalation(protocol.escalation)
    codes = frozenset(point.code for point in protocol.points)
    yield from _visits(protocol.visits, codes)
    yield from _scores(protocol.scores, codes)
    yield from _repeated(("safety", "related_set"), protocol.safety.related_set)
    yield from _repeated(("safety", "regimes"), protocol.safety.regimes)
    yield from _stopping_rules(protocol.safety.stopping_rules)
    yield from _rsi(protocol.rsi)
    if not 0 < Decimal(protocol.endpoints.confidence) < 1:
        yield Fault(("endpoints", "confidence"), "must lie between 0 and 1")
    yield from _ascending(("endpoints", "landmark_days"), protocol.endpoints.landmark_days)


def _fault_of_shape(error: ValidationError) -> Fault:
    first = error.errors(include_url=False, include_input=False)[0]
    match first["type"]:
        case "missing":
            why = "is missing"
        case "extra_forbidden":
            why = "is no field of a protocol"
        case "string_type":
            why = 'must be text, as in "0.20"'
        case _:
            said = first["msg"].removeprefix("Value error, ")
            why = said.replace("Input should be", "must be", 1).replace("String should", "must", 1)
    return Fault(first["loc"], why)


def _whole(protocol: Protocol) -> Iterator[Fault]:
    try:
        ZoneInfo(protocol.site_zone)
    except (ZoneInfoNotFoundError, ValueError):
        yield Fault(("site_zone",), f"{protocol.site_zone!r} is no IANA time zone")
    if not 0 <= Decimal(protocol.dose_tolerance) < 1:
        yield Fault(("dose_tolerance",), "must be at least 0 and less than 1")
    if not 0 < Decimal(protocol.session_hours_low) <= Decimal(protocol.session_hours_high):
        yield Fault(("session_hours_low",), "must be more than 0 and at most the upper limit")


def _points(points: Sequence[Point]) -> Iterator[Fault]:
    yield from _repeated(("points",), [point.code for point in points], "code")
    if [point.code for point in points if point.kind == "pre"] != [BASELINE]:
        yield Fault(("points",), f"must have exactly one point of kind pre, whose code is {BASELINE}")
    for number, point in enumerate(points):
        yield from _point(("points", number), point)


def _point(path: Path, point: Point) -> Iterator[Fault]:
    if _RESERVED.match(point.code):
        yield Fault((*path, "code"), f"{point.code} is a code that the system gives itself")
    for kind, fields in _OF_KIND.items():
        for alien in sorted(fields & point.model_fields_set) if kind != point.kind else ():
            if getattr(point, alien):
                yield Fault((*path, alien), f"does not belong to a point of kind {point.kind}")
    if point.kind == "instant":
        minutes = (point.earliest_minutes, point.target_minutes, point.latest_minutes)
        known = [minute for minute in minutes if minute is not None]
        if len(known) != len(minutes) or known != sorted(known):
            yield Fault((*path, "target_minutes"), "needs the earliest, the target and the latest minute in this order")
    if point.kind == "date" and (point.target_days is None) == (point.target_months is None):
        yield Fault((*path, "target_days"), "needs a target in days or in months, one of them")


@cache
def _month_days(months: int) -> tuple[int, int]:
    """Fewest and most days that so many months can have, over every start date of a leap cycle."""
    starts = [date(2024, 1, 1) + timedelta(days=offset) for offset in range(4 * 365 + 1)]
    lengths = [(add_months(day, months) - day).days for day in starts]
    return min(lengths), max(lengths)


def _overlaps(points: Sequence[Point]) -> Iterator[Fault]:
    """An observation may fall into one date window only, whatever the anchor date."""
    spans = []
    for number, point in enumerate(points):
        if point.kind == "date":
            low = high = point.target_days or 0
            if point.target_months is not None:
                low, high = _month_days(point.target_months)
            spans.append((low - point.days_before, high + point.days_after, number))
    for (_, last, before), (first, _, number) in pairwise(sorted(spans)):
        if first <= last:
            target = "target_days" if points[number].target_months is None else "target_months"
            why = f"the windows of {points[before].code} and {points[number].code} can overlap"
            yield Fault(("points", number, target), why)


def _escalation(rules: Sequence[Escalation]) -> Iterator[Fault]:
    yield from _repeated(("escalation",), [rule.priority for rule in rules], "priority")
    for priority in Priority:
        if priority not in {rule.priority for rule in rules}:
            yield Fault(("escalation",), f"{priority} is missing")
    for number, rule in enumerate(rules):
        path = ("escalation", number, "minutes")
        if not 1 <= len(rule.minutes) <= _LEVELS:
            yield Fault(path, f"must name one to {_LEVELS} levels")
        yield from _ascending(path, rule.minutes)


def _visits(rules: VisitRules, codes: frozenset[str]) -> Iterator[Fault]:
    measured = catalogue()
    for name, items in (("items", rules.items), ("auxiliary_items", rules.auxiliary_items)):
        yield from _repeated(("visits", name), items)
        for number, item in enumerate(items):
            if item not in measured and item not in COMPOSITE_ITEMS:
                yield Fault(("visits", name, number), f"there is no item {item}")
    if rules.no_abg_from not in codes:
        yield Fault(("visits", "no_abg_from"), f"there is no point {rules.no_abg_from}")
    yield from _repeated(("visits", "no_abg_inputs"), rules.no_abg_inputs)
    for number, code in enumerate(rules.no_abg_inputs):
        if code not in measured:
            yield Fault(("visits", "no_abg_inputs", number), f"there is no measurement {code}")


def _scores(rules: ScoreRules, codes: frozenset[str]) -> Iterator[Fault]:
    yield from _repeated(("scores", "enabled"), rules.enabled)
    points = ("scores", "assume_normal_points")
    yield from _repeated(points, rules.assume_normal_points)
    if rules.assume_normal_points and rules.missing_policy != "assume_normal":
        yield Fault(points, "has no effect unless the missing policy is assume_normal")
    for number, code in enumerate(rules.assume_normal_points):
        if code not in codes:
            yield Fault((*points, number), f"there is no point {code}")
    low, high = _PRESSURE
    if not low <= Decimal(rules.barometric_pressure) <= high:
        yield Fault(("scores", "barometric_pressure"), f"must be {low} to {high} mm[Hg]")
    for number, kind in enumerate(rules.crrt_modalities_counting_as_cvvhd):
        if kind not in CONTINUOUS_DIALYSIS:
            yield Fault(("scores", "crrt_modalities_counting_as_cvvhd", number), f"{kind} is no continuous dialysis")
    yield from _repeated(("scores", "feeds"), [(feed.score, feed.point) for feed in rules.feeds], "point")
    for number, feed in enumerate(rules.feeds):
        if feed.point not in codes:
            yield Fault(("scores", "feeds", number, "point"), f"there is no point {feed.point}")
        if feed.selection == "worst_24h" and feed.score not in SCORES_BY_WORST:
            yield Fault(("scores", "feeds", number, "selection"), f"{feed.score} has no worst value of 24 hours")
        if feed.score not in rules.enabled:
            yield Fault(("scores", "feeds", number, "score"), f"{feed.score} is not enabled")


def _stopping_rules(rules: Sequence[StoppingRule]) -> Iterator[Fault]:
    path = ("safety", "stopping_rules")
    yield from _repeated(path, [rule.rule_id for rule in rules], "rule_id")
    for number, rule in enumerate(rules):
        needed = _NEEDED_BY_RULE[rule.rule_id]
        for name in _NUMBERS:
            stated = getattr(rule, name) not in (None, ())
            if stated != (name in needed):
                why = "does not belong to" if stated else "is needed by"
                yield Fault((*path, number, name), f"{why} the rule {rule.rule_id}")
        for name, shown in (("rate", rule.rate), ("probability", rule.probability)):
            if shown is not None and not 0 < Decimal(shown) < 1:
                yield Fault((*path, number, name), "must lie between 0 and 1")
        if rule.prior is not None and not all(Decimal(part) > 0 for part in rule.prior):
            yield Fault((*path, number, "prior"), "must be two numbers above 0")
        yield from _repeated((*path, number, "actions"), rule.actions)
        scope = HoldScope.PARTICIPANT if rule.rule_id == "SR4" else HoldScope.TRIAL
        if rule.scope is not scope:
            yield Fault((*path, number, "scope"), f"the rule {rule.rule_id} is one of the scope {scope}")


def _rsi(versions: Sequence[RsiVersion]) -> Iterator[Fault]:
    yield from _repeated(("rsi",), [known.version for known in versions], "version")
    for number, (before, after) in enumerate(pairwise(versions), start=1):
        if after.effective_from <= before.effective_from:
            yield Fault(("rsi", number, "effective_from"), f"must be later than that of version {before.version}")
    for number, known in enumerate(versions):
        terms = [entry.term.casefold() for entry in known.entries]
        yield from _repeated(("rsi", number, "entries"), terms, "term")


def _repeated(path: Path, values: Sequence[Hashable], key: str | None = None) -> Iterator[Fault]:
    counts = Counter(values)
    seen: set[Hashable] = set()
    for number, value in enumerate(values):
        if value in seen:
            shown = "/".join(map(str, value)) if isinstance(value, tuple) else value
            yield Fault((*path, number, *((key,) if key else ())), f"{shown} is there {counts[value]} times")
            return
        seen.add(value)


def _ascending(path: Path, values: Sequence[int]) -> Iterator[Fault]:
    for number, (before, after) in enumerate(pairwise(values), start=1):
        if after <= before:
            yield Fault((*path, number), f"must be more than {before}")
