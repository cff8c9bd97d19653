"""The report as a page: every number of every table, whole in itself, for every reader (`endpoints.md`)."""

from collections import Counter
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from re import findall

import pytest

from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Contribution, Row, Table
from hepatrail_services.outcome_report.drawing import Drawn
from hepatrail_services.outcome_report.html import Part, html_report
from hepatrail_services.outcome_report.html_table import limits_text
from hepatrail_services.outcome_report.provenance import Provenance
from outcome_report_builders import AS_OF, figures, tables

MADE = Provenance("CiPS-BAL", AS_OF, "2.1", "0.1.0", 12)
HOSTILE = '</td></table><script>alert("1")</script><img src=x onerror=alert(1)> & \'"'
VOID = {"meta"}
DRAWN = cache(figures)


class Page(HTMLParser):
    """What a reader meets; elements that are closed in the wrong order or never are found."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.cells: list[str] = []
        self.texts: list[str] = []
        self.feed(raw.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert "svg" in self.open or tag in VOID, f"<{tag}/> closes nothing"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def report(figures_too: bool = True) -> bytes:
    teae, survival, change, listing = tables()
    drawn = DRAWN(12) if figures_too else ()
    parts = (
        Part("SAFETY", "Adverse events", (teae,), drawn[3:]),
        Part("SURVIVAL", "Survival", (survival, listing), drawn[:2]),
        Part("CHANGE", "Change from baseline", (change,), drawn[2:3]),
    )
    return html_report(MADE, parts, {"QUALIFIED": "values below a limit count half of it"})


def of_one_cell(cell: Cell, label: str = "row") -> Table:
    return Table("ONE", "One", "2", (Column(cell.column, "column"),), (Row("R", label, (cell,)),))


def test_every_number_of_every_table_is_in_the_page_with_its_interval() -> None:
    page = Page(report())
    shown = Counter(page.cells)
    for table in tables():
        for _, cell in table.cells():
            marks = "".join(mark for mark, _ in zip("ab", cell.flags, strict=False))
            assert shown[f"{cell.display}{marks}{limits_text(cell)}"] > 0, cell
    # endpoints.md 2.1 and 3.3.
    assert shown["3 (25.0 %)95 % CI 5.5–57.2 %"] == 1
    for cell_text in ("0.91795 % CI 0.539–0.988", "0.75095 % CI 0.408–0.912", "0.65695 % CI 0.320–0.856"):
        assert shown[cell_text] == 1
    assert shown["0.54795 % CI 0.222–0.785"] == 2


def test_the_page_says_as_of_protocol_code_and_n() -> None:
    cells = Page(report(figures_too=False)).cells
    facts = dict(zip(cells[:10:2], cells[1:10:2], strict=True))
    assert facts == {
        "trial": "CiPS-BAL",
        "data cut (as of)": "2026-03-10T08:30:00.000Z",
        "protocol version": "2.1",
        "code version": "0.1.0",
        "N (safety set)": "12",
    }


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    page = Page(report())
    assert not {"script", "link", "img", "iframe", "object", "image", "foreignobject"} & {
        tag for tag, _ in page.elements
    }
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("href", "src"):
                assert (value or "").startswith("#")
    raw = report().decode()
    assert set(findall(r"https?://[^\s\"'<)]*", raw)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in raw


def test_a_link_leads_somewhere_and_an_id_is_there_once() -> None:
    page = Page(report())
    ids = Counter(attributes["id"] for _, attributes in page.elements if attributes.get("id"))
    assert set(ids.values()) == {1}
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert len(links) == 3 + len(tables()) + len(DRAWN(12))
    referred = [attributes["href"] for tag, attributes in page.elements if tag == "use"]
    assert {(each or "").removeprefix("#") for each in [*links, *referred]} <= set(ids)
    for _, attributes in page.elements:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)


def test_heads_of_tables_say_what_they_head() -> None:
    page = Page(report())
    heads = [attributes.get("scope") for tag, attributes in page.elements if tag == "th"]
    assert set(heads) == {"col", "row"}
    captions = sum(tag == "caption" for tag, _ in page.elements)
    regions = sum(attributes.get("role") == "region" for _, attributes in page.elements)
    assert (captions, regions) == (4, 3)
    assert ("html", {"lang": "en"}) in page.elements


def test_a_caption_names_the_section_of_endpoints_and_levels_are_kept() -> None:
    raw = report().decode()
    assert 'Overall survival <span class="section">(endpoints.md, section 3.2)</span>' in raw
    assert '<th scope="row" class="level-2">Pyrexia</th>' in raw
    assert "Deaths after the horizon" in raw
    assert "section 3.1)</span>: none.</p>" in raw


def test_flags_and_ne_are_explained_under_their_table() -> None:
    raw = report().decode()
    assert "<li><sup>a</sup> values below a limit count half of it</li>" in raw
    assert "<li><sup>b</sup> during session</li>" in raw
    assert "<li><sup>a</sup> uncoded</li>" in raw
    assert "<li>Each participant once.</li>" in raw
    # In the tables of adverse events (nobody treated) and survival (beyond the data), not in the other.
    assert raw.count("NE: not estimable") == 2


def test_participants_behind_a_number_are_listed_once_for_neighbours() -> None:
    raw = report().decode()
    assert '<th scope="row">≥ 1 TEAE</th><td>any, events</td><td>S-0000 S-0001 S-0002</td>' in raw
    assert '<th scope="row">Pyrexia</th><td>any</td><td>S-0000</td>' in raw


def test_the_same_content_gives_the_same_bytes() -> None:
    assert report() == report()


def test_hostile_labels_stay_text() -> None:
    cell = Cell("X", "1", HOSTILE, contributions=(Contribution(HOSTILE),), flags=(HOSTILE,))
    table = replace(of_one_cell(cell, HOSTILE), title=HOSTILE, section=HOSTILE, notes=(HOSTILE,))
    table = replace(table, columns=(Column("X", HOSTILE),))
    figure = Drawn("F", HOSTILE, HOSTILE, b"<svg></svg>\n")
    made = replace(MADE, trial=HOSTILE, protocol_version=HOSTILE)
    page = Page(html_report(made, [Part("P", HOSTILE, (table,), (figure,))], {HOSTILE: HOSTILE}))
    assert not {"script", "img"} & {tag for tag, _ in page.elements}
    assert page.text.count(HOSTILE) >= 12


def test_an_empty_trial_has_a_page() -> None:
    page = Page(html_report(replace(MADE, n=0), [Part("SURVIVAL", "Survival", (), DRAWN(0))]))
    assert "N (safety set)" in page.text
    assert sum(tag == "svg" for tag, _ in page.elements) == 5
    assert "Outcomes of CiPS-BAL" in Page(html_report(MADE, [])).text


def test_a_cell_that_a_row_lacks_is_empty_and_one_of_no_column_is_refused() -> None:
    lacking = replace(of_one_cell(Cell("X", "1", "1")), columns=(Column("X", "x"), Column("Y", "y")))
    assert "<td>1</td><td></td>" in html_report(MADE, [Part("P", "P", (lacking,))]).decode()
    stray = replace(lacking, columns=(Column("Y", "y"),))
    with pytest.raises(ValueError, match="ONE, R: no column X"):
        html_report(MADE, [Part("P", "P", (stray,))])


def test_two_of_one_code_are_refused() -> None:
    table = of_one_cell(Cell("X", "1", "1"))
    for parts in ([Part("P", "P"), Part("P", "Q")], [Part("P", "P", (table, table))]):
        with pytest.raises(ValueError, match=r"twice: (P|ONE)"):
            html_report(MADE, parts)


def test_limits_of_a_mean_have_its_decimals_and_stand_apart() -> None:
    (mean, _) = tables()[2].rows[0].cells
    assert (mean.display, limits_text(mean)) == ("-1.7", "95 % CI -9.1 to 5.7")
    assert limits_text(replace(mean, display="-2")) == "95 % CI -9 to 6"
    assert limits_text(replace(mean, interval=None)) == ""


def test_letters_of_footnotes_go_on_after_z() -> None:
    flags = tuple(f"FLAG_{number}" for number in range(53))
    raw = html_report(MADE, [Part("P", "P", (of_one_cell(Cell("X", "1", "1", flags=flags)),))]).decode()
    for letters, number in (("a", 0), ("z", 25), ("aa", 26), ("az", 51), ("ba", 52)):
        assert f"<li><sup>{letters}</sup> flag {number}</li>" in raw
