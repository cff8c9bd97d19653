"""The tables of the change from baseline (`endpoints.md` section 4): statistics, decimals, rows, what is noted."""

import math
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from change_course import BEFORE, LATER, OFFSETS, ChangeTrial, random_trial
from clinical_builders import A
from hepatrail_events.catalogue import SEED_LABS
from hepatrail_events.protocol import shipped_protocol
from hepatrail_projections.clinical.endpoints.cells import Row, Table
from hepatrail_projections.endpoints.change_facts import change_facts
from hepatrail_projections.endpoints.change_parameters import parameters, point_label, post_points
from hepatrail_projections.endpoints.change_tables import change_tables
from hepatrail_projections.endpoints.memory import Memory

D7 = A + OFFSETS["D7"]
STATISTICS = ("N", "MEAN", "SD", "MEDIAN", "Q1", "Q3", "MIN", "MAX")


def shown(row: Row, *columns: str) -> list[str]:
    return [row.cell(each).display for each in columns or STATISTICS]


def trial_of(code: str, values: Sequence[tuple[str | None, str | None]]) -> ChangeTrial:
    """A participant for each baseline and value at D7; None for none."""
    trial = ChangeTrial()
    for before, after in values:
        someone = trial.participant()
        for at, value in ((BEFORE, before), (D7, after)):
            if value is not None:
                someone.labs(at, **{code: value})
    return trial


def test_parameters_are_four_scores_and_the_21_labs_in_their_order_at_13_points() -> None:
    protocol = shipped_protocol()
    codes = [each.code for each in parameters(protocol)]
    assert codes == ["meld_2002", "gcs", "sofa_1996", "apache_ii_1985", *SEED_LABS]
    labels = [point_label(each) for each in post_points(protocol)]
    assert labels == [
        "0.5–1 h", "12 h", "24 h", "Day 2", "Day 3", "Day 5", "Day 7",
        "Week 2", "Week 4", "Week 6", "Week 12", "Month 6", "Month 12",
    ]  # fmt: skip
    assert (point_label("BL"), point_label("OTHER")) == ("Baseline", "OTHER")


def test_every_table_has_a_row_a_point_for_value_and_change_and_one_for_percent_of_labs() -> None:
    tables = ChangeTrial().tables()
    assert len(tables) == 3 * 25
    for code, table in tables.items():
        scored = any(each in code for each in ("MELD", "GCS", "SOFA", "APACHE"))
        assert len(table.rows) == 1 + 13 * (2 if scored else 3)
        assert len({each.code for each in table.rows}) == len(table.rows)
        assert table.section == "4"
        assert all(
            [cell.column for cell in row.cells] == [column.code for column in table.columns] for row in table.rows
        )
    assert tables["CHANGE_ALT"].title == "Alanine aminotransferase (U/L): change from baseline"
    assert tables["CHANGE_MELD_2002"].title == "MELD: change from baseline"


def test_the_vector_of_type2_with_the_decimals_of_the_source() -> None:
    row = trial_of("alt", [(None, each) for each in ("2", "4", "4", "7", "9", "10")]).row("CHANGE_ALT", "D7_VALUE")
    assert shown(row) == ["6", "6.0", "3.16", "5.5", "4.0", "9.0", "2", "10"]


def test_decimals_are_those_of_the_source_and_one_or_two_more() -> None:
    trial = trial_of("ceruloplasmin", [("0.2", "0.25"), ("0.3", "0.215")])
    assert shown(trial.row("CHANGE_CERULOPLASMIN", "D7_VALUE")) == [
        "2", "0.2325", "0.02475", "0.2325", "0.2150", "0.2500", "0.215", "0.250",
    ]  # fmt: skip
    change = trial.row("CHANGE_CERULOPLASMIN", "D7_CHANGE")
    assert shown(change) == ["2", "-0.0175", "0.09546", "-0.0175", "-0.0850", "0.0500", "-0.085", "0.050"]
    percent = trial.row("CHANGE_CERULOPLASMIN", "D7_PERCENT")
    assert shown(percent) == ["2", "-1.7", "37.7", "-1.7", "-28.3", "25.0", "-28.3", "25.0"]


def test_scores_have_no_decimals_of_their_own() -> None:
    trial = ChangeTrial()
    for verbal in ("5", "4"):
        someone = trial.participant()
        someone.scored(BEFORE)
        someone.scored(D7, gcs_verbal=verbal)
    assert shown(trial.row("CHANGE_GCS", "D7_VALUE")) == ["2", "14.5", "0.71", "14.5", "14.0", "15.0", "14", "15"]
    assert shown(trial.row("CHANGE_GCS", "D7_CHANGE")) == ["2", "-0.5", "0.71", "-0.5", "-1.0", "0.0", "-1", "0"]


