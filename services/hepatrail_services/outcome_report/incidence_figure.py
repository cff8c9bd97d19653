"""Transplant and death without it: the cumulative incidence of two causes that compete (`endpoints.md` 3.2)."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from hepatrail_projections.clinical.endpoints.cells import rounded
from hepatrail_projections.clinical.endpoints.competing import Incidence
from hepatrail_services.outcome_report.drawing import WIDTH, Drawn, drawn, empty, staircase
from hepatrail_services.outcome_report.palette import BLUE, VERMILLION


def cumulative_incidence(
    code: str, title: str, curve: Sequence[Incidence], end: int | None, landmarks: Sequence[int]
) -> Drawn:
    """The incidences after each day on which something happened, ascending, until day `end`, the last that is known.

    `end` is None where nobody was followed.
    """
    causes = {
        "transplant": ([float(each.transplant) for each in curve], BLUE, "solid", "D"),
        "death without transplant": ([float(each.death) for each in curve], VERMILLION, "dashed", "X"),
    }
    reached = [f"{cause} {rounded([0.0, *values][-1], 3)}" for cause, (values, *_) in causes.items()]
    known = "no participant." if end is None else f"reached by day {end}: {', '.join(reached)}."
    description = f"Cumulative incidence after Aalen and Johansen of two competing events; {known}"

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.11, 0.14, 0.86, 0.84))
        if end is None:
            empty(axes, "No participant was treated.")
            return
        days = [each.tau for each in curve]
        for cause, (values, colour, style, marker) in causes.items():
            across, up = staircase([0, *days], [0.0, *values], end)
            axes.plot(across, up, color=colour, linestyle=style)
            rises = [
                (day, value) for day, before, value in zip(days, [0.0, *values], values, strict=False) if value > before
            ]
            at, heights = [day for day, _ in rises], [value for _, value in rises]
            axes.plot(at, heights, marker, color=colour, markersize=5)
            axes.plot([], [], color=colour, linestyle=style, marker=marker, markersize=5, label=cause)
        horizon = max(end, *landmarks, 1)
        axes.set_xlim(-0.015 * horizon, horizon * 1.02)
        axes.set_ylim(-0.01, 1.02)
        axes.set_xticks(sorted({0, *landmarks}))
        axes.grid(axis="x")
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axes.set_ylabel("Cumulative incidence")
        axes.set_xlabel("Days from the start of the first session (T0)")
        axes.legend(loc="upper left")

    return drawn(code, title, description, (WIDTH, 3.8), paint)
