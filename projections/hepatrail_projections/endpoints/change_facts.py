"""What one participant contributes to the change from baseline (`endpoints.md` section 4).

Decided here, because the reference leaves room:

- A value without baseline is still summarised as a value (`visits.md` section 6); the change, and the `n` of it, need
  both. So a score by an assumption that the protocol admits is a value, and has a change only where `scores.md` 9.10
  gives one; its baseline must be complete.
- What was observed after death, or after a withdrawal from follow-up or of all data, counts nowhere.
- The observation is chosen first and left out then: no second one takes its place after a transplant or in the
  sensitivity analysis without sessions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from hepatrail_events.protocol import Protocol
from hepatrail_events.protocol_rules import EndpointRules
from hepatrail_projections.clinical.endpoints.cells import Contribution, in_order
from hepatrail_projections.clinical.endpoints.change_arithmetic import Qualifier, analysed, percent_change
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.derive import OutcomeRows
from hepatrail_projections.endpoints.change_observed import Observed, observed
from hepatrail_projections.endpoints.change_parameters import Parameter, parameters, post_points


class Analysis(StrEnum):
    """Main, and the two sensitivity analyses: all that is assigned to a point, and nothing of a later session."""

    MAIN = "MAIN"
    ALL_ASSIGNED = "ALL_ASSIGNED"
    WITHOUT_SESSION = "WITHOUT_SESSION"


class Flag(StrEnum):
    """What to know of a value before using it; `BASELINE_QUALIFIED` that its baseline stands for a limit."""

    QUALIFIED_LOW = "QUALIFIED_LOW"
    QUALIFIED_HIGH = "QUALIFIED_HIGH"
    BASELINE_QUALIFIED = "BASELINE_QUALIFIED"
    DURING_SESSION = "DURING_SESSION"
    OUT_OF_WINDOW = "OUT_OF_WINDOW"
    AFTER_TRANSPLANT = "AFTER_TRANSPLANT"
    ASSUMED = "ASSUMED"


QUALIFIED = frozenset({Flag.QUALIFIED_LOW, Flag.QUALIFIED_HIGH})

_EVERY = frozenset(Analysis)
_NONE = frozenset[Analysis]()
_OUT_OF_WINDOW = frozenset({Analysis.ALL_ASSIGNED})
_DURING_SESSION = _EVERY - {Analysis.WITHOUT_SESSION}


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """One analysis row: a parameter of one participant at one point, the baseline included.

    `value` is what statistics use, `change` post minus baseline (positive: an increase), both exact in `unit`;
    `percent` is in percent of the baseline, of laboratory analytes only. `reported` is the canonical value with its
    sign. `analyses` are those in which the value counts; `reason` says why there is none, or why none of them takes
    it, `change_reason` why there is no change. `of_value` and `of_change` name the events behind each.
    """

    parameter: str
    point: str
    baseline: Fraction | None
    value: Fraction | None
    change: Fraction | None
    percent: Fraction | None
    reported: str | None
    unit: str | None
    collected: datetime | date | None
    flags: tuple[Flag, ...]
    analyses: frozenset[Analysis]
    reason: str | None
    change_reason: str | None
    algorithm: str | None
    of_value: Contribution
    of_change: Contribution


Place: TypeAlias = tuple[str, str]
"""A parameter and a point."""


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What a participant contributes; `entries` are there only where something was observed, and in SAF only.

    `seen` is what they were made of.
    """

    subject_id: str
    in_safety_set: bool
    entries: Mapping[Place, ChangeEntry]
    seen: Mapping[Place, Observed] = field(default_factory=dict, compare=False, repr=False)


def change_facts(rows: OutcomeRows, protocol: Protocol, before: ChangeFacts | None = None) -> ChangeFacts:
    """The facts of one participant from the rows that were derived under this protocol.

    `before` are facts of the same participant under the same protocol; what they have of the same observations is taken
    from there, which changes nothing but the time that it takes.
    """
    subject_id = rows.subject.subject_id
    if all(each.voided for each in rows.sessions):
        return ChangeFacts(subject_id, False, {})
    found, known, entries = observed(rows, protocol), before or ChangeFacts(subject_id, True, {}), {}
    for parameter in parameters(protocol):
        at_baseline = parameter.code, BASELINE
        unmoved = known.seen.get(at_baseline) == found.get(at_baseline)
        baseline = None
        for point in (BASELINE, *post_points(protocol)):
            place = parameter.code, point
            seen = found.get(place)
            if seen is None:
                continue
            if unmoved and known.seen.get(place) == seen:
                entries[place] = known.entries[place]
            else:
                entries[place] = _entry(subject_id, parameter, point, seen, protocol.endpoints, baseline)
            if point == BASELINE:
                baseline = entries[place]
    return ChangeFacts(subject_id, True, entries, found)