def test_n_of_a_change_needs_baseline_and_post_and_the_value_itself_is_still_summarised() -> None:
    trial = trial_of("alt", [("40", "50"), (None, "70"), ("60", None)])
    assert [trial.row("CHANGE_ALT", each).cell("N").n for each in ("BL", "D7_VALUE", "D7_CHANGE")] == [2, 2, 1]
    assert [each.subject_id for each in trial.row("CHANGE_ALT", "D7_CHANGE").cell("MEAN").contributions] == ["S-01"]
    assert trial.row("CHANGE_ALT", "D7_CHANGE").cell("N").of == 3


def test_the_baseline_row_is_of_saf_with_a_baseline() -> None:
    trial = trial_of("alt", [("40", None), ("61", None), (None, "50")])
    trial.participant(treated=False).labs(BEFORE, alt="900")
    row = trial.row("CHANGE_ALT", "BL")
    assert shown(row) == ["2", "50.5", "14.85", "50.5", "40.0", "61.0", "40", "61"]
    assert row.cell("N").of == 3


def test_one_value_has_no_deviation_and_no_interval() -> None:
    row = trial_of("alt", [("40", "50")]).row("CHANGE_ALT", "D7_CHANGE")
    assert shown(row) == ["1", "10.0", "NE", "10.0", "10.0", "10.0", "10", "10"]
    assert (row.cell("SD").value, row.cell("MEAN").interval, row.cell("CI").display) == (None, None, "NE")


def test_the_mean_change_has_a_t_interval_and_a_mean_value_none() -> None:
    trial = trial_of("alt", [("40", "50"), ("40", "44"), ("41", "39")])
    cell, peer = trial.row("CHANGE_ALT", "D7_CHANGE").cell("MEAN"), ttest_1samp([10, 4, -2], 0).confidence_interval()
    assert cell.interval is not None and cell.interval.method == "T"
    assert [cell.interval.lower, cell.interval.upper] == pytest.approx([peer.low, peer.high], abs=1e-9)
    assert trial.row("CHANGE_ALT", "D7_CHANGE").cell("CI").display == "-10.9 to 18.9"
    value = trial.row("CHANGE_ALT", "D7_VALUE")
    assert (value.cell("MEAN").interval, value.cell("CI").display) == (None, "")


def test_medians_come_with_the_number_of_values_that_stand_for_a_limit() -> None:
    trial = trial_of("afp", [("<5", "9"), ("8", ">100"), ("8", "9")])
    value, change = (trial.row("CHANGE_AFP", each) for each in ("D7_VALUE", "D7_CHANGE"))
    assert shown(value, "MEDIAN", "QUALIFIED") == ["9.000", "1"]
    assert shown(change, "MEDIAN", "QUALIFIED") == ["6.500", "2"]
    assert value.cell("MEDIAN").flags == ("QUALIFIED_HIGH",)
    assert change.cell("MEDIAN").flags == ("QUALIFIED_HIGH", "BASELINE_QUALIFIED")
    assert [each.subject_id for each in change.cell("QUALIFIED").contributions] == ["S-01", "S-02"]
    assert shown(trial.row("CHANGE_AFP", "BL"), "QUALIFIED") == ["1"]


def test_values_during_a_later_session_are_counted_and_the_sensitivity_is_without() -> None:
    trial = trial_of("alt", [("40", "50"), ("40", "70")])
    trial.participants[1].session(D7 - timedelta(hours=1), D7 + timedelta(hours=1))
    main = trial.row("CHANGE_ALT", "D7_CHANGE")
    assert shown(main, "N", "MEAN", "DURING_SESSION") == ["2", "20.0", "1"]
    assert main.cell("MEAN").flags == ("DURING_SESSION",)
    assert shown(trial.row("CHANGE_ALT_WITHOUT_SESSION", "D7_CHANGE"), "N", "MEAN", "DURING_SESSION") == [
        "1", "10.0", "0",
    ]  # fmt: skip


def test_the_sensitivity_of_all_assigned_has_those_out_of_their_window_too() -> None:
    trial = trial_of("alt", [("40", "50"), ("40", None)])
    trial.participants[1].labs(D7 + timedelta(days=4), visit="D7", alt="90")
    assert shown(trial.row("CHANGE_ALT", "D7_VALUE"), "N", "MAX") == ["1", "50"]
    assert shown(trial.row("CHANGE_ALT_ALL_ASSIGNED", "D7_VALUE"), "N", "MAX") == ["2", "90"]


def test_notes_say_the_algorithm_the_windows_and_the_qualifiers() -> None:
    tables = ChangeTrial({"censored_low": "LIMIT", "exclude_after_transplant": False}).tables()
    assert "Algorithm meld_2002; an incomplete score is missing." in tables["CHANGE_MELD_2002"].notes
    assert any(each.startswith("< x counts as x,") for each in tables["CHANGE_ALT"].notes)
    assert "Nothing after a liver transplant." not in tables["CHANGE_ALT"].notes
    assert "Observations inside their windows." in tables["CHANGE_ALT"].notes
    assert "All observations assigned to a time point." in tables["CHANGE_ALT_ALL_ASSIGNED"].notes


