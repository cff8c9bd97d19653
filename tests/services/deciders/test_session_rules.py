"""The rules of treatment sessions (`events.md` 3.2)."""

from typing import Any

import pytest

from builders.commands import command
from builders.ids import SESSION
from builders.participant import (
    consent,
    consent_withdrawn,
    died,
    enrolled,
    session_ended,
    session_paused,
    session_resumed,
    session_started,
    withdrew,
)
from builders.payloads import a_sealed
from builders.study import hold_placed
from builders.times import NOW, at, day, iso
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.sessions import (
    EndReason,
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
)
from hepatrail_events.study import HoldReleased
from hepatrail_events.voiding import VoidReason
from hepatrail_services.deciders.sessions import CORRECTABLE
from specification import READY, given

ENROLLED = (consent(), enrolled())
RUNNING = (*ENROLLED, session_started())
ENDED = (*RUNNING, session_ended(hours=1))
VOID = SessionVoided(id=SESSION, reason_code=VoidReason.DUPLICATE, reason_text=a_sealed("reasonText"))


def test_a_session_keeps_what_the_team_recorded() -> None:
    asked = command("startSession", weightKg="60", flowMlMin="150", anticoagulant="CITRATE")
    event = given(*ENROLLED).when(asked).then_one(SessionStarted)
    stated = asked.payload() | {"sessionId": str(object_id(asked.command_id, "session"))}
    assert event.payload() == {name: value for name, value in stated.items() if name not in ("commandId", "subjectId")}


def test_ses_01_one_session_at_a_time() -> None:
    given(*RUNNING).when(command("startSession")).then_rejects("SES-01")
    given(*ENDED).when(command("startSession")).then_accepts(SessionStarted)


def test_ses_01_a_void_session_is_not_open_any_more() -> None:
    given(*RUNNING, VOID).when(command("startSession")).then_accepts(SessionStarted)


@pytest.mark.parametrize(
    "stop",
    [
        died(),
        died(deathAt={"precision": "UNKNOWN"}),
        died(deathAt=day("2026-03-20")),
        withdrew("TREATMENT_ONLY"),
        withdrew("FOLLOW_UP"),
        withdrew("ALL_DATA_USE"),
        consent_withdrawn(),
    ],
    ids=str,
)
def test_ses_02_no_session_after_death_or_any_withdrawal(stop: Event) -> None:
    given(*ENROLLED, stop).when(command("startSession")).then_rejects("SES-02")


def test_ses_02_the_first_of_several_withdrawals_stops() -> None:
    stops = (withdrew("TREATMENT_ONLY", withdrawnAt=iso(days=9)), withdrew("FOLLOW_UP"))
    given(*ENROLLED, *stops).when(command("startSession", startedAt=iso(days=5))).then_rejects("SES-02")


def test_ses_02_a_session_is_not_corrected_to_begin_after_a_stop() -> None:
    history = given(*RUNNING, withdrew("FOLLOW_UP", withdrawnAt=iso(hours=5)))
    moved = command("correctSession", field="startedAt", newValue=iso(hours=4))
    history.when(moved).then_rejects("SES-02", field="newValue")
    earlier = command("correctSession", field="startedAt", newValue=iso(hours=7))
    history.when(earlier).then_accepts(SessionCorrected)
    history.when(command("correctSession")).then_accepts(SessionCorrected)


def test_ses_07_a_session_outside_the_tolerances_is_kept() -> None:
    """Too short, too few cells, weighed too long ago: a query asks about it."""
    unusual = command("startSession", viableCells=1, weightMeasuredAt=iso(days=30))
    given(*ENROLLED).when(unusual).then_accepts(SessionStarted)
    given(*RUNNING).when(command("endSession", endedAt=iso(hours=5))).then_accepts(SessionEnded)


@pytest.mark.parametrize("stop", [died(), died(deathAt=day("2026-03-19")), withdrew("FOLLOW_UP")], ids=str)
def test_ses_02_a_session_from_before_the_death_or_withdrawal_may_be_entered_late(stop: Event) -> None:
    given(*ENROLLED, stop).when(command("startSession", startedAt=iso(days=9))).then_accepts(SessionStarted)


def test_ses_03_a_session_ends_after_its_start() -> None:
    history = given(*RUNNING)
    history.when(command("endSession", endedAt=iso(hours=6))).then_rejects("SES-03", field="endedAt")
    history.when(command("endSession", endedAt=iso(hours=5))).then(
        SessionEnded(session_id=SESSION, ended_at=at(hours=5), reason=EndReason.COMPLETED)
    )


