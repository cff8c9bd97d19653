"""The participants as lanes: how long each was followed, and what happened when."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, sqrt
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import ScaledTranslation

from hepatrail_projections.clinical.endpoints.cells import Number, rounded
from hepatrail_services.outcome_report.drawing import WIDTH, Drawn, drawn, empty, plain, spread
from hepatrail_services.outcome_report.palette import (
    BLACK,
    BLUE,
    GRADE_COLOURS,
    GREEN,
    GREY,
    LIGHT_GREY,
    WHITE,
    on_grade,
)

PAGE: Final = 30
"""Lanes that a page holds."""
_LANE: Final = 0.29
_ACROSS: Final = 0.73
_MARK: Final = 0.125
_TICKS: Final = (-28, -14, -7, -1, 0, 1, 3, 7, 14, 28, 56, 84, 183, 365, 730, 1461)


@dataclass(frozen=True, slots=True)
class LaneEvent:
    """An adverse event: its day from T0, its highest grade, None where nobody gave one, and whether it is serious."""

    day: int
    grade: int | None
    serious: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A participant's course in whole civil days from T0; `sessions` are (start day, hours).

    `censored`: followed to the end of the lane, alive then as far as anybody knows.
    """

    subject_id: str
    follow_up_days: int
    sessions: tuple[tuple[int, Number], ...]
    adverse_events: tuple[LaneEvent, ...]
    transplant_day: int | None
    death_day: int | None
    censored: bool

    @property
    def hours(self) -> Number:
        """Hours of treatment in all sessions."""
        total: Any = sum(each for _, each in self.sessions)
        return total  # type: ignore[no-any-return]


def swimmer(code: str, title: str, lanes: Sequence[Lane]) -> tuple[Drawn, ...]:
    """The lanes in the order given, from above, as many pages as it takes."""
    pages = [lanes[start : start + PAGE] for start in range(0, len(lanes), PAGE)] or [[]]
    days = [day for each in lanes for day in _days(each)]
    first, last = min(days, default=0), max(days, default=1)
    return tuple(
        _page(f"{code}_{number}", f"{title} ({number} of {len(pages)})", page, first, last)
        if len(pages) > 1
        else _page(code, title, page, first, last)
        for number, page in enumerate(pages, 1)
    )


def _days(lane: Lane) -> list[int]:
    known = [lane.transplant_day, lane.death_day]
    return [
        0,
        lane.follow_up_days,
        *(day for day, _ in lane.sessions),
        *(each.day for each in lane.adverse_events),
        *(day for day in known if day is not None),
    ]


def _page(code: str, title: str, lanes: Sequence[Lane], first: int, last: int) -> Drawn:
    height = 1.17 + _LANE * max(len(lanes), 2)
    told = " ".join(map(_told, lanes)) or "No participant."
    description = (
        "A lane for each participant from the first session (T0) to the end of follow-up; the scale of days is that of "
        "their square roots. On the lane: adverse events with their highest grade, side by side where they would hide "
        f"each other, with strokes at the exact days. Under it: sessions and transplant. {told}"
    )

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.13, 0.52 / height, _ACROSS, 1 - 0.97 / height))
        if not lanes:
            empty(axes, "No participant was treated.")
            return
        roots = _scale(axes, first, last, len(lanes))
        placed = [_placed(each, roots / (_ACROSS * WIDTH) * _MARK) for each in lanes]
        _treatment(axes, lanes)
        _adverse_events(axes, placed)
        _ends(figure, axes, lanes, placed)
        axes.set_yticks([])
        beside = axes.get_yaxis_transform()
        axes.text(1.015, -0.95, "sessions, hours", fontsize=7, va="center", transform=beside)
        for line, each in enumerate(lanes):
            axes.text(-0.015, line, plain(each.subject_id, 16), ha="right", va="center", transform=beside)
            said = f"{len(each.sessions)}, {rounded(each.hours, 2)} h"
            axes.text(1.015, line, said, fontsize=7, va="center", transform=beside)
        axes.set_xlabel("Days from the start of the first session (T0), square-root scale")
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(
            handles,
            labels,
            loc="upper center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=6,
            fontsize=7,
            bbox_transform=figure.transFigure,
            columnspacing=1.2,
            handletextpad=0.3,
        )

    return drawn(code, title, description, (WIDTH, height), paint)


def _told(lane: Lane) -> str:
    """A lane in words."""
    if lane.death_day is not None:
        end = f"died on day {lane.death_day}"
    else:
        end = f"{'alive, ' if lane.censored else ''}followed to day {lane.follow_up_days}"
    transplant = "" if lane.transplant_day is None else f", transplant on day {lane.transplant_day}"
    counts = f"{len(lane.sessions)} sessions, {len(lane.adverse_events)} adverse events"
    return f"{lane.subject_id}: {counts}{transplant}, {end}."


