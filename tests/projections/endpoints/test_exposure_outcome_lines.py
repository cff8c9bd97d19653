"""Exposure, line by line (`endpoints.md` section 5)."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

import pytest

from clinical_builders import T0
from hepatrail_events.protocol_rules import EndpointRules
from hepatrail_events.sessions import EndReason, SessionPaused, SessionResumed, SessionVoided
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.endpoints.exposure_facts import exposure_facts
from hepatrail_projections.endpoints.exposure_tables import exposure_tables
from projection_log import SEALED
from safety_outcome_course import LATE, OutcomeTrial, derived

DAY = timedelta(days=1)
HALF = 5_010_000_000
"""Half the protocol's dose for 60 kg."""


@pytest.fixture
def trial() -> OutcomeTrial:
    made = OutcomeTrial()
    made.enrolled("S-1", "S-2", "S-3")
    return made


def tables(trial: OutcomeTrial) -> Mapping[str, Table]:
    rows, protocol = derived(trial.log, T0 + LATE)
    facts = [exposure_facts(each, protocol) for each in rows]
    return {table.code: table for table in exposure_tables(facts, protocol, T0 + LATE)}


def shown(table: Table, row: str) -> dict[str, str]:
    return {cell.column: cell.display for cell in table.row(row).cells}


def counted(table: Table, column: str = "SESSIONS") -> dict[str, int | None]:
    return {row.code: row.cell(column).n for row in table.rows}


def test_sessions_of_each_participant_and_their_median_range_and_total(trial: OutcomeTrial) -> None:
    for subject, number in (("S-1", 1), ("S-2", 4)):
        for day in range(number):
            trial.session(subject, T0 + day * DAY)
    void = trial.session("S-2", T0 + 9 * DAY)
    reason = VoidReason.DUPLICATE
    trial.say("S-2", SessionVoided(id=void.session_id, reason_code=reason, reason_text=SEALED))
    found = tables(trial)
    summary = shown(found["EXPOSURE_SUMMARY"], "SESSIONS")
    assert [summary[each] for each in ("N", "MEDIAN", "MIN", "MAX", "TOTAL")] == ["2", "2.5", "1", "4", "5"]
    each = {row.code: row.cell("SESSIONS").display for row in found["EXPOSURE_BY_PARTICIPANT"].rows}
    assert each == {"S-1": "1", "S-2": "4"}  # S-3 was never treated
    assert found["EXPOSURE_COUNTS"].row("STARTED").cell("PARTICIPANTS").of == 2


def test_the_duration_is_end_minus_start_minus_pauses_in_hours_with_two_decimals(trial: OutcomeTrial) -> None:
    begun = trial.session("S-1", T0, hours=6.5)
    paused, resumed = T0 + timedelta(hours=1), T0 + timedelta(hours=1, minutes=20)
    trial.say("S-1", SessionPaused(session_id=begun.session_id, at=paused, reason=SEALED))
    trial.say("S-1", SessionResumed(session_id=begun.session_id, at=resumed))
    cell = tables(trial)["EXPOSURE_BY_SESSION"].row("S-1/1").cell("HOURS")
    assert (cell.value, cell.display) == (str(float(Fraction(37, 6))), "6.17")


def test_durations_fall_in_three_classes_whose_ends_are_inclusive_and_out_of_range_is_a_deviation(
    trial: OutcomeTrial,
) -> None:
    for day, hours in enumerate((3.99, 4, 8, 8.01, None)):
        trial.session("S-1", T0 + day * DAY, hours)
    trial.session("S-2", T0, 5)
    found = tables(trial)
    sessions, participants = (counted(found["EXPOSURE_COUNTS"], each) for each in ("SESSIONS", "PARTICIPANTS"))
    rows = ("STARTED", "DURATION_BELOW", "DURATION_WITHIN", "DURATION_ABOVE", "RUNNING")
    assert [sessions[row] for row in rows] == [6, 1, 3, 1, 1]
    assert [participants[row] for row in rows] == [2, 1, 2, 1, 1]
    flags = [row.cell("HOURS").flags for row in found["EXPOSURE_BY_SESSION"].rows]
    odd = ("DURATION_OUT_OF_RANGE",)
    assert flags == [odd, (), (), odd, ("RUNNING",), ()]
    assert [row.cell("CLASS").flags for row in found["EXPOSURE_BY_SESSION"].rows] == [odd, (), (), odd, (), ()]
    assert [row.cell("CLASS").display for row in found["EXPOSURE_BY_SESSION"].rows][:4] == ["<4", "4-8", "4-8", ">8"]
    share = found["EXPOSURE_COUNTS"].row("DURATION_WITHIN").cell("SESSIONS")
    assert (share.display, share.of, share.interval) == ("3 (50.0 %)", 6, None)


def test_the_statistics_have_the_decimals_of_section_4(trial: OutcomeTrial) -> None:
    for day, hours in enumerate((4, 5, 7.5)):
        trial.session("S-1", T0 + day * DAY, hours)
    assert shown(tables(trial)["EXPOSURE_SUMMARY"], "HOURS") == {
        "N": "3",
        "MEAN": "5.500",
        "SD": "1.8028",
        "MEDIAN": "5.000",
        "Q1": "4.000",
        "Q3": "7.500",
        "MIN": "4.00",
        "MAX": "7.50",
        "TOTAL": "16.50",
    }


def test_out_of_range_is_still_exposure(trial: OutcomeTrial) -> None:
    trial.session("S-1", T0, 1)
    trial.session("S-1", T0 + DAY, 9)
    assert shown(tables(trial)["EXPOSURE_SUMMARY"], "CUMULATIVE_HOURS")["TOTAL"] == "10.00"


