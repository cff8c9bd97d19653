"""The figures of the report: what is drawn is what was given, the same bytes every time, for every reader."""

import os
import subprocess
import sys
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from re import findall
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_services.outcome_report.adverse_event_figure import PAGE, TermCounts, adverse_events_by_grade
from hepatrail_services.outcome_report.change_figure import ChangeLine, change_from_baseline
from hepatrail_services.outcome_report.codes import slug
from hepatrail_services.outcome_report.drawing import Drawn, plain, spread
from hepatrail_services.outcome_report.incidence_figure import cumulative_incidence
from hepatrail_services.outcome_report.palette import BLACK, BLUE, NEUTRAL, OKABE_ITO
from hepatrail_services.outcome_report.survival_figure import AtRisk, at_risk, kaplan_meier
from hepatrail_services.outcome_report.swimmer_figure import Lane, LaneEvent, swimmer
from outcome_report_builders import LANDMARKS, curve, figures, incidences, lanes, term_counts, vector_steps

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</svg><script>alert(1)</script> -->&"\x00\x1b $x^$ _{y} 发热'
Corners = list[tuple[float, float]]
DRAWN = cache(figures)


def read(figure: Drawn) -> ElementTree.Element:
    return ElementTree.fromstring(figure.svg)


def line_of(figure: Drawn, colour: str, width: str = "1.6") -> Corners:
    """The corners of the longest line of a colour and width, in points of the page."""
    found = list[Corners]()
    for path in read(figure).iter(f"{SVG}path"):
        style = path.get("style", "")
        if "fill: none" in style and f"stroke: {colour}; stroke-width: {width}" in style:
            found.append([(float(x), float(y)) for x, y in findall(r"[ML] ([\d.-]+) ([\d.-]+)", path.get("d", ""))])
    return max(found, key=len)


@pytest.mark.parametrize("count", [0, 1, 12, 60])
def test_a_figure_is_well_formed_whole_in_itself_and_says_what_it_is(count: int) -> None:
    for figure in DRAWN(count):
        root = read(figure)
        ids = [each.get("id") for each in root.iter() if each.get("id")]
        assert len(ids) == len(set(ids))
        assert all(each.startswith(f"{slug(figure.code)}-") for each in ids if each)
        values = [value for each in root.iter() for value in each.attrib.values()]
        referred = {own for value in values for own in findall(r"url\(#([^)]+)\)", value)}
        referred |= {each.get("href", "#")[1:] for each in root.iter(f"{SVG}use")}
        assert referred <= set(ids)
        painted = {each.get("fill", "#000000") for each in root.iter()}
        assert painted <= {*OKABE_ITO, *NEUTRAL, "none"}
        assert not any("//" in value for value in values)
        assert root.find(f"{SVG}title") is not None
        assert root.findtext(f"{SVG}title") == figure.title
        assert root.findtext(f"{SVG}desc") == figure.description
        assert (root.get("role"), len(root.get("aria-labelledby", "").split())) == ("img", 2)
        assert not {"script", "style", "image", "foreignObject"} & {each.tag.removeprefix(SVG) for each in root.iter()}


@pytest.mark.parametrize("count", [1, 12, 60])
def test_colours_are_okabe_and_itos_or_greys(count: int) -> None:
    for figure in DRAWN(count):
        used = set(findall(r"#[0-9a-f]{6}(?![0-9a-f])", figure.svg.decode()))
        assert used <= {*OKABE_ITO, *NEUTRAL}, figure.code


def digest() -> str:
    return sha256(b"".join(each.svg for each in figures(12))).hexdigest()


def test_the_same_content_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    # A user's own settings of matplotlib change nothing either.
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\nsvg.fonttype: none\nfont.size: 20\n")
    code = "from test_outcome_figures import digest; print(digest())"
    here = Path(__file__).parent
    environment = os.environ | {
        "PYTHONHASHSEED": "4711",
        "PYTHONPATH": os.pathsep.join([str(here), str(here.parents[1])]),
        "MATPLOTLIBRC": str(tmp_path),
        "TZ": "Asia/Shanghai",
    }
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest() == digest()