def _scale(axes: Axes, first: int, last: int, lanes: int) -> float:
    """Square roots: the first weeks, where most happens, get the room they need. Returns how many roots are shown."""

    def forward(days: Any) -> Any:
        return np.copysign(np.sqrt(np.abs(days)), days)

    def back(roots: Any) -> Any:
        return np.copysign(np.square(roots), roots)

    axes.set_xscale("function", functions=(forward, back))
    room = 0.02 * (_root(last) - _root(first))
    low, high = _root(first) - room, _root(max(last, 1)) + 2 * room
    axes.set_xlim(_days_of(low), _days_of(high))
    axes.set_ylim(lanes - 0.4, -0.7)
    ticks = [day for day in _TICKS if min(first, 0) <= day <= last]
    axes.set_xticks(ticks, labels=[str(day) for day in ticks])
    axes.minorticks_off()
    axes.grid(axis="x")
    return high - low


def _root(day: int) -> float:
    return copysign(sqrt(abs(day)), day)


def _placed(lane: Lane, width: float) -> list[tuple[LaneEvent, float]]:
    """Adverse events with the roots of their days, set apart by the width of a mark so that none hides another."""
    events = sorted(set(lane.adverse_events), key=lambda each: (each.day, each.grade or 0, each.serious))
    roots = [_root(each.day) for each in events]
    return list(zip(events, spread(roots, width, min(roots, default=0)), strict=True))


def _days_of(root: float) -> float:
    return copysign(root * root, root)


def _treatment(axes: Axes, lanes: Sequence[Lane]) -> None:
    lines = range(len(lanes))
    axes.barh(lines, [each.follow_up_days for each in lanes], 0.34, color=LIGHT_GREY, edgecolor=GREY, linewidth=0.5)
    sessions = [(day, line + 0.36) for line, each in enumerate(lanes) for day, _ in each.sessions]
    transplants = [
        (each.transplant_day, line + 0.36) for line, each in enumerate(lanes) if each.transplant_day is not None
    ]
    _marks(axes, sessions, "session", marker="^", s=22, color=BLUE)
    _marks(axes, transplants, "transplant", marker="D", s=24, facecolor=GREEN, edgecolor=BLACK, linewidth=0.8)


def _ends(
    figure: Figure, axes: Axes, lanes: Sequence[Lane], placed: Sequence[Sequence[tuple[LaneEvent, float]]]
) -> None:
    """How a lane ended, beside its end and beside the last mark that stands there."""
    beside = axes.transData + ScaledTranslation(0.15, 0, figure.dpi_scale_trans)
    deaths, alive = list[tuple[float, float]](), list[tuple[float, float]]()
    for line, (lane, events) in enumerate(zip(lanes, placed, strict=True)):
        last = events[-1][1] if events else 0.0
        if lane.death_day is not None:
            deaths.append((_days_of(max(last, _root(lane.death_day))), line))
        elif lane.censored:
            alive.append((_days_of(max(last, _root(lane.follow_up_days))), line))
    style = {"transform": beside, "clip_on": False}
    _marks(axes, deaths, "death", marker="x", s=32, color=BLACK, linewidth=1.8, **style)
    _marks(axes, alive, "alive (censored)", marker=">", s=24, facecolor="none", edgecolor=BLACK, **style)


def _adverse_events(axes: Axes, placed: Sequence[Sequence[tuple[LaneEvent, float]]]) -> None:
    """Circles, squares for serious ones, with the grade in them; above the lane a stroke at the exact day."""
    strokes = [(each.day, line - 0.31) for line, events in enumerate(placed) for each, _ in events]
    places = defaultdict[tuple[bool, int | None], list[tuple[float, float]]](list)
    for line, events in enumerate(placed):
        for each, root in events:
            places[each.serious, each.grade].append((_days_of(root), line))
    _marks(axes, strokes, "", marker="|", s=18, color=BLACK, linewidth=0.6)
    for (serious, grade), at in sorted(places.items(), key=lambda each: (each[0][0], each[0][1] or 0)):
        shape, size, edge = ("s", 50, 1.4) if serious else ("o", 54, 0.6)
        colour, above = GRADE_COLOURS[grade], {"zorder": 5, "clip_on": False}
        _marks(axes, at, "", marker=shape, s=size, facecolor=colour, edgecolor=BLACK, linewidth=edge, **above)
        _marks(axes, at, "", marker=_number(grade), s=20, color=on_grade(grade), linewidth=0, **above)
    for shape, label, edge in (("o", "adverse event, grade", 0.6), ("s", "serious, grade", 1.4)):
        axes.scatter([], [], marker=shape, s=50, facecolor=WHITE, edgecolor=BLACK, linewidth=edge, label=label)


def _marks(axes: Axes, places: Sequence[tuple[float, float]], label: str, **style: Any) -> None:
    if places or label:
        across, down = [each[0] for each in places], [each[1] for each in places]
        axes.scatter(across, down, label=label or None, **{"zorder": 4, **style})


def _number(grade: int | None) -> Path:
    """A digit as a marker, centred."""
    digit = TextPath((0, 0), "?" if grade is None else str(grade), size=10)
    middle = (np.min(digit.vertices, axis=0) + np.max(digit.vertices, axis=0)) / 2
    return Path(digit.vertices - middle, digit.codes)