def by_place(facts: Iterable[ChangeFacts]) -> Mapping[Place, list[ChangeEntry]]:
    """The entries of all participants by parameter and point, in the order given."""
    places: dict[Place, list[ChangeEntry]] = {}
    for each in facts:
        for place, entry in each.entries.items():
            places.setdefault(place, []).append(entry)
    return places


def _entry(
    subject_id: str,
    parameter: Parameter,
    point: str,
    seen: Observed,
    rules: EndpointRules,
    first: ChangeEntry | None = None,
) -> ChangeEntry:
    """`first` is the baseline's entry, None for the baseline itself and where there is none."""
    post = point != BASELINE
    numbers = _numbers(seen, rules, None if first is None else first.value, post=post)
    baseline, value, change, _, change_reason = numbers
    analyses = _NONE if value is None else _analyses(seen, rules, post=post)
    percent = None
    if not parameter.is_score and change is not None and value is not None and baseline is not None:
        percent = percent_change(baseline, value)
    of_value = of_change = Contribution(subject_id, in_order(seen.event_ids))
    if first is not None and change is not None:
        of_change = Contribution(subject_id, in_order((*seen.event_ids, *first.of_value.event_ids)))
    return ChangeEntry(
        parameter=parameter.code,
        point=point,
        baseline=baseline,
        value=value,
        change=change,
        percent=percent,
        reported=None if seen.number is None else f"{seen.comparator or ''}{seen.text}",
        unit=parameter.unit,
        collected=None if seen.collected is None else seen.collected.instant or seen.collected.local_date,
        flags=_flags(seen, numbers, first, post=post),
        analyses=analyses,
        reason=_reason(seen, value, analyses),
        change_reason=change_reason,
        algorithm=seen.algorithm,
        of_value=of_value,
        of_change=of_change,
    )


class _Numbers(NamedTuple):
    baseline: Fraction | None
    value: Fraction | None
    change: Fraction | None
    qualifier: Qualifier | None
    change_reason: str | None


def _numbers(seen: Observed, rules: EndpointRules, before: Fraction | None, *, post: bool) -> _Numbers:
    if seen.number is None:
        return _Numbers(before, None, None, None, "NO_VALUE" if post else None)
    value, qualifier = analysed(seen.number, seen.comparator, rules.censored_low)
    if not post:
        # No change may rest on a baseline by assumption (`scores.md` section 9, rule 10).
        known = None if seen.assumed else value
        return _Numbers(known, known, None, qualifier, None)
    if seen.change_reason is not None or before is None:
        return _Numbers(before, value, None, qualifier, seen.change_reason or "NO_BASELINE")
    return _Numbers(before, value, value - before, qualifier, None)


def _flags(seen: Observed, numbers: _Numbers, first: ChangeEntry | None, *, post: bool) -> tuple[Flag, ...]:
    if seen.number is None:
        return ()
    flags = [] if numbers.qualifier is None else [Flag(numbers.qualifier)]
    if first is not None and first.flags and numbers.change is not None and not QUALIFIED.isdisjoint(first.flags):
        flags.append(Flag.BASELINE_QUALIFIED)
    if seen.during_session and post:
        flags.append(Flag.DURING_SESSION)
    if not seen.in_window:
        flags.append(Flag.OUT_OF_WINDOW)
    if seen.after_transplant and post:
        flags.append(Flag.AFTER_TRANSPLANT)
    if seen.assumed:
        flags.append(Flag.ASSUMED)
    return tuple(flags)


def _analyses(seen: Observed, rules: EndpointRules, *, post: bool) -> frozenset[Analysis]:
    if not post:
        return _EVERY
    if seen.after_stop is not None or (seen.after_transplant and rules.exclude_after_transplant):
        return _NONE
    if rules.in_window_only and not seen.in_window:
        return _OUT_OF_WINDOW
    return _DURING_SESSION if seen.during_session else _EVERY


def _reason(seen: Observed, value: Fraction | None, analyses: frozenset[Analysis]) -> str | None:
    if value is None:
        return seen.reason or "ASSUMED"
    if analyses is _EVERY or Analysis.MAIN in analyses:
        return None
    if analyses:
        return Flag.OUT_OF_WINDOW.value
    return seen.after_stop or Flag.AFTER_TRANSPLANT.value