def test_ses_03_a_pause_lies_inside_the_session() -> None:
    given(*RUNNING).when(command("pauseSession", at=iso(hours=7))).then_rejects("SES-03", field="at")
    given(*RUNNING).when(command("pauseSession", at=iso(hours=3))).then(
        SessionPaused(session_id=SESSION, at=at(hours=3), reason=a_sealed())
    )


def test_ses_03_a_pause_is_closed_before_the_next() -> None:
    given(*RUNNING, session_paused(hours=4)).when(command("pauseSession", at=iso(hours=3))).then_rejects("SES-03")


def test_ses_03_pauses_do_not_overlap() -> None:
    history = given(*RUNNING, session_paused(hours=4), session_resumed(hours=2))
    history.when(command("pauseSession", at=iso(hours=3))).then_rejects("SES-03")
    history.when(command("pauseSession", at=iso(hours=2))).then_accepts(SessionPaused)


def test_ses_03_a_session_resumes_after_its_pause() -> None:
    history = given(*RUNNING, session_paused(hours=4))
    history.when(command("resumeSession", at=iso(hours=4))).then_rejects("SES-03", field="at")
    history.when(command("resumeSession", at=iso(hours=3))).then(SessionResumed(session_id=SESSION, at=at(hours=3)))


def test_ses_03_only_a_paused_session_resumes() -> None:
    given(*RUNNING).when(command("resumeSession")).then_rejects("SES-03", field="sessionId")


def test_ses_03_a_paused_session_resumes_before_it_ends() -> None:
    given(*RUNNING, session_paused(hours=4)).when(command("endSession")).then_rejects("SES-03", field="endedAt")


def test_ses_03_a_session_does_not_end_before_its_last_pause_is_over() -> None:
    history = given(*RUNNING, session_paused(hours=4), session_resumed(hours=2))
    history.when(command("endSession", endedAt=iso(hours=3))).then_rejects("SES-03", field="endedAt")
    history.when(command("endSession", endedAt=iso(hours=2))).then_accepts(SessionEnded)


@pytest.mark.parametrize("name", ["pauseSession", "resumeSession", "endSession"])
def test_ses_03_nothing_happens_in_a_session_that_has_ended(name: str) -> None:
    given(*ENDED).when(command(name)).then_rejects("SES-03", field="sessionId")


@pytest.mark.parametrize("reference", ["", "   "])
def test_ses_04_cells_without_release_reference_are_not_given(reference: str) -> None:
    given(*ENROLLED).when(command("startSession", batchReleaseRef=reference)).then_rejects(
        "SES-04", field="batchReleaseRef"
    )


def test_ses_05_a_hold_of_the_trial_stops_sessions_until_it_is_released() -> None:
    history, hold = given(*ENROLLED), hold_placed()
    history.in_study(*READY, hold).when(command("startSession")).then_rejects("SES-05")
    released = HoldReleased(hold_id=hold.hold_id, by="u-2", reason="reviewed")
    history.in_study(*READY, hold, released).when(command("startSession")).then_accepts(SessionStarted)


def test_ses_05_a_hold_of_a_participant_stops_that_participant_only() -> None:
    history = given(*ENROLLED)
    history.in_study(*READY, hold_placed(subject_id="S-001")).when(command("startSession")).then_rejects("SES-05")
    history.in_study(*READY, hold_placed(subject_id="S-002")).when(command("startSession")).then_accepts(SessionStarted)


def test_ses_05_a_hold_on_enrolment_stops_no_session() -> None:
    history = given(*ENROLLED).in_study(*READY, hold_placed("HOLD_ENROLMENT"))
    history.when(command("startSession")).then_accepts(SessionStarted)


def test_ses_05_a_hold_does_not_stop_a_running_session() -> None:
    given(*RUNNING).in_study(*READY, hold_placed()).when(command("endSession")).then_accepts(SessionEnded)


def test_ses_06_a_session_needs_enrolment() -> None:
    given(consent()).when(command("startSession")).then_rejects("SES-06")


@pytest.mark.parametrize("field", ["startedAt", "accessPlacedAt", "weightMeasuredAt"])
def test_tim_05_inv_06_no_time_of_a_session_lies_in_the_future(field: str) -> None:
    given(*ENROLLED).when(command("startSession", **{field: iso(minutes=-6)})).then_rejects("INV-06", field=field)


@pytest.mark.parametrize("name", ["pauseSession", "resumeSession", "endSession"])
def test_tim_05_inv_06_no_later_time_of_a_session_lies_in_the_future(name: str) -> None:
    field = "endedAt" if name == "endSession" else "at"
    history = (*RUNNING, session_paused(hours=4)) if name == "resumeSession" else RUNNING
    given(*history).when(command(name, **{field: iso(minutes=-6)})).then_rejects("INV-06", field=field)


