"""Which outcomes would differ under another protocol: windows, emergence, landmarks, time points, a score, nothing."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from clinical_builders import T0, A
from hepatrail_events.codec import read
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.protocol_rules import EndpointRules
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Contribution, Row, Table
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.whatif_counts import ByTable, outcome_counts_of
from hepatrail_projections.whatif_outcomes import OutcomeDifference, outcome_differences
from projection_log import LogWriter
from safety_outcome_course import OutcomeTrial
from visit_course import VisitCourse
from whatif_course import other, outcomes_asked, shown, with_point

DAY = timedelta(days=1)
WIDE = with_point("D7", days_after=2)
EVALUABLE = "Participants evaluable at each time point"


def last_event(log: LogWriter) -> UUID:
    return [read(each.value or b"").envelope.id for each in log.records if each.topic == EVENTS][-1]


def without_point(code: str) -> list[dict[str, object]]:
    return [each.model_dump() for each in shipped_protocol().points if each.code != code]


@pytest.fixture
def course() -> VisitCourse:
    """A treated participant with a baseline, and a sample nine days after the session, which no window takes."""
    made = VisitCourse()
    made.labs(T0 - 5 * DAY, ["alt"])
    made.session()
    made.labs(A + 9 * DAY, ["alt"])
    return made


def test_another_window_takes_a_value_into_a_point_and_names_its_events(course: VisitCourse) -> None:
    events = [read(each.value or b"") for each in course.log.records if each.topic == EVENTS]
    baseline, sample = (each.envelope.id for each in events if each.envelope.type == "LabResultsRecorded")
    found = outcomes_asked(course.log, WIDE, A + 20 * DAY)
    evaluable = found.of("EVALUABLE")
    assert set(evaluable) == {("alt", "D7")}
    one = evaluable["alt", "D7"]
    assert shown(one) == ("0 (0.0 %)", "1 (100.0 %)")
    assert (one.title, one.row_label, one.column_label, one.change) == (
        EVALUABLE,
        "Alanine aminotransferase (U/L)",
        "Day 7",
        "changed",
    )
    assert (one.enter, one.leave, one.stay) == (("S-1",), (), ())
    assert set(one.event_ids) == {baseline, sample}, "a change rests on both"
    (pair,) = one.cells
    assert pair.now is not None and pair.then is not None
    assert [(each.value, each.n, each.of) for each in (pair.now, pair.then)] == [("0.0", 0, 1), ("1.0", 1, 1)]
    alt = found.of("CHANGE_ALT")
    assert {row for row, _ in alt} == {"D7_VALUE", "D7_CHANGE", "D7_PERCENT"}
    assert shown(alt["D7_VALUE", "MEAN"]) == ("NE", "30.0") and shown(alt["D7_CHANGE", "N"]) == ("0", "1")
    assert set(alt["D7_VALUE", "MEAN"].event_ids) == {sample}
    assert set(alt["D7_CHANGE", "MEAN"].event_ids) == {baseline, sample}
    # How many of the values are limits is now of one value; the cell itself holds nobody, its row does.
    qualified = alt["D7_VALUE", "QUALIFIED"]
    assert (shown(qualified), qualified.enter, set(qualified.event_ids)) == (("0", "0"), (), {sample})
    assert {each.table for each in found.found.listed} == {
        "EVALUABLE", "CHANGE_ALT", "CHANGE_ALT_ALL_ASSIGNED", "CHANGE_ALT_WITHOUT_SESSION",
    }  # fmt: skip
    assert [each.event_id for each in found.found.events] == [baseline, sample], "each once, in the order of the stream"
    assert [each.type for each in found.found.events] == ["LabResultsRecorded"] * 2


def test_back_again_the_participant_leaves() -> None:
    course = VisitCourse(points=[each.model_dump() for each in WIDE.points])
    course.labs(T0 - 5 * DAY, ["alt"])
    course.session()
    course.labs(A + 9 * DAY, ["alt"])
    one = outcomes_asked(course.log, shipped_protocol()).of("EVALUABLE")["alt", "D7"]
    assert (shown(one), one.enter, one.leave) == (("1 (100.0 %)", "0 (0.0 %)"), (), ("S-1",))


def test_another_end_of_the_window_takes_an_adverse_event_out_and_names_it() -> None:
    trial = OutcomeTrial()
    trial.treated("S-1", "S-2", "S-3")
    trial.ae("S-1")
    trial.ae("S-2", T0 + 100 * DAY)
    late = last_event(trial.log)
    trial.asked("S-1", T0 + 200 * DAY)
    found = outcomes_asked(trial.log, other(safety={"safety_end_months": 2}), T0 + 300 * DAY)
    overview = found.of("TEAE_OVERVIEW")
    assert shown(overview["TEAE", "PARTICIPANTS"]) == ("2 (66.7 %)", "1 (33.3 %)")
    assert shown(overview["TEAE", "EVENTS"]) == ("2", "1")
    for each in (overview["TEAE", "PARTICIPANTS"], overview["TEAE", "EVENTS"]):
        assert (each.enter, each.leave, each.stay, each.event_ids) == ((), ("S-2",), (), (late,))
    fever = found.of("TEAE_BY_TERM_AND_GRADE")["CODE_FEVER", "GRADE_2"]
    assert (shown(fever), fever.leave) == (("2 (66.7 %)", "1 (33.3 %)"), ("S-2",))
    # The time at risk ends with the window; it rests on the same events as before, and all of them are named.
    years = found.of("TEAE_EXPOSURE_ADJUSTED")["TEAE", "YEARS"]
    assert (shown(years), years.enter, years.leave, years.stay) == (("0.55", "0.17"), (), (), ())
    assert [each.type for each in found.found.events if each.event_id in years.event_ids] == [
        "SessionStarted", "SessionEnded", "AEAssessmentDone", *["SessionStarted", "SessionEnded"] * 2,
    ]  # fmt: skip


def test_who_stays_by_other_events_is_told() -> None:
    trial = OutcomeTrial()
    trial.treated("S-1")
    trial.ae("S-1")
    trial.ae("S-1", T0 + 100 * DAY)
    late = last_event(trial.log)
    found = outcomes_asked(trial.log, other(safety={"safety_end_months": 2}), T0 + 300 * DAY)
    one = found.of("TEAE_OVERVIEW")["TEAE", "PARTICIPANTS"]
    assert (shown(one), one.stay, one.event_ids) == (("1 (100.0 %)", "1 (100.0 %)"), ("S-1",), (late,))


@pytest.mark.parametrize("always", [False, True])
def test_the_same_protocol_makes_no_difference(course: VisitCourse, always: bool) -> None:
    course.everything(A + 7 * DAY)
    assert outcomes_asked(course.log, shipped_protocol(), always=always).found.listed == ()


def test_a_landmark_more_is_a_new_row_where_it_belongs(course: VisitCourse) -> None:
    more = other(endpoints={"landmark_days": (7, 28, 56, 84, 183, 365)})
    found = outcomes_asked(course.log, more, A + 90 * DAY)
    assert {(each.table, each.row, each.column, each.change) for each in found.found.listed} == {
        (table, "DAY_56", None, "new")
        for table in (
            "OVERALL_SURVIVAL", "OVERALL_SURVIVAL_NOT_IMPUTED", "CUMULATIVE_INCIDENCE", "TRANSPLANT_FREE_SURVIVAL",
        )
    }  # fmt: skip
    one = found.of("OVERALL_SURVIVAL")["DAY_56", None]
    assert [each.column for each in one.cells] == [
        "SURVIVAL", "SE", "LOWER", "UPPER", "EXACT", "AT_RISK", "EVENTS", "CENSORED",
    ]  # fmt: skip
    assert all(each.now is None and each.then is not None for each in one.cells)
    assert (one.row_label, one.enter) == ("Day 56", ("S-1",))
    counts = outcome_counts_of(found.found.listed)
    assert counts.tables[ByTable("OVERALL_SURVIVAL", "new")] == (8, 1, 1)
    assert list(counts.tables) == [ByTable(each.table, "new") for each in found.found.listed]


def test_a_time_point_less_is_a_column_and_rows_that_are_gone(course: VisitCourse) -> None:
    found = outcomes_asked(course.log, other(points=without_point("D5")))
    gone = found.of("EVALUABLE")[None, "D5"]
    assert (gone.change, gone.column_label, len(gone.cells)) == (
        "gone",
        "Day 5",
        len(table(found.now, "EVALUABLE").rows),
    )
    assert {(each.row, each.change) for each in found.of("CHANGE_ALT").values()} == {
        (f"D5_{what}", "gone") for what in ("VALUE", "CHANGE", "PERCENT")
    }
    # Nobody was ever in them, so no event is behind it.
    assert {each.event_ids for each in found.found.listed} == {()}


def table(outcomes: Outcomes, code: str) -> Table:
    return next(each for each in outcomes.tables if each.code == code)


@pytest.mark.parametrize(("meld", "day_7"), [("meld_na_2016", "27.0"), ("meld_3_0", "28.0")])
def test_under_another_meld_the_tables_of_the_one_are_gone_and_those_of_the_other_new(
    course: VisitCourse, meld: str, day_7: str
) -> None:
    # Day 7 by hand: MELD(i) 23, so 26.93 with sodium 130; and 27.55.
    code = f"CHANGE_{meld.upper()}"
    draw = {"creatinine": "168", "tbil": "85.5", "inr": "1.5", "sodium": "130", "albumin": "30"}
    course.labs(A + 7 * DAY, draw, values=draw)
    course.bedside(A + 7 * DAY)
    found = outcomes_asked(course.log, other(scores={"enabled": (meld, "gcs", "sofa_1996", "apache_ii_1985")}))
    sets = ("", "_ALL_ASSIGNED", "_WITHOUT_SESSION")
    assert {(each.table, each.row, each.change) for each in found.found.listed} == {
        ("EVALUABLE", "meld_2002", "gone"),
        ("EVALUABLE", meld, "new"),
        *((f"CHANGE_MELD_2002{which}", None, "gone") for which in sets),
        *((f"{code}{which}", None, "new") for which in sets),
    }
    gone = found.of("CHANGE_MELD_2002")[None, None]
    assert {(pair.row, pair.column) for pair in gone.cells} == {
        (row.code, cell.column) for row, cell in table(found.now, "CHANGE_MELD_2002").cells()
    }
    assert gone.leave == ("S-1",) and gone.event_ids
    new = found.of(code)[None, None]
    assert {(pair.row, pair.column) for pair in new.cells} == {
        (row.code, cell.column) for row, cell in table(found.then, code).cells()
    }
    assert new.enter == ("S-1",) and new.event_ids
    values = {pair.column: pair.then.display for pair in new.cells if pair.row == "D7_VALUE" and pair.then}
    assert (values["N"], values["MEDIAN"]) == ("1", day_7)


def test_another_rule_of_a_meld_beside_the_one_of_the_outcomes_changes_none(course: VisitCourse) -> None:
    course.everything(A + 7 * DAY)
    assert not outcomes_asked(course.log, other(scores={"meld3_cap": "none"})).found.listed


def test_behind_the_same_text_another_interval_differs_and_names_all_events(course: VisitCourse) -> None:
    strict = EndpointRules(confidence="0.99").model_dump()
    found = outcomes_asked(course.log, other(endpoints=strict), A + 20 * DAY)
    one = found.of("EVALUABLE")["alt", "D7"]
    (pair,) = one.cells
    assert pair.now is not None and pair.then is not None
    assert pair.now.display == pair.then.display and pair.now.interval != pair.then.interval
    assert (one.enter, one.leave, one.stay, one.event_ids) == ((), (), (), ())
    saf = found.of("EXPOSURE_COUNTS")["STARTED", "PARTICIPANTS"]
    assert {each.type for each in found.found.events if each.event_id in saf.event_ids} == {
        "SessionStarted",
        "SessionEnded",
    }


def test_before_the_first_protocol_every_table_is_new() -> None:
    log = VisitCourse().log
    log.records = [each for each in log.records if each.key != b"study"]
    found = outcomes_asked(log, shipped_protocol())
    assert [each.table for each in found.found.listed] == [each.code for each in found.then.tables]
    assert {(each.row, each.column, each.change) for each in found.found.listed} == {(None, None, "new")}


ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


def made(*rows: tuple[str, dict[str, tuple[Contribution, ...]]]) -> Outcomes:
    """One table, whose columns are those of its first row."""
    columns = tuple(Column(each, f"{each} in words") for each in rows[0][1])
    lines = (Row(code, f"{code} in words", tuple(cell(*each) for each in cells.items())) for code, cells in rows)
    return Outcomes(T0, "1.0", "code", 0, (Table("T", "Title", "2", columns, tuple(lines)),))


def cell(column: str, held: tuple[Contribution, ...], number: int | None = None) -> Cell:
    """How many participants there are, unless another number is told of them."""
    display = str(len(held) if number is None else number)
    return Cell(column, display, display, contributions=held)


def places(now: Outcomes, then: Outcomes) -> list[tuple[str | None, str | None, str]]:
    return [(each.row, each.column, each.change) for each in outcome_differences(now, then)]


def one_of(now: Outcomes, then: Outcomes) -> OutcomeDifference:
    (found,) = outcome_differences(now, then)
    return found


def test_rows_and_columns_come_in_the_order_of_the_tables_and_cross_once() -> None:
    nobody: tuple[Contribution, ...] = ()
    now = made(*((row, {"A": nobody, "B": nobody, "C": nobody}) for row in ("1", "2", "4")))
    then = made(*((row, {"A": nobody, "C": nobody, "D": nobody}) for row in ("0", "1", "3", "4")))
    assert places(now, then) == [
        (None, "B", "gone"),
        (None, "D", "new"),
        ("0", None, "new"),
        ("2", None, "gone"),
        ("3", None, "new"),
    ]
    crossed = [(pair.row, pair.column) for each in outcome_differences(now, then) for pair in each.cells]
    assert len(crossed) == len(set(crossed)), "no cell is in two differences"
    assert places(then, now)[0] == (None, "B", "new")


def test_labels_notes_and_the_order_of_rows_are_no_difference() -> None:
    held = (Contribution("S-1", (ONE,)),)
    now, then = made(("1", {"A": held}), ("2", {"A": ()})), made(("2", {"A": ()}), ("1", {"A": held}))
    (one,) = then.tables
    renamed = replace(one, title="Another", columns=(Column("A", "another"),), notes=("a note",))
    assert places(now, replace(then, protocol_version="2.0", tables=(renamed,))) == []


def test_events_of_one_side_are_named_and_where_there_is_none_all_of_both() -> None:
    now = made(("1", {"A": (Contribution("S-1", (ONE, TWO)), Contribution("S-2", (THREE,)))}))
    other_event = one_of(now, made(("1", {"A": (Contribution("S-1", (ONE,)), Contribution("S-2", (THREE,)))})))
    assert (other_event.stay, set(other_event.event_ids)) == (("S-1",), {TWO})
    (one,) = now.tables
    shown_otherwise = replace(one.rows[0], cells=(cell("A", one.rows[0].cells[0].contributions, 9),))
    same = one_of(now, replace(now, tables=(replace(one, rows=(shown_otherwise,)),)))
    assert (same.stay, set(same.event_ids)) == ((), {ONE, TWO, THREE})


def test_somebody_who_enters_by_the_absence_of_events_is_told_without_any() -> None:
    entered = one_of(made(("1", {"A": ()})), made(("1", {"A": (Contribution("S-1"),)})))
    assert (entered.enter, entered.event_ids) == (("S-1",), ())
