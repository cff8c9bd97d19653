"""The course of a parameter: each participant's change from baseline, and the median (`endpoints.md` section 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan, nan
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from hepatrail_projections.clinical.endpoints.cells import Number, rounded
from hepatrail_services.outcome_report.drawing import WIDTH, Drawn, drawn, empty, plain
from hepatrail_services.outcome_report.palette import BLACK, DARK_GREY, GREY, LINE_COLOURS, LINE_STYLES, MARKERS, WHITE

NAMED = len(LINE_COLOURS) * len(LINE_STYLES)
"""Up to so many participants each have a line of their own kind and their id beside it."""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """What is known of a participant: a change from baseline at some of the points."""

    subject_id: str
    changes: tuple[tuple[str, Number], ...]


def change_from_baseline(
    code: str,
    title: str,
    lines: Sequence[ChangeLine],
    medians: Sequence[tuple[str, Number]],
    points: Sequence[str],
    unit: str,
) -> Drawn:
    """Individual lines and the median over `points` in their order; a missing value is a gap, nothing is bridged.

    KeyError for a point that is not one of `points`. `unit` is empty for a score.
    """
    place = {point: index for index, point in enumerate(points)}
    own = [_heights(each.changes, place) for each in lines]
    middle = _heights(medians, place)
    told = "; ".join(f"{point} {rounded(value, 2)}" for point, value in medians)
    description = (
        f"Change from baseline of {len(lines)} participants, a line each, at {len(points)} time points in equal "
        f"distances; a gap is a missing value. Medians: {told or 'none'}."
    )

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.11, 0.17, 0.69, 0.80))
        if all(isnan(value) for line in own for value in line):
            empty(axes, "No change from baseline is known.")
            return
        axes.axhline(0, color=GREY, linewidth=0.8)
        if len(lines) <= NAMED:
            _named(axes, [each.subject_id for each in lines], own)
        else:
            _crowd(axes, own)
        # Above the lines, but where the only line is the median it would hide it.
        style: Any = {"color": BLACK, "linewidth": 2.4, "marker": "D", "markersize": 5.5, "markerfacecolor": WHITE}
        axes.plot(middle, label="median", zorder=5 if len(lines) > 1 else 1, **style)
        axes.set_xlim(-0.4, len(points) - 0.6)
        axes.set_xticks(range(len(points)), labels=[plain(each, 16) for each in points], rotation=45, ha="right")
        axes.set_xlabel("Time point (not to scale)")
        axes.set_ylabel(f"Change from baseline ({plain(unit, 30)})" if unit else "Change from baseline")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=7)

    return drawn(code, title, description, (WIDTH, 4.2), paint)


def _heights(changes: Sequence[tuple[str, Number]], place: dict[str, int]) -> list[float]:
    heights = [nan] * len(place)
    for point, value in changes:
        heights[place[point]] = float(value)
    return heights


def _named(axes: Axes, subject_ids: Sequence[str], own: Sequence[Sequence[float]]) -> None:
    for index, (subject_id, heights) in enumerate(zip(subject_ids, own, strict=True)):
        round_, colour = divmod(index, len(LINE_COLOURS))
        axes.plot(
            heights,
            color=LINE_COLOURS[colour],
            linestyle=LINE_STYLES[round_],
            # So that those who share a colour do not share a marker.
            marker=MARKERS[(index + round_) % len(MARKERS)],
            linewidth=1,
            markersize=4,
            label=plain(subject_id, 14),
        )


def _crowd(axes: Axes, own: Sequence[Sequence[float]]) -> None:
    """Thin lines that nobody tells apart; a value without neighbours is a point."""
    stretches, alone = list[list[tuple[float, float]]](), list[tuple[float, float]]()
    for heights in own:
        for known, values in groupby(enumerate(heights), lambda each: not isnan(each[1])):
            stretch = [(float(index), value) for index, value in values]
            if known and len(stretch) > 1:
                stretches.append(stretch)
            elif known:
                alone += stretch
    axes.add_collection(LineCollection(stretches, colors=DARK_GREY, linewidths=0.4, alpha=0.35))
    axes.scatter([each[0] for each in alone], [each[1] for each in alone], s=2, color=DARK_GREY, alpha=0.5)
    axes.autoscale_view()
    axes.plot([], [], color=DARK_GREY, linewidth=0.6, label=f"{len(own)} participants")