def test_dat_03_a_correction_names_old_and_new_value_and_why() -> None:
    given(*RUNNING).when(command("correctSession", field="weightKg", newValue="61.5")).then(
        SessionCorrected(id=SESSION, field="weightKg", old_value="60", new_value="61.5", reason=a_sealed())
    )


def test_every_listed_field_of_a_session_can_be_corrected() -> None:
    values = {
        "startedAt": iso(hours=5), "endedAt": iso(hours=2), "accessPlacedAt": iso(days=1),
        "weightMeasuredAt": iso(days=2),
        "accessVein": "SUBCLAVIAN", "side": "LEFT", "deviceLot": "L-8", "cellBatch": "C-22", "batchReleaseRef": "QP-22",
        "viabilityPercent": "88", "viableCells": "9000000000", "weightKg": "59", "flowMlMin": "140",
        "anticoagulant": "HEPARIN", "endReason": "CLOTTING",
    }  # fmt: skip
    assert values.keys() == CORRECTABLE.keys()
    for field, value in values.items():
        event = given(*ENDED).when(command("correctSession", field=field, newValue=value)).then_one(SessionCorrected)
        assert event.payload()["newValue"] == value, field


def test_a_second_correction_starts_from_the_first() -> None:
    first = SessionCorrected(id=SESSION, field="weightKg", old_value="60", new_value="61.5", reason=a_sealed())
    event = given(*RUNNING, first).when(command("correctSession", newValue="62")).then_one(SessionCorrected)
    assert event.payload()["oldValue"] == "61.5"
    given(*RUNNING, first).when(command("correctSession", newValue="62", oldValue="60")).then_rejects(
        code="CONFLICT", field="oldValue"
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"field": "sessionId"}, "field"),
        ({"field": "subjectId"}, "field"),
        ({"field": "viableCells", "newValue": "1e10"}, "newValue"),
        ({"field": "weightKg", "newValue": "-1"}, "newValue"),
        ({"field": "weightKg", "newValue": "60"}, "newValue"),
        ({"field": "weightKg", "newValue": None}, "newValue"),
        ({"field": "side", "newValue": "MIDDLE"}, "newValue"),
        ({"field": "startedAt", "newValue": "yesterday"}, "newValue"),
    ],
    ids=str,
)
def test_a_correction_that_cannot_be_read_or_changes_nothing_is_refused(changes: dict[str, Any], field: str) -> None:
    given(*ENDED).when(command("correctSession", **changes)).then_rejects(code="SHAPE", field=field)


def test_an_optional_field_may_be_corrected_to_nothing() -> None:
    history = given(*ENROLLED, session_started(flowMlMin="150"))
    event = history.when(command("correctSession", field="flowMlMin", newValue=None)).then_one(SessionCorrected)
    assert event.payload().keys() & {"newValue", "oldValue"} == {"oldValue"}


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("startedAt", iso(hours=3), "SES-03"),
        ("startedAt", iso(minutes=30), "SES-03"),
        ("endedAt", iso(hours=3), "SES-03"),
        ("endedAt", iso(minutes=-10), "INV-06"),
        ("batchReleaseRef", " ", "SES-04"),
    ],
)
def test_the_rules_hold_after_a_correction_too(field: str, value: str, rule: str) -> None:
    history = given(*RUNNING, session_paused(hours=4), session_resumed(hours=2), session_ended(hours=1))
    history.when(command("correctSession", field=field, newValue=value)).then_rejects(rule, field="newValue")


def test_the_end_of_a_running_session_is_recorded_not_corrected() -> None:
    given(*RUNNING).when(command("correctSession", field="endedAt", newValue=iso(hours=1))).then_rejects(field="field")


@pytest.mark.parametrize("name", ["correctSession", "voidSession"])
def test_only_a_known_session_is_corrected_or_void(name: str) -> None:
    given(*ENROLLED).when(command(name)).then_rejects(field="id")


@pytest.mark.parametrize("name", ["correctSession", "voidSession", "pauseSession", "endSession"])
def test_a_void_session_takes_nothing_more(name: str) -> None:
    given(*RUNNING, VOID).when(command(name)).then_rejects()


def test_a_session_is_void_with_a_code_and_an_explanation() -> None:
    given(*RUNNING).when(command("voidSession")).then(VOID)


def test_now_is_the_last_moment_a_session_may_begin_without_the_clocks_tolerance() -> None:
    given(*ENROLLED).when(command("startSession", startedAt=iso(minutes=-5)), now=NOW).then_accepts(SessionStarted)
