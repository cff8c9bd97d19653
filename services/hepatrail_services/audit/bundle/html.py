"""Pieces of the report: HTML without script or address, tables that a screen reader can read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from html import escape
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from hepatrail_events.types import SealedText, format_instant
from hepatrail_infra.sealing_keys import SealBroken, SubjectKey, open_with

_STYLE: Final = """\
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.3rem;margin-top:2.5rem;border-bottom:2px solid #444}h3{font-size:1.1rem}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
thead th{background:#eee}tbody th{font-weight:400}code{font-size:.85em}.sealed{color:#555;font-style:italic}
@media print{body{margin:0;max-width:none}h2{break-before:page}tr{break-inside:avoid}}
"""
_SEALED_FIELDS: Final = {"kid", "cid", "path", "ct"}
SEALED: Final = "sealed"
_NUL: Final = "\0"


@dataclass(slots=True)
class Values:
    """How values are written; sealed text with the keys that are at hand, by kid, else as sealed.

    `places` names events by their number in the stream that is being shown.
    """

    keys: Mapping[str, SubjectKey] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)

    def text(self, value: Any) -> str:
        """A value as text; the same value is always the same text."""
        if type(value) is str:
            return value
        match value:
            case None:
                return ""
            case bool():
                return "yes" if value else "no"
            case datetime():
                return format_instant(value)
            case int() | date() | UUID() | str():
                return str(value)
            case dict() if value.keys() == _SEALED_FIELDS:
                return self._opened(value)
            case dict() if value.keys() <= {"value", "precision"} and "precision" in value:
                return str(value.get("value") or value["precision"].lower())
            case dict() if value.keys() == {"text"}:
                return str(value["text"])
            case dict():
                parts = (f"{name} {text}" for name, each in value.items() if (text := self.text(each)))
                return ", ".join(parts)
            case _:
                return "; ".join(self.text(each) for each in value)

    def events(self, ids: Iterable[UUID]) -> str:
        """Events by their numbers in the stream; those of other streams by their ids."""
        known = [self.places.get(str(each), str(each)) for each in ids]
        numbers = sorted(each for each in known if isinstance(each, int))
        return ", ".join(map(str, [*numbers, *(each for each in known if isinstance(each, str))]))

    def _opened(self, value: dict[str, Any]) -> str:
        key = self.keys.get(value["kid"])
        if key is None:
            return SEALED
        try:
            return open_with(key, SealedText.model_validate(value))
        except (SealBroken, ValidationError):
            return "does not open: altered or moved"


def page(title: str, body: Iterable[str]) -> Iterator[str]:
    """A whole document."""
    yield (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{_STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n"
    )
    yield from body
    yield "</main>\n</body>\n</html>\n"


def heading(level: int, text: str, anchor: str | None = None) -> str:
    """A heading, perhaps one that is linked to."""
    place = f' id="{escape(anchor)}"' if anchor else ""
    return f"<h{level}{place}>{escape(text)}</h{level}>\n"


def paragraph(text: str) -> str:
    """A sentence."""
    return f"<p>{escape(text)}</p>\n"


def link(anchor: str, text: str) -> str:
    """A link within the page, as a cell that is HTML already."""
    return f'<a href="#{escape(anchor)}">{escape(text)}</a>'


def facts(caption: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names and values; those without a value are left out."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>\n' for name, text in pairs if text
    )
    return f"<table><caption>{escape(caption)}</caption><tbody>\n{rows}</tbody></table>\n"


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, linked: bool = False
) -> Iterator[str]:
    """A table, the first cell of each row its head, which is HTML when `linked`; one sentence when there is no row."""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in columns)
    empty = True
    for first, *rest in rows:
        if empty:
            yield f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>\n"
            empty = False
        head_cell = first if linked else escape(first)
        yield f'<tr><th scope="row">{head_cell}</th>{cells(rest)}</tr>\n'
    yield paragraph(f"{caption}: none.") if empty else "</tbody></table>\n"


def cells(texts: Sequence[str], attribute: str = "") -> str:
    """Cells of a row; escaped in one go, because a report has a million of them. No text holds NUL (PRV-02)."""
    between = f"</td><td{attribute}>"
    joined = escape(_NUL.join(texts)).replace(_NUL, between)
    return f"<td{attribute}>{joined}</td>" if texts else ""


def names(columns: Iterable[str]) -> list[str]:
    """Columns as the API names them."""
    return [to_camel(each) for each in columns]