def test_the_survival_curve_is_the_one_of_endpoints_3_3() -> None:
    steps = vector_steps()
    figure = kaplan_meier("OS", "OS", steps, LANDMARKS, quantity="Overall survival", events="deaths")
    corners = line_of(figure, BLACK)
    (left, top), (right, last) = corners[0], corners[-1]
    scale = (1 - steps[-1].survival) / (last - top)
    drawn = [((x - left) / (right - left) * 365, 1 - (y - top) * scale) for x, y in corners]
    expected = list[tuple[float, float]]()
    for step, until in zip(steps, [*(each.days for each in steps[1:]), 365], strict=True):
        expected += [(step.days, step.survival), (until, step.survival)]
    assert len(drawn) == len(expected)
    for was, should in zip(drawn, expected, strict=True):
        assert was == pytest.approx(should, abs=0.01)
    limits = line_of(figure, BLUE, "0.7")
    assert limits[0][0] == pytest.approx(left + (right - left) * 3 / 365, abs=0.01)
    assert limits[-1][0] == pytest.approx(right, abs=0.01)


def test_endpoints_3_2_numbers_at_risk_events_and_censored_under_the_curve() -> None:
    assert at_risk(vector_steps(), LANDMARKS) == (
        AtRisk(0, 12, 0, 0),
        AtRisk(7, 11, 1, 0),
        AtRisk(28, 8, 3, 1),
        AtRisk(84, 7, 4, 1),
        AtRisk(183, 5, 5, 2),
        AtRisk(365, 4, 5, 3),
    )
    assert at_risk((), (7,)) == (AtRisk(0, 0, 0, 0), AtRisk(7, 0, 0, 0))
    assert at_risk(vector_steps(), (400,))[-1] == AtRisk(400, 0, 5, 7)


def test_a_curve_stays_at_zero_where_all_died_and_ends_where_the_last_was_censored() -> None:
    for event, last in ((True, 365.0), (False, 20.0)):
        steps = curve([(10, True), (20, event)]).steps()
        figure = kaplan_meier("OS", "OS", steps, (365,), quantity="Overall survival", events="deaths")
        corners = line_of(figure, BLACK)
        one_day = (corners[1][0] - corners[0][0]) / 10
        assert (corners[-1][0] - corners[0][0]) / one_day == pytest.approx(last, abs=0.05)


def test_both_incidences_rise_to_what_was_reached() -> None:
    reached, end = incidences(lanes(12))
    figure = cumulative_incidence("CIF", "CIF", reached, end, LANDMARKS)
    heights = []
    for colour in (BLUE, "#d55e00"):
        corners = line_of(figure, colour)
        heights.append(corners[0][1] - corners[-1][1])
        assert all(after[1] <= before[1] for before, after in pairwise(corners))
    last = reached[-1]
    assert heights[0] / heights[1] == pytest.approx(float(last.transplant / last.death), abs=0.001)


def test_a_missing_change_is_a_gap() -> None:
    line = ChangeLine("S-1", (("D1", 1), ("D2", 2), ("D4", 4), ("D5", -1)))
    points = ("D1", "D2", "D3", "D4", "D5")
    figure = change_from_baseline("C", "C", [line], [("D1", 1)], points, "mg/dL")
    path = next(
        each
        for each in read(figure).iter(f"{SVG}path")
        if f"fill: none; stroke: {BLUE}; stroke-linecap" in str(each.attrib)
    )
    assert findall("[ML]", path.get("d", "")) == ["M", "L", "M", "L"]
    with pytest.raises(KeyError):
        change_from_baseline("C", "C", [line], [], points[:3], "")