def test_a_trial_of_nobody_and_one_where_nobody_was_treated_have_every_row_and_nothing_in_it() -> None:
    empty, untreated = ChangeTrial(), ChangeTrial()
    untreated.participant(treated=False).labs(BEFORE, alt="40")
    assert empty.tables() == untreated.tables()
    for _, cell in (each for table in empty.tables().values() for each in table.cells()):
        assert (cell.n or 0, cell.contributions, cell.interval) == (0, (), None)
        assert cell.display in ("0", "NE", "")


@pytest.fixture(scope="module")
def simulated() -> ChangeTrial:
    return random_trial(3)


def test_the_order_of_the_facts_changes_no_byte(simulated: ChangeTrial) -> None:
    facts, protocol = simulated.facts(), simulated.protocol
    once = repr(change_tables(facts, protocol, LATER, Memory()))
    for seed in range(2):
        shuffled = Random(seed).sample(facts, len(facts))
        assert repr(change_tables(shuffled, protocol, LATER, Memory())) == once


def test_intervals_hold_the_estimate_and_quantiles_lie_in_order(simulated: ChangeTrial) -> None:
    intervals = 0
    for row in (row for table in simulated.tables().values() for row in table.rows):
        if row.cell("N").n:
            ordered = [float(row.cell(each).value or math.nan) for each in ("MIN", "Q1", "MEDIAN", "Q3", "MAX")]
            assert ordered == sorted(ordered)
        mean = row.cell("MEAN")
        if mean.interval is not None and mean.value is not None:
            intervals += 1
            assert mean.interval.lower <= float(mean.value) <= mean.interval.upper
    assert intervals > 100


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(5, 999), st.integers(5, 999)), min_size=1, max_size=4))
def test_the_mean_change_is_the_difference_of_the_means_where_all_have_both(pairs: list[tuple[int, int]]) -> None:
    tables: dict[str, Table] = trial_of("alt", [(str(before), str(after)) for before, after in pairs]).tables()
    first, value, change = (
        float(tables["CHANGE_ALT"].row(each).cell("MEAN").value or math.nan) for each in ("BL", "D7_VALUE", "D7_CHANGE")
    )
    assert change == pytest.approx(value - first, abs=1e-9)


def test_rows_that_are_remembered_are_those_that_would_be_made() -> None:
    trial, memory = random_trial(8, 4), Memory()
    before = change_tables(trial.facts(), trial.protocol, LATER, memory)
    trial.participants[0].labs(D7, alt="333")
    facts = trial.facts()
    after = change_tables(facts, trial.protocol, LATER, memory)
    assert after == change_tables(facts, trial.protocol, LATER, Memory()) != before
    assert change_tables(facts[1:], trial.protocol, LATER, memory) == change_tables(
        facts[1:], trial.protocol, LATER, Memory()
    )


def test_one_event_leaves_the_rows_of_other_parameters_as_they_are() -> None:
    trial, memory = random_trial(8, 4), Memory()
    before = {each.code: each for each in change_tables(trial.facts(), trial.protocol, LATER, memory)}
    trial.participants[0].labs(D7, alt="333")
    after = {each.code: each for each in change_tables(trial.facts(), trial.protocol, LATER, memory)}
    again = [old is new for old, new in zip(before["CHANGE_AST"].rows, after["CHANGE_AST"].rows, strict=True)]
    assert all(again)
    assert before["CHANGE_ALT"].row("D7_VALUE") is not after["CHANGE_ALT"].row("D7_VALUE")


def test_another_confidence_is_not_answered_from_memory() -> None:
    memory, widths = Memory(), []
    for confidence in ("0.95", "0.80"):
        trial = ChangeTrial({"confidence": confidence})
        for after in ("50", "44"):
            someone = trial.participant()
            someone.labs(BEFORE, alt="40")
            someone.labs(D7, alt=after)
        tables = {each.code: each for each in change_tables(trial.facts(), trial.protocol, LATER, memory)}
        interval = tables["CHANGE_ALT"].row("D7_CHANGE").cell("MEAN").interval
        assert interval is not None and str(interval.confidence) == confidence
        widths.append(interval.upper - interval.lower)
    assert widths[1] < widths[0] / 3


def test_a_late_event_changes_no_answer_as_of_before_it() -> None:
    trial = trial_of("alt", [("40", "50")])
    cut = LATER - timedelta(days=1)

    def answer() -> str:
        facts = [change_facts(each, trial.protocol) for each in trial.rows(cut)]
        return repr(change_tables(facts, trial.protocol, cut, Memory()))

    before, now = answer(), repr(trial.tables())
    [result] = [each.result_id for each in trial.rows()[0].lab_results if each.point == "D7"]
    trial.participants[0].void(result, LATER)
    assert answer() == before
    assert repr(trial.tables()) != now
