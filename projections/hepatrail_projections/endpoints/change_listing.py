"""The analysis rows behind the change from baseline, and its courses for figures (`endpoints.md` section 4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_events.types import format_instant
from hepatrail_events.units import fraction_str
from hepatrail_projections.clinical.endpoints.describe import summary
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.endpoints.change_facts import Analysis, ChangeEntry, ChangeFacts
from hepatrail_projections.endpoints.change_parameters import Parameter, parameters, point_label, post_points


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One participant, parameter and point; there for every one of them, observed or not.

    `baseline`, `value`, `change` are decimal text in `unit`, `percent` in percent of the baseline; `reported` is the
    value in `unit` before a qualifier was worked in, such as `<10`. `collected` is an instant or a civil date. For
    `flags`, `analyses`, `reason` and `change_reason` see `ChangeEntry`; `reason` is NO_OBSERVATION where nothing was
    observed. `event_ids` are those of the value, `baseline_event_ids` those of the baseline.
    """

    subject_id: str
    parameter: str
    label: str
    unit: str | None
    point: str
    point_label: str
    ordinal: int
    baseline: str | None
    value: str | None
    change: str | None
    percent: str | None
    reported: str | None
    collected: str | None
    flags: tuple[str, ...]
    analyses: tuple[str, ...]
    reason: str | None
    change_reason: str | None
    algorithm: str | None
    event_ids: tuple[UUID, ...]
    baseline_event_ids: tuple[UUID, ...]


class _Place(NamedTuple):
    ordinal: int
    point: str
    label: str


def change_rows(facts: Sequence[ChangeFacts], protocol: Protocol) -> Iterator[ChangeRow]:
    """The rows of SAF by participant, parameter and point, in the order of the tables."""
    places = [_Place(at, code, point_label(code)) for at, code in enumerate((BASELINE, *post_points(protocol)))]
    for each in _safety(facts):
        for parameter in parameters(protocol):
            first = each.entries.get((parameter.code, BASELINE))
            baseline = (None, ()) if first is None else (_text(first.value), first.of_value.event_ids)
            for place in places:
                entry = each.entries.get((parameter.code, place.point))
                yield _row(each.subject_id, parameter, place, entry, baseline)


@dataclass(frozen=True, slots=True)
class Step:
    """A value on a participant's line; `change` is 0 at the baseline, None without one."""

    point: str
    value: Fraction
    change: Fraction | None


@dataclass(frozen=True, slots=True)
class Line:
    """The values of one participant in the order of the points, those without value left out."""

    subject_id: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Median:
    """The medians at a point, None of nobody; the same numbers as in the table."""

    point: str
    n: int
    value: Fraction | None
    n_of_change: int
    change: Fraction | None


@dataclass(frozen=True, slots=True)
class ChangeCourse:
    """What the figure of a parameter shows; there is a median for each of the points, the baseline first."""

    parameter: Parameter
    lines: tuple[Line, ...]
    medians: tuple[Median, ...]


def change_courses(
    facts: Sequence[ChangeFacts], protocol: Protocol, analysis: Analysis = Analysis.MAIN
) -> tuple[ChangeCourse, ...]:
    """The course of every parameter: a line a participant with any value, and the medians."""
    safety, points = _safety(facts), (BASELINE, *post_points(protocol))
    confidence = Decimal(protocol.endpoints.confidence)
    return tuple(_course(parameter, points, safety, analysis, confidence) for parameter in parameters(protocol))


def _course(
    parameter: Parameter, points: Sequence[str], safety: Sequence[ChangeFacts], analysis: Analysis, confidence: Decimal
) -> ChangeCourse:
    lines, at = [], dict[str, list[Step]]()
    for each in safety:
        entries = (each.entries.get((parameter.code, point)) for point in points)
        steps = tuple(step for entry in entries if entry is not None and (step := _step(entry, analysis)) is not None)
        for step in steps:
            at.setdefault(step.point, []).append(step)
        if steps:
            lines.append(Line(each.subject_id, steps))
    return ChangeCourse(
        parameter, tuple(lines), tuple(_median(point, at.get(point, ()), confidence) for point in points)
    )


def _step(entry: ChangeEntry, analysis: Analysis) -> Step | None:
    if entry.value is None or analysis not in entry.analyses:
        return None
    return Step(entry.point, entry.value, Fraction(0) if entry.point == BASELINE else entry.change)


def _median(point: str, steps: Sequence[Step], confidence: Decimal) -> Median:
    changes = [each.change for each in steps if each.change is not None]
    values = summary([each.value for each in steps], confidence).median
    return Median(point, len(steps), values, len(changes), summary(changes, confidence).median)


def _safety(facts: Sequence[ChangeFacts]) -> list[ChangeFacts]:
    return sorted((each for each in facts if each.in_safety_set), key=lambda each: each.subject_id)


def _row(
    subject_id: str,
    parameter: Parameter,
    place: _Place,
    entry: ChangeEntry | None,
    baseline: tuple[str | None, tuple[UUID, ...]],
) -> ChangeRow:
    return ChangeRow(
        subject_id=subject_id,
        parameter=parameter.code,
        label=parameter.name,
        unit=parameter.unit,
        point=place.point,
        point_label=place.label,
        ordinal=place.ordinal,
        baseline=baseline[0],
        value=None if entry is None else _text(entry.value),
        change=None if entry is None else _text(entry.change),
        percent=None if entry is None else _text(entry.percent),
        reported=None if entry is None else entry.reported,
        collected=None if entry is None else _when(entry),
        flags=() if entry is None else tuple(each.value for each in entry.flags),
        analyses=() if entry is None else tuple(each.value for each in Analysis if each in entry.analyses),
        reason="NO_OBSERVATION" if entry is None else entry.reason,
        change_reason=None if entry is None else entry.change_reason,
        algorithm=None if entry is None else entry.algorithm,
        event_ids=() if entry is None else entry.of_value.event_ids,
        baseline_event_ids=baseline[1],
    )


def _text(number: Fraction | None) -> str | None:
    return None if number is None else fraction_str(number)


def _when(entry: ChangeEntry) -> str | None:
    when = entry.collected
    if when is None:
        return None
    return format_instant(when) if isinstance(when, datetime) else when.isoformat()
