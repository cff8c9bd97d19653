"""The analysis sets (`endpoints.md` section 1)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from clinical_builders import T0, A
from hepatrail_events.sessions import SessionVoided
from hepatrail_events.streams import subject_stream
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.endpoints.change_facts import change_facts
from hepatrail_projections.endpoints.safety_facts import safety_facts
from hepatrail_projections.endpoints.sets_tables import sets_tables
from hepatrail_projections.endpoints.survival_facts import survival_facts
from log_commits import sample
from projection_log import SEALED
from safety_outcome_course import LATE, OutcomeTrial, derived, who

DAY = timedelta(days=1)


def tables(trial: OutcomeTrial) -> Mapping[str, Table]:
    rows, protocol = derived(trial.log, T0 + LATE)
    safety = [safety_facts(each, protocol, survival_facts(each, protocol).follow_up) for each in rows]
    change = [change_facts(each, protocol) for each in rows]
    found = sets_tables(safety, change, protocol, T0 + LATE)
    turned = sets_tables(safety[::-1], change[::-1], protocol, T0 + LATE)
    assert found == turned
    return {table.code: table for table in found}


def test_enrolled_is_who_was_enrolled_and_the_safety_set_who_had_a_session_started() -> None:
    trial = OutcomeTrial()
    trial.treated("S-1")
    trial.enrolled("S-2", "S-3", "S-4")
    trial.session("S-2", T0, hours=None)  # started and still running
    trial.session("S-3", T0, hours=0.1, viable_cells=1)  # whatever the duration or dose
    void = trial.session("S-4", T0)
    reason = VoidReason.ENTERED_IN_ERROR
    trial.say("S-4", SessionVoided(id=void.session_id, reason_code=reason, reason_text=SEALED))
    table = tables(trial)["ANALYSIS_SETS"]
    assert [(row.code, row.cell("PARTICIPANTS").n) for row in table.rows] == [("ENROLLED", 4), ("SAF", 3)]
    assert who(table, "SAF", "PARTICIPANTS") == ["S-1", "S-2", "S-3"]


def test_the_members_of_the_sets_are_named_with_the_events_that_make_them_so() -> None:
    trial = OutcomeTrial()
    trial.treated("S-1")
    (rows,), _ = derived(trial.log, T0 + LATE)
    table = tables(trial)["ANALYSIS_SETS"]
    (enrolled,) = table.row("ENROLLED").cell("PARTICIPANTS").contributions
    (treated,) = table.row("SAF").cell("PARTICIPANTS").contributions
    assert set(enrolled.event_ids) == set(rows.subject.event_ids)
    assert len(enrolled.event_ids) == 2
    assert set(treated.event_ids) == set(rows.sessions[0].event_ids)
    trial.session("S-1", T0 + 9 * DAY)
    assert len(tables(trial)["ANALYSIS_SETS"].row("SAF").cell("PARTICIPANTS").contributions[0].event_ids) == 4


def test_evaluable_is_who_has_baseline_and_a_value_at_the_point() -> None:
    trial = OutcomeTrial()
    trial.treated("S-1", "S-2", "S-3")
    for subject, before, after in (("S-1", True, True), ("S-2", True, False), ("S-3", False, True)):
        if before:
            sample(trial.log, subject_stream(subject), at=T0 - DAY, tbil="300")
        if after:
            sample(trial.log, subject_stream(subject), at=A + 7 * DAY, tbil="200")
    table = tables(trial)["EVALUABLE"]
    cell = table.row("tbil").cell("D7")
    assert (cell.n, cell.of, [each.subject_id for each in cell.contributions]) == (1, 3, ["S-1"])
    assert len(cell.contributions[0].event_ids) == 2
    assert table.row("tbil").cell("W2").n == 0
    assert (len(table.rows), len(table.columns)) == (25, 13)


def test_a_value_outside_the_window_of_its_point_makes_nobody_evaluable() -> None:
    trial = OutcomeTrial()
    trial.treated("S-1")
    sample(trial.log, subject_stream("S-1"), at=T0 - DAY, tbil="300")
    sample(trial.log, subject_stream("S-1"), at=A + 10 * DAY, visit="D7", tbil="200")
    (rows,), protocol = derived(trial.log, T0 + LATE)
    assert change_facts(rows, protocol).entries["tbil", "D7"].change is not None
    assert tables(trial)["EVALUABLE"].row("tbil").cell("D7").n == 0


@pytest.mark.parametrize("enrolled", [0, 1])
def test_nobody_is_in_a_set_of_an_empty_trial(enrolled: int) -> None:
    trial = OutcomeTrial()
    trial.enrolled(*["S-1"][:enrolled])
    found = tables(trial)
    assert [row.cell("PARTICIPANTS").n for row in found["ANALYSIS_SETS"].rows] == [enrolled, 0]
    assert {(cell.n, cell.of, cell.display) for _, cell in found["EVALUABLE"].cells()} == {(0, 0, "0 (NE)")}
