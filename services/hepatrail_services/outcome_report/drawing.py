"""One way to draw: the same content gives the same SVG, whole in itself, that can stand in a page beside others.

Letters are drawn as outlines, not written as text: the page looks the same where DejaVu Sans is not installed, and
what stands beside each other never runs into each other. What a figure says to a screen reader is its title and
description; its numbers stand in the tables.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from re import compile as pattern
from typing import Any, Final
from xml.etree import ElementTree

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hepatrail_services.outcome_report.codes import slug
from hepatrail_services.outcome_report.palette import BLACK, DARK_GREY, LIGHT_GREY

WIDTH: Final = 7.2
"""Inches: what an A4 page holds between its margins."""
_STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "hepatrail",
    "svg.fonttype": "path",
    # A label is a label: what stands between two dollar signs is no formula.
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.edgecolor": DARK_GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LIGHT_GREY,
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.4,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
_NO_METADATA: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_REFERENCE: Final = pattern(r"url\(#([^)]+)\)")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure: `svg` is an SVG element in UTF-8, a file as it is and ready to stand in a page."""

    code: str
    title: str
    description: str
    svg: bytes


def drawn(code: str, title: str, description: str, size: tuple[float, float], paint: Callable[[Figure], None]) -> Drawn:
    """The figure that `paint` paints on an empty one of `size` inches. ValueError for a code that is no UPPER_SNAKE.

    Settings of matplotlib, those of a user's file too, are put aside meanwhile: not for two threads at a time.
    """
    raw = BytesIO()
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        # A letter that the font lacks is drawn as an empty box; the tables have it.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        figure = Figure(figsize=size)
        paint(figure)
        figure.savefig(raw, format="svg", metadata=_NO_METADATA)
    return Drawn(code, title, description, _for_page(raw.getvalue(), slug(code), title, description))


def plain(label: str, longest: int = _LONGEST) -> str:
    """A label that can be drawn: printable, on one line, cut where it is longer."""
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in label)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def spread(places: Sequence[float], gap: float, low: float) -> list[float]:
    """Ascending places, moved apart until neighbours are `gap` from each other and none is below `low`.

    Each moves as little as its neighbours let it: where some are too near, they are set around their middle.
    """
    groups: list[tuple[float, int]] = []
    for place in places:
        start, count = max(place, low), 1
        while groups and groups[-1][0] + gap * groups[-1][1] > start:
            before, held = groups.pop()
            middle = (before * held + (start - gap * held) * count) / (held + count)
            start, count = max(middle, low), held + count
        groups.append((start, count))
    return [start + gap * index for start, count in groups for index in range(count)]


def empty(axes: Axes, text: str) -> None:
    """Says that there is nothing to show."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", color=BLACK, transform=axes.transAxes)


def staircase(days: Sequence[float], values: Sequence[float], end: float) -> tuple[list[float], list[float]]:
    """The corners of a curve that holds each value until the next day, the last until `end`."""
    across, up = list[float](), list[float]()
    for (day, value), (until, _) in pairwise([*zip(days, values, strict=True), (end, 0.0)]):
        across += [day, until]
        up += [value, value]
    return across, up


def _for_page(raw: bytes, prefix: str, title: str, description: str) -> bytes:
    """Without document type and namespaces, its ids its own, with title and description."""
    root = ElementTree.fromstring(raw)  # noqa: S314 (matplotlib wrote it, a moment ago)
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
        each.attrib = {name.rpartition("}")[2]: value for name, value in each.attrib.items()}
        each.text = each.text and each.text.strip()
        each.tail = "\n"
    # The one rule of its style sheet would reach beyond the figure; said of the root it is inherited.
    for defs in root.findall("defs"):
        for sheet in defs.findall("style"):
            defs.remove(sheet)
    _own_ids(root, prefix)
    ids = {name: f"{prefix}-{name}" for name in ("title", "desc")}
    root.attrib = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": root.attrib["viewBox"],
        "width": root.attrib["width"],
        "height": root.attrib["height"],
        "role": "img",
        "aria-labelledby": " ".join(ids.values()),
        "style": "stroke-linejoin: round; stroke-linecap: butt",
    }
    for index, (name, said) in enumerate((("title", title), ("desc", description))):
        words = ElementTree.Element(name, {"id": ids[name]})
        words.text, words.tail = plain(said, len(said)), "\n"
        root.insert(index, words)
    element: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=False)
    return element


def _own_ids(root: ElementTree.Element, prefix: str) -> None:
    """Ids that something refers to get the prefix, all others go."""
    wanted = {own for each in root.iter() for name, value in each.attrib.items() if (own := _referred(name, value))}
    for each in root.iter():
        if "id" in each.attrib and each.attrib["id"] not in wanted:
            del each.attrib["id"]
        for name, value in each.attrib.items():
            if name == "id":
                each.attrib[name] = f"{prefix}-{value}"
            elif own := _referred(name, value):
                each.attrib[name] = value.replace(f"#{own}", f"#{prefix}-{own}")


def _referred(name: str, value: str) -> str | None:
    """The id that an attribute refers to."""
    if name == "href":
        return value.removeprefix("#")
    found = _REFERENCE.search(value)
    return found and found[1]