def test_a_bar_is_as_long_as_its_count_and_the_most_frequent_term_comes_first() -> None:
    terms = [TermCounts("Nausea", {1: 2}), TermCounts("Rash", {1: 6, 3: 3}), TermCounts("Never", {1: 0})]
    (figure,) = adverse_events_by_grade("AE", "AE", terms)
    assert figure.description.endswith("Rash 9; Nausea 2.")
    bars = [
        [float(x) for x, _ in findall(r"[ML] ([\d.-]+) ([\d.-]+)", path.get("d", ""))]
        for path in read(figure).iter(f"{SVG}path")
        if "fill: #56b4e9" in path.get("style", "") and "clip-path" in path.attrib
    ]
    widths = [max(each) - min(each) for each in bars]
    assert widths[0] == pytest.approx(3 * widths[1], abs=0.01)
    with pytest.raises(ValueError, match="no counts by grade"):
        adverse_events_by_grade("AE", "AE", [TermCounts("Rash", {6: 1})])


def test_many_terms_and_many_lanes_go_on_on_further_pages() -> None:
    pages = adverse_events_by_grade("AE", "AE", term_counts(PAGE + 1))
    assert [each.code for each in pages] == ["AE_1", "AE_2"]
    assert [each.title for each in pages] == ["AE (1 of 2)", "AE (2 of 2)"]
    lane_pages = swimmer("SWIM", "Lanes", lanes(31))
    assert "S-0029" in lane_pages[0].description
    assert "S-0030: " in lane_pages[1].description


def test_every_adverse_event_of_a_lane_has_its_mark_and_none_hides_another() -> None:
    events = (LaneEvent(9, 3, False), LaneEvent(9, 3, True), LaneEvent(10, 3, False), LaneEvent(-2, 3, False))
    (figure,) = swimmer("SWIM", "Lanes", [Lane("S-1", 100, ((0, 6),), events, 40, None, True)])
    marks = [each for each in read(figure).iter(f"{SVG}use") if "fill: #e69f00" in each.get("style", "")]
    places = sorted(float(each.get("x", "")) for each in marks)
    assert len(places) == 4
    assert min(after - before for before, after in pairwise(places)) >= 8.9
    assert figure.description.endswith(
        "S-1: 1 sessions, 4 adverse events, transplant on day 40, alive, followed to day 100."
    )


def test_hostile_labels_are_drawn_and_run_nothing() -> None:
    steps = vector_steps()
    drawn = [
        kaplan_meier("A", HOSTILE, steps, LANDMARKS, quantity=HOSTILE, events=HOSTILE),
        change_from_baseline("B", HOSTILE, [ChangeLine(HOSTILE, ((HOSTILE, 1),))], [(HOSTILE, 1)], (HOSTILE,), HOSTILE),
        *adverse_events_by_grade("C", HOSTILE, [TermCounts(HOSTILE, {1: 2})]),
        *swimmer("D", HOSTILE, [Lane(HOSTILE, 3, (), (), None, 3, False)]),
    ]
    for figure in drawn:
        assert "script" not in {each.tag.removeprefix(SVG) for each in read(figure).iter()}
        assert b"<script" not in figure.svg
        assert read(figure).findtext(f"{SVG}title") == plain(HOSTILE)


def test_a_code_that_is_none_is_refused() -> None:
    for code in ("", "os", "A B", 'A"', "../A", "A__B"):
        with pytest.raises(ValueError, match="is no code"):
            slug(code)


@given(st.lists(st.floats(0, 400), max_size=12).map(sorted), st.floats(0.1, 30))
def test_places_are_spread_in_order_and_apart(places: list[float], gap: float) -> None:
    moved = spread(places, gap, 0)
    assert len(moved) == len(places)
    assert all(each >= 0 for each in moved)
    assert all(after - before >= gap - 1e-6 for before, after in pairwise(moved))
    if all(after - before >= gap for before, after in pairwise(places)):
        assert moved == pytest.approx(places)