def test_stopped_early_is_every_end_but_the_planned_one(trial: OutcomeTrial) -> None:
    for day, reason in enumerate(EndReason):
        trial.session("S-1", T0 + day * DAY, 5, reason)
    trial.session("S-2", T0, hours=None)
    found = tables(trial)
    sessions = counted(found["EXPOSURE_COUNTS"])
    reasons = ("AE", "DEVICE", "CLOTTING", "PARTICIPANT", "OTHER")
    assert (sessions["STOPPED_EARLY"], [sessions[f"STOPPED_{each}"] for each in reasons]) == (5, [1] * 5)
    ends = [row.cell("END").display for row in found["EXPOSURE_BY_SESSION"].rows]
    assert sorted(ends) == sorted(["", "", *reasons])


@pytest.mark.parametrize(
    ("age", "flags"), [(timedelta(days=7), ()), (timedelta(days=7, minutes=1), ("WEIGHT_TOO_OLD",))]
)
def test_a_weight_measured_more_than_seven_days_before_the_start_is_flagged(
    trial: OutcomeTrial, age: timedelta, flags: tuple[str, ...]
) -> None:
    trial.session("S-1", T0, weight_measured_at=T0 - age)
    found = tables(trial)
    cell = found["EXPOSURE_BY_SESSION"].row("S-1/1").cell("WEIGHT")
    assert (cell.display, cell.flags) == ("60.0", flags)
    assert counted(found["EXPOSURE_COUNTS"])["WEIGHT_TOO_OLD"] == len(flags)


def test_sixty_kilograms_by_the_target_are_one_point_zero_zero_two_times_ten_to_the_ten_cells(
    trial: OutcomeTrial,
) -> None:
    trial.session("S-1", T0, viable_cells=60 * 167_000_000, weight_kg="60")
    row = tables(trial)["EXPOSURE_BY_SESSION"].row("S-1/1")
    assert 60 * 167_000_000 == 10_020_000_000
    assert (row.cell("CELLS_PER_KG").value, row.cell("CELLS_PER_KG").display) == ("167000000.0", "1.67")
    assert (row.cell("RATIO").value, row.cell("RATIO").flags) == ("1.0", ())


@pytest.mark.parametrize(("share", "kept"), [("0.8", True), ("0.799", False), ("1.2", True), ("1.201", False)])
def test_the_band_of_a_session_is_0_80_to_1_20(trial: OutcomeTrial, share: str, kept: bool) -> None:
    trial.session("S-1", T0, viable_cells=int(Fraction(share) * 10_020_000_000))
    found = tables(trial)
    assert found["EXPOSURE_BY_SESSION"].row("S-1/1").cell("RATIO").flags == (() if kept else ("DOSE_OUT_OF_BAND",))
    sessions = counted(found["EXPOSURE_COUNTS"])
    assert (sessions["DOSE_IN_BAND"], sessions["DOSE_OUT_OF_BAND"]) == ((1, 0) if kept else (0, 1))


def test_both_ratios_are_shown_and_only_that_of_a_session_is_a_deviation(trial: OutcomeTrial) -> None:
    trial.session("S-1", T0)
    trial.session("S-1", T0 + DAY, viable_cells=HALF)
    found = tables(trial)
    ratios = [row.cell("RATIO") for row in found["EXPOSURE_BY_SESSION"].rows]
    assert [(cell.display, cell.flags) for cell in ratios] == [("1.00", ()), ("0.50", ("DOSE_OUT_OF_BAND",))]
    total = found["EXPOSURE_BY_PARTICIPANT"].row("S-1")
    assert {cell.column: cell.display for cell in total.cells} == {
        "SESSIONS": "2",
        "HOURS": "12.00",
        "CELLS_PER_KG": "2.51",
        "RATIO": "1.50",
    }
    assert total.cell("RATIO").flags == ()
    assert shown(found["EXPOSURE_SUMMARY"], "CUMULATIVE_RATIO")["MEDIAN"] == "1.500"


def test_a_protocol_may_mean_the_dose_of_all_sessions() -> None:
    trial = OutcomeTrial(endpoints=EndpointRules(dose_target_scope="TOTAL").model_dump())
    trial.enrolled("S-1", "S-2")
    for day in range(2):
        trial.session("S-1", T0 + day * DAY, viable_cells=HALF)
        trial.session("S-2", T0 + day * DAY)
    found = tables(trial)
    assert {row.cell("RATIO").flags for row in found["EXPOSURE_BY_SESSION"].rows} == {()}
    flags = [row.cell("RATIO").flags for row in found["EXPOSURE_BY_PARTICIPANT"].rows]
    assert flags == [(), ("DOSE_OUT_OF_BAND",)]
    participants = counted(found["EXPOSURE_COUNTS"], "PARTICIPANTS")
    assert (participants["DOSE_IN_BAND"], participants["DOSE_OUT_OF_BAND"]) == (1, 1)
    assert counted(found["EXPOSURE_COUNTS"])["DOSE_IN_BAND"] is None


def test_an_empty_trial_has_tables_without_numbers() -> None:
    trial = OutcomeTrial()
    trial.enrolled("S-1")
    found = tables(trial)
    assert [len(found[each].rows) for each in ("EXPOSURE_BY_PARTICIPANT", "EXPOSURE_BY_SESSION")] == [0, 0]
    assert shown(found["EXPOSURE_SUMMARY"], "HOURS")["MEDIAN"] == "NE"
    assert {cell.display for _, cell in found["EXPOSURE_COUNTS"].cells()} == {"0 (NE)"}
