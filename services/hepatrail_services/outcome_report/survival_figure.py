"""The Kaplan-Meier curve with its band and the numbers at risk (`endpoints.md` 3.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from hepatrail_projections.clinical.endpoints.cells import Interval
from hepatrail_projections.clinical.endpoints.survival import Step
from hepatrail_services.outcome_report.drawing import WIDTH, Drawn, drawn, empty, plain, spread, staircase
from hepatrail_services.outcome_report.palette import BLACK, BLUE, GREY, SKY_BLUE


@dataclass(frozen=True, slots=True)
class AtRisk:
    """Who is left at a day: `at_risk` counts t >= day, `events` t <= day, `censored` t < day (`endpoints.md` 3.2)."""

    day: int
    at_risk: int
    events: int
    censored: int


def at_risk(steps: Sequence[Step], days: Sequence[int]) -> tuple[AtRisk, ...]:
    """The numbers under the curve, at day 0 and at each of the days, ascending."""
    return tuple(
        AtRisk(
            day,
            next((each.at_risk for each in steps if each.days >= day), 0),
            sum(each.events for each in steps if each.days <= day),
            sum(each.censored for each in steps if each.days < day),
        )
        for day in sorted({0, *days})
    )


def kaplan_meier(
    code: str, title: str, steps: Sequence[Step], landmarks: Sequence[int], *, quantity: str, events: str
) -> Drawn:
    """The curve of `KaplanMeier.steps()`; `quantity` names the axis, `events` what ends the time (`deaths`)."""
    rows = at_risk(steps, landmarks)
    described = "; ".join(f"day {each.day}: {each.at_risk} at risk, {each.events} {events}" for each in rows)
    description = f"{quantity} from T0, a step at each day with {events}; a stroke marks a censoring. {described}."

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.12, 0.33, 0.85, 0.65))
        if not steps:
            empty(axes, "No participant was treated.")
            return
        end = max(steps[-1].days, rows[-1].day, 1)
        _curve(axes, steps, end)
        axes.set_xlim(-0.015 * end, end * 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_ylabel(plain(quantity, 40))
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axes.legend(loc="lower left")
        _numbers(axes, rows, events)

    return drawn(code, title, description, (WIDTH, 4.4), paint)


def _curve(axes: Axes, steps: Sequence[Step], horizon: int) -> None:
    # Beyond the last censoring nothing is known; where all have died, the curve stays 0.
    end = horizon if steps[-1].survival == 0 else steps[-1].days
    for number, (interval, band) in enumerate(_bands(steps, end)):
        label = f"{float(interval.confidence) * 100:g} % interval ({interval.method.lower().replace('_', '-')})"
        days = [day for day, _ in band]
        across, low = staircase(days[:-1], [each.lower for _, each in band[:-1]], days[-1])
        _, high = staircase(days[:-1], [each.upper for _, each in band[:-1]], days[-1])
        axes.fill_between(across, low, high, color=SKY_BLUE, alpha=0.3, linewidth=0, label=None if number else label)
        for limit in (low, high):
            axes.plot(across, limit, color=BLUE, linestyle="dashed", linewidth=0.7)
    across, up = staircase([each.days for each in steps], [each.survival for each in steps], end)
    axes.plot(across, up, color=BLACK, label="Kaplan-Meier estimate")
    censored = [each for each in steps if each.censored]
    if censored:
        days, heights = [each.days for each in censored], [each.survival for each in censored]
        axes.plot(days, heights, "|", color=BLACK, markersize=8, markeredgewidth=1.2, label="censored")


def _bands(steps: Sequence[Step], end: int) -> Iterator[tuple[Interval, list[tuple[int, Interval]]]]:
    """Stretches of the curve that have an interval, with the corners of each; the last corner is where it ends."""
    stretch: list[tuple[int, Interval]] = []
    for step, until in zip(steps, [*(each.days for each in steps[1:]), end], strict=True):
        if step.interval is not None and until > step.days:
            stretch = [*(stretch[:-1]), (step.days, step.interval), (until, step.interval)]
        if stretch and (step.interval is None or step is steps[-1]):
            yield stretch[0][1], stretch
            stretch = []


def _numbers(axes: Axes, rows: Sequence[AtRisk], events: str) -> None:
    """A table under the axis; days that lie too near for their numbers stand apart, with a line to their place."""
    low, high = axes.get_xlim()
    places = spread([each.day for each in rows], (high - low) * 0.062, 0)
    axes.set_xticks([each.day for each in rows], labels=[])
    under = axes.get_xaxis_transform()
    lines = {"Day": -0.12, "At risk": -0.22, plain(events.capitalize(), 14): -0.30, "Censored": -0.38}
    for label, height in lines.items():
        axes.text(-0.045, height, label, ha="right", va="center", fontsize=7, transform=axes.transAxes)
    for row, place in zip(rows, places, strict=True):
        axes.plot(
            [row.day, place], [-0.025, -0.085], color=GREY, linewidth=0.6, transform=under, clip_on=False, zorder=0
        )
        counts = (row.day, row.at_risk, row.events, row.censored)
        for count, height in zip(counts, lines.values(), strict=True):
            bold = "bold" if height == -0.12 else "normal"
            axes.text(place, height, str(count), ha="center", va="center", fontsize=7, weight=bold, transform=under)
    axes.text(0.5, -0.49, "Days from the start of the first session (T0)", ha="center", transform=axes.transAxes)
