"""The analysis rows behind the change from baseline, and the courses that its figures show."""

from collections import Counter
from fractions import Fraction

import pytest

from change_course import BEFORE, OFFSETS, ChangeTrial, random_trial
from clinical_builders import A
from hepatrail_projections.clinical.endpoints.cells import text
from hepatrail_projections.endpoints.change_facts import Analysis
from hepatrail_projections.endpoints.change_listing import ChangeRow, Step, change_courses, change_rows

D7 = A + OFFSETS["D7"]


@pytest.fixture(scope="module")
def simulated() -> ChangeTrial:
    return random_trial(11)


def listed(trial: ChangeTrial) -> dict[tuple[str, str, str], ChangeRow]:
    rows = list(change_rows(trial.facts(), trial.protocol))
    found = {(each.subject_id, each.parameter, each.point): each for each in rows}
    assert len(found) == len(rows)
    return found


def test_there_is_one_row_a_participant_of_saf_parameter_and_point() -> None:
    trial = ChangeTrial()
    someone = trial.participant()
    trial.participant(treated=False)
    someone.labs(BEFORE, afp="<5")
    someone.labs(D7, afp="1 [IU]/mL")
    rows = listed(trial)
    assert len(rows) == 25 * 14
    found = rows["S-01", "afp", "D7"]
    assert (found.baseline, found.value, found.change, found.percent) == ("2.5", "1.21", "-1.29", "-51.6")
    assert (found.label, found.unit, found.point_label, found.ordinal) == ("Alpha-fetoprotein", "ng/mL", "Day 7", 7)
    assert (found.reported, found.collected, found.flags) == (
        "1.21",
        "2026-03-17T08:00:00.000Z",
        ("BASELINE_QUALIFIED",),
    )
    assert found.analyses == ("MAIN", "ALL_ASSIGNED", "WITHOUT_SESSION")
    [of_trial] = [each for each in trial.rows() if each.subject.subject_id == "S-01"]
    events = {each.point: each.event_ids for each in of_trial.lab_results}
    assert (found.event_ids, found.baseline_event_ids) == (events["D7"], events["BL"])
    nothing = rows["S-01", "afp", "W2"]
    assert (nothing.value, nothing.reason, nothing.baseline, nothing.event_ids) == (None, "NO_OBSERVATION", "2.5", ())


def test_the_rows_tell_the_algorithm_of_a_score_and_why_there_is_none() -> None:
    trial = ChangeTrial()
    trial.participant().scored(D7, gcs_motor="NT")
    rows = listed(trial)
    assert (rows["S-01", "meld_2002", "D7"].algorithm, rows["S-01", "alt", "D7"].algorithm) == ("meld_2002", None)
    assert rows["S-01", "gcs", "D7"].reason == "INCOMPLETE"
    assert rows["S-01", "meld_2002", "D7"].change_reason == "BASELINE_INCOMPLETE"


def test_every_table_is_counted_from_the_rows(simulated: ChangeTrial) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    for each in listed(simulated).values():
        for analysis in each.analyses:
            table = f"CHANGE_{each.parameter.upper()}" + ("" if analysis == "MAIN" else f"_{analysis}")
            kinds = [("VALUE", each.value), ("CHANGE", each.change), ("PERCENT", each.percent)]
            suffixes = ["BL"] if each.point == "BL" else [f"{each.point}_{kind}" for kind, known in kinds if known]
            counted.update((table, suffix) for suffix in suffixes)
    tables = simulated.tables()
    shown = {(code, row.code): row.cell("N").n for code, table in tables.items() for row in table.rows}
    assert {place: n for place, n in shown.items() if n} == dict(counted)


def test_the_course_of_a_parameter_has_a_line_a_participant_and_the_medians_of_the_table(
    simulated: ChangeTrial,
) -> None:
    tables, seen = simulated.tables(), 0
    for analysis in (Analysis.MAIN, Analysis.ALL_ASSIGNED):
        for course in change_courses(simulated.facts(), simulated.protocol, analysis):
            code = f"CHANGE_{course.parameter.code.upper()}"
            table = tables[code if analysis is Analysis.MAIN else f"{code}_ALL_ASSIGNED"]
            for median in course.medians:
                of_value = table.row("BL" if median.point == "BL" else f"{median.point}_VALUE").cell("MEDIAN")
                assert (text(median.value), median.n) == (of_value.value, of_value.n)
                steps = [step for line in course.lines for step in line.steps if step.point == median.point]
                assert len(steps) == median.n
                if median.point != "BL":
                    of_change = table.row(f"{median.point}_CHANGE").cell("MEDIAN")
                    assert (text(median.change), median.n_of_change) == (of_change.value, of_change.n)
                    seen += median.n_of_change
    assert seen > 100


def test_a_line_begins_with_no_change_at_the_baseline_and_leaves_out_what_is_missing() -> None:
    trial = ChangeTrial()
    someone, other = trial.participant(), trial.participant()
    someone.labs(BEFORE, alt="80")
    someone.labs(D7, alt="60")
    other.labs(A + OFFSETS["M6"], alt="50")
    (course,) = (each for each in change_courses(trial.facts(), trial.protocol) if each.parameter.code == "alt")
    lines = {line.subject_id: line.steps for line in course.lines}
    assert lines == {
        "S-01": (Step("BL", Fraction(80), Fraction(0)), Step("D7", Fraction(60), Fraction(-20))),
        "S-02": (Step("M6", Fraction(50), None),),
    }
    assert [each.point for each in course.medians] == ["BL", *OFFSETS]
