"""Adverse events by preferred term, each participant once at the highest grade (`endpoints.md` section 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hepatrail_services.outcome_report.drawing import WIDTH, Drawn, drawn, empty, plain
from hepatrail_services.outcome_report.palette import BLACK, DARK_GREY, GRADE_COLOURS, GRADE_HATCHES, WHITE

GRADES: Final = (1, 2, 3, 4, 5, None)
PAGE: Final = 40
"""Terms that a page holds."""
_LINE: Final = 0.21


@dataclass(frozen=True, slots=True)
class TermCounts:
    """Participants with a preferred term by their highest grade; the grade None was not given."""

    term: str
    by_grade: Mapping[int | None, int]

    @property
    def participants(self) -> int:
        """All of them."""
        return sum(self.by_grade.values())


def adverse_events_by_grade(code: str, title: str, terms: Sequence[TermCounts]) -> tuple[Drawn, ...]:
    """A bar a term, the most frequent first, as many pages as it takes.

    ValueError for a grade that is none or a negative count.
    """
    for each in terms:
        if not each.by_grade.keys() <= set(GRADES) or any(count < 0 for count in each.by_grade.values()):
            raise ValueError(f"{each.term!r} has no counts by grade")
    ordered = sorted((each for each in terms if each.participants), key=lambda each: (-each.participants, each.term))
    most = max((each.participants for each in ordered), default=1)
    pages = [ordered[start : start + PAGE] for start in range(0, len(ordered), PAGE)] or [[]]
    return tuple(
        _page(f"{code}_{number}", f"{title} ({number} of {len(pages)})", page, most)
        if len(pages) > 1
        else _page(code, title, page, most)
        for number, page in enumerate(pages, 1)
    )


def _page(code: str, title: str, terms: Sequence[TermCounts], most: int) -> Drawn:
    height = 1.1 + _LINE * max(len(terms), 3)
    told = "; ".join(f"{each.term} {each.participants}" for each in terms)
    description = f"Participants by preferred term and highest grade, a bar each: {told or 'none'}."

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((0.34, 0.5 / height, 0.62, 1 - 0.9 / height))
        if not terms:
            empty(axes, "No adverse event.")
            return
        _bars(axes, terms, most)
        axes.set_yticks(range(len(terms)), labels=[plain(each.term, 38) for each in terms])
        axes.set_ylim(len(terms) - 0.4, -0.6)
        axes.set_xlim(0, most * 1.06)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("Participants")
        axes.legend(loc="lower right", bbox_to_anchor=(1.02, 1), ncols=len(GRADES), columnspacing=1, handlelength=1.6)

    return drawn(code, title, description, (WIDTH, height), paint)


def _bars(axes: Axes, terms: Sequence[TermCounts], most: int) -> None:
    starts = [0] * len(terms)
    for grade in GRADES:
        counts = [each.by_grade.get(grade, 0) for each in terms]
        axes.barh(
            range(len(terms)),
            counts,
            0.72,
            left=starts,
            color=GRADE_COLOURS[grade],
            hatch=GRADE_HATCHES[grade],
            edgecolor=BLACK,
            linewidth=0.6,
            linestyle="dotted" if grade is None else "solid",
            label="no grade" if grade is None else f"grade {grade}",
        )
        for line, (start, count) in enumerate(zip(starts, counts, strict=True)):
            # A number needs its room: in a bar that is narrower than it, it would hide the hatch.
            if count >= most * 0.035:
                _number(axes, start + count / 2, line, count)
        starts = [start + count for start, count in zip(starts, counts, strict=True)]
    for line, total in enumerate(starts):
        axes.text(total + most * 0.008, line, f" {total}", va="center", fontsize=7, color=DARK_GREY)


def _number(axes: Axes, across: float, line: int, count: int) -> None:
    box = {"boxstyle": "round,pad=0.12", "facecolor": WHITE, "edgecolor": "none"}
    axes.text(across, line, str(count), ha="center", va="center_baseline", fontsize=6.5, color=BLACK, bbox=box)
