"""The report as one HTML page: no script, no address outside of itself, no clock; the same content, the same bytes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_services.audit.bundle.html import facts, heading, link, paragraph
from hepatrail_services.outcome_report.codes import slug
from hepatrail_services.outcome_report.drawing import Drawn
from hepatrail_services.outcome_report.html_table import outcome_table
from hepatrail_services.outcome_report.provenance import Provenance

_STYLE: Final = """\
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.3rem;margin-top:2.5rem;border-bottom:2px solid #444}
table{border-collapse:collapse;margin:.5rem 0}caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;vertical-align:top}thead th{background:#eee}
thead td{border:0}tbody th{font-weight:400}.level-1{padding-left:1.5rem}.level-2{padding-left:2.5rem}
.level-3{padding-left:3.5rem}.interval{display:block;font-size:.85em;color:#444;white-space:nowrap}
.wide{overflow-x:auto;margin-top:1.5rem}.section{font-weight:400;color:#444}.notes{font-size:.9em;padding-left:1.2rem}
nav ol ol{list-style:none;padding-left:1rem}figure{margin:1.5rem 0}figure svg{max-width:100%;height:auto}
figcaption{font-weight:600}details{font-size:.9em;margin-bottom:1rem}
@page{size:A4;margin:15mm}
@media print{body{margin:0;max-width:none;font-size:9pt}h2{break-before:page}nav{break-after:avoid}
tr,figure{break-inside:avoid}caption,thead{break-after:avoid}.wide{overflow:visible}details{display:none}
figure svg{max-height:235mm}a{color:inherit;text-decoration:none}}
"""
_NO_FLAG_TEXTS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """A chapter: its tables, then its figures."""

    code: str
    title: str
    tables: tuple[Table, ...] = ()
    figures: tuple[Drawn, ...] = ()


def html_report(provenance: Provenance, parts: Sequence[Part], flag_texts: Mapping[str, str] = _NO_FLAG_TEXTS) -> bytes:
    """The page in UTF-8; `flag_texts` says what flags of cells mean.

    ValueError where two parts, two tables or two figures have the same code, or a code is no UPPER_SNAKE.
    """
    for each in (
        [part.code for part in parts],
        [table.code for part in parts for table in part.tables],
        [figure.code for part in parts for figure in part.figures],
    ):
        if twice := sorted(code for code, count in Counter(each).items() if count > 1):
            raise ValueError(f"twice: {', '.join(twice)}")
    return "".join(_page(provenance, parts, flag_texts)).encode()


def _page(provenance: Provenance, parts: Sequence[Part], flag_texts: Mapping[str, str]) -> Iterator[str]:
    title = f"Outcomes of {provenance.trial}"
    yield (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{_STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n"
    )
    yield facts("What this is", provenance.facts())
    yield paragraph(
        "Definitions are those of endpoints.md. Numbers are rounded for display only, half away from zero; unrounded "
        "values, participants and events of every cell stand in the CSV file of the table. Participants are pseudonyms."
    )
    yield _contents(parts)
    tables = figures = 0
    for part in parts:
        yield heading(2, part.title, f"part-{slug(part.code)}")
        for table in part.tables:
            tables += 1
            yield from outcome_table(table, tables, flag_texts)
        for figure in part.figures:
            figures += 1
            yield _figure(figure, figures)
    yield "</main>\n</body>\n</html>\n"


def _contents(parts: Sequence[Part]) -> str:
    tables = figures = 0
    items = list[str]()
    for part in parts:
        own = list[str]()
        for table in part.tables:
            tables += 1
            own.append(link(f"table-{slug(table.code)}", f"Table {tables}. {table.title}"))
        for figure in part.figures:
            figures += 1
            own.append(link(f"figure-{slug(figure.code)}", f"Figure {figures}. {figure.title}"))
        inner = "".join(f"<li>{each}</li>\n" for each in own)
        inner = f"\n<ol>\n{inner}</ol>\n" if own else ""
        items.append(f"<li>{link(f'part-{slug(part.code)}', part.title)}{inner}</li>\n")
    return f'<nav aria-label="Contents">\n<ol>\n{"".join(items)}</ol>\n</nav>\n' if items else ""


def _figure(figure: Drawn, number: int) -> str:
    return (
        f'<figure id="figure-{slug(figure.code)}">\n{figure.svg.decode()}'
        f"<figcaption>Figure {number}. {escape(figure.title)}</figcaption>\n</figure>\n"
    )
