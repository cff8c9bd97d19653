"""A table of the outcomes in HTML: levels, intervals, footnotes, and the participants behind each number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from itertools import groupby
from re import search
from string import ascii_lowercase
from typing import Final

from hepatrail_projections.clinical.endpoints.cells import NOT_ESTIMABLE, Cell, Contribution, Interval, Table, rounded
from hepatrail_services.outcome_report.codes import slug


@dataclass(slots=True)
class _Footnotes:
    """Flags by the letters that stand for them, in the order in which a reader meets them."""

    texts: Mapping[str, str]
    letters: dict[str, str] = field(default_factory=dict)

    def mark(self, flag: str) -> str:
        if flag not in self.letters:
            self.letters[flag] = _letters(len(self.letters))
        return self.letters[flag]

    def lines(self) -> Iterator[tuple[str, str]]:
        for flag, letter in self.letters.items():
            yield letter, self.texts.get(flag, flag.lower().replace("_", " "))


def outcome_table(table: Table, number: int, texts: Mapping[str, str]) -> Iterator[str]:
    """The table with its footnotes; `texts` says what flags mean, those without stand as they are.

    ValueError for a cell of no column, or for a code that is none.
    """
    anchor = f"table-{slug(table.code)}"
    caption = (
        f'<span class="number">Table {number}.</span> {escape(table.title)} '
        f'<span class="section">(endpoints.md, section {escape(table.section)})</span>'
    )
    notes = _Footnotes(texts)
    if table.rows:
        yield f'<div class="wide" id="{anchor}" role="region" tabindex="0" aria-labelledby="{anchor}-caption">\n'
        yield f'<table><caption id="{anchor}-caption">{caption}</caption>\n'
        yield from _rows(table, notes)
        yield "</table>\n</div>\n"
    else:
        yield f'<p id="{anchor}">{caption}: none.</p>\n'
    yield from _notes(table, notes)
    yield from _behind(table)


def _rows(table: Table, notes: _Footnotes) -> Iterator[str]:
    codes = [each.code for each in table.columns]
    heads = "".join(f'<th scope="col">{escape(each.label)}</th>' for each in table.columns)
    yield f"<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n"
    for row in table.rows:
        cells = {each.column: each for each in row.cells}
        if strangers := cells.keys() - set(codes):
            raise ValueError(f"{table.code}, {row.code}: no column {', '.join(sorted(strangers))}")
        shown = "".join(_cell(cells.get(code), notes) for code in codes)
        level = f' class="level-{row.level}"' if row.level else ""
        yield f'<tr><th scope="row"{level}>{escape(row.label)}</th>{shown}</tr>\n'
    yield "</tbody>\n"


def _cell(cell: Cell | None, notes: _Footnotes) -> str:
    if cell is None:
        return "<td></td>"
    marks = "".join(f"<sup>{notes.mark(flag)}</sup>" for flag in cell.flags)
    limits = "" if cell.interval is None else f'<span class="interval">{escape(limits_text(cell))}</span>'
    return f"<td>{escape(cell.display)}{marks}{limits}</td>"


def limits_text(cell: Cell) -> str:
    """The interval of a cell, `95 % CI 5.5–57.2 %`: one decimal in percent, three of a survival (`endpoints.md`).

    Limits of a mean have its decimals and stand apart by a word, because they may be negative. Empty without interval.
    """
    match cell.interval:
        case None:
            return ""
        case Interval(lower, upper, confidence, "CLOPPER_PEARSON"):
            limits = f"{rounded(_percent(lower), 1)}–{rounded(_percent(upper), 1)} %"
        case Interval(lower, upper, confidence, "LOG_LOG"):
            limits = f"{rounded(lower, 3)}–{rounded(upper, 3)}"
        case Interval(lower, upper, confidence, _):
            decimals = search(r"\.([0-9]+)", cell.display)
            places = len(decimals[1]) if decimals else 0
            limits = f"{rounded(lower, places)} to {rounded(upper, places)}"
    return f"{float(confidence) * 100:g} % CI {limits}"


def _percent(share: float) -> Decimal:
    return Decimal(repr(share)) * 100


def _notes(table: Table, notes: _Footnotes) -> Iterator[str]:
    lines = [escape(each) for each in table.notes]
    lines += [f"<sup>{letter}</sup> {escape(text)}" for letter, text in notes.lines()]
    if any(NOT_ESTIMABLE in cell.display for _, cell in table.cells()):
        lines.append(f"{NOT_ESTIMABLE}: not estimable")
    if lines:
        items = "".join(f"<li>{each}</li>\n" for each in lines)
        yield f'<ul class="notes">\n{items}</ul>\n'


def _behind(table: Table) -> Iterator[str]:
    """Participants by cell; neighbours that rest on the same are one line. Their events stand in the CSV file."""
    labels = {each.code: each.label for each in table.columns}
    lines = list[str]()
    for row in table.rows:
        for who, cells in groupby(row.cells, lambda each: _participants(each.contributions)):
            if who:
                columns = ", ".join(labels[each.column] for each in cells)
                head = f'<th scope="row">{escape(row.label)}</th>'
                lines.append(f"<tr>{head}<td>{escape(columns)}</td><td>{escape(who)}</td></tr>\n")
    if lines:
        heads = "".join(f'<th scope="col">{each}</th>' for each in ("row", "columns", "participants"))
        yield "<details><summary>Participants behind these numbers</summary>\n"
        yield f"<table><thead><tr>{heads}</tr></thead>\n<tbody>\n{''.join(lines)}</tbody></table>\n</details>\n"


def _participants(contributions: tuple[Contribution, ...]) -> str:
    return " ".join(each.subject_id for each in contributions)


_BASE: Final = len(ascii_lowercase)


def _letters(index: int) -> str:
    """a to z, then aa."""
    before, place = divmod(index, _BASE)
    return (_letters(before - 1) if before else "") + ascii_lowercase[place]
