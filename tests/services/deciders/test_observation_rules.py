"""Corrections, voids and reviews of observations and findings (`events.md` 3.3, 3.4)."""

from typing import Any

import pytest

from builders.commands import command
from builders.ids import row_id
from builders.measurements import lab_result, observation, row
from builders.participant import consent, died, enrolled, withdrew
from builders.payloads import a_sealed
from builders.study import protocol_published, site_activated
from builders.times import iso
from hepatrail_events.errors import CommandRejected
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabFindingReviewed,
    LabResultsRecorded,
    LabResultVoided,
    ObservationCorrected,
    ObservationsRecorded,
    ObservationVoided,
    RejectReason,
)
from hepatrail_events.voiding import VoidReason
from hepatrail_services.deciders.results import CORRECTABLE_OF_OBSERVATION
from specification import given

OPEN = (consent(), enrolled())
VOID = ObservationVoided(id=row_id(0), reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=a_sealed("reasonText"))


def _corrected(**changes: Any) -> ObservationCorrected:
    history = given(*OPEN, observation(map=70))
    event = history.when(command("correctObservation", **changes)).then_one(ObservationCorrected)
    assert isinstance(event, ObservationCorrected)
    return event


def test_dat_03_a_correction_of_an_observation_names_old_and_new_value_and_why() -> None:
    assert _corrected() == ObservationCorrected(
        id=row_id(0), field="value", old_value="70", new_value="71", reason=a_sealed(), accepted=True
    )


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("code", "MAP", "UNKNOWN_CODE"),
        ("unit", None, "UNIT_MISSING"),
        ("unit", "furlong", "UNIT_UNKNOWN"),
        ("value", "high", "VALUE_NOT_ALLOWED"),
        ("value", "9000", "IMPLAUSIBLE"),
        ("assessedAt", iso(days=-2), "TIME_IN_FUTURE"),
        ("assessedAt", "2026-03-18", None),
        ("comparator", ">", None),
        ("low", "60", None),
        ("high", "100", None),
        ("method", "cuff", None),
        ("fasting", "true", None),
        ("notDone", "OTHER", None),
        ("ntReason", "OTHER", None),
        ("visitCode", "W2", None),
        ("preSession", "false", None),
    ],
)
def test_every_field_of_an_observation_can_be_corrected(field: str, value: str | None, reason: str | None) -> None:
    event = _corrected(field=field, newValue=value)
    assert (event.new_value, event.reject_reason, event.accepted) == (value, reason, reason is None)


def test_the_fields_of_an_observation_are_its_own() -> None:
    assert {"assessedAt", "ntReason"} <= CORRECTABLE_OF_OBSERVATION.keys()
    history = given(*OPEN, observation(map=70))
    for field in ("collectedAt", "laboratory", "specimen", "resultId"):
        history.when(command("correctObservation", field=field)).then_rejects(code="SHAPE", field="field")


def test_lab_01_a_correction_does_not_make_an_observation_unreadable() -> None:
    asked = command("correctObservation", newValue=None)
    given(*OPEN, observation(map=70)).when(asked).then_rejects("LAB-01", field="newValue")


def test_lab_02_an_observation_needs_no_laboratory_of_the_protocol_after_a_correction_either() -> None:
    history = given(*OPEN, observation(map=70)).in_study(
        protocol_published(laboratories=("BFH-LAB",)), site_activated()
    )
    event = history.when(command("correctObservation")).then_one(ObservationCorrected)
    assert isinstance(event, ObservationCorrected)
    assert event.accepted


def test_a_confirmed_observation_stays_admitted_until_the_value_itself_changes() -> None:
    confirmed = ImplausibleConfirmed(result_id=row_id(0), reason=a_sealed())
    history = given(*OPEN, observation("IMPLAUSIBLE", map=9000), confirmed)
    beside = history.when(command("correctObservation", field="assessedAt", newValue="2026-03-18"))
    itself = history.when(command("correctObservation", newValue="9001"))
    for outcome, reason in ((beside, None), (itself, RejectReason.IMPLAUSIBLE)):
        event = outcome.then_one(ObservationCorrected)
        assert isinstance(event, ObservationCorrected)
        assert event.reject_reason is reason


def test_an_observation_is_void_with_a_code_and_an_explanation() -> None:
    given(*OPEN, observation(map=70)).when(command("voidObservation")).then(VOID)


@pytest.mark.parametrize("name", ["correctObservation", "voidObservation"])
def test_only_a_known_observation_that_is_not_void_is_corrected_or_void(name: str) -> None:
    given(*OPEN).when(command(name)).then_rejects(field="id")
    given(*OPEN, observation(map=70), VOID).when(command(name)).then_rejects(field="id")
    given(*OPEN, lab_result(alt=130)).when(command(name)).then_rejects(field="id")


@pytest.mark.parametrize("grade", [None, 0, 3, 5])
def test_a_finding_is_judged_with_a_grade_or_without(grade: int | None) -> None:
    asked = command("reviewLabFinding", clinicallySignificant=True, finalGrade=grade)
    given(*OPEN, lab_result(alt=900)).when(asked).then(
        LabFindingReviewed(result_id=row_id(0), clinically_significant=True, final_grade=grade)
    )


def test_a_finding_in_an_observation_is_judged_too() -> None:
    given(*OPEN, observation(map=70)).when(command("reviewLabFinding")).then_accepts(LabFindingReviewed)


def test_a_finding_is_judged_again_when_the_investigator_thinks_otherwise() -> None:
    first = LabFindingReviewed(result_id=row_id(0), clinically_significant=False)
    given(*OPEN, lab_result(alt=900), first).when(command("reviewLabFinding")).then_accepts(LabFindingReviewed)


def test_only_a_known_result_that_is_not_void_is_judged() -> None:
    void = LabResultVoided(id=row_id(0), reason_code=VoidReason.DUPLICATE, reason_text=a_sealed())
    given(*OPEN).when(command("reviewLabFinding")).then_rejects(field="resultId")
    given(*OPEN, lab_result(alt=900), void).when(command("reviewLabFinding")).then_rejects(field="resultId")
    with pytest.raises(CommandRejected, match="finalGrade must be at most 5"):
        command("reviewLabFinding", finalGrade=6)


def test_lab_04_what_is_collected_after_death_or_withdrawal_is_kept() -> None:
    """A query asks about it, and about a visit code that cannot be (DAT-01)."""
    after = given(*OPEN, died(), withdrew())
    after.when(command("recordObservations")).then_accepts(ObservationsRecorded)
    after.when(command("recordObservations", visitCode="D99")).then_accepts(ObservationsRecorded)


def test_lab_05_results_that_contradict_each_other_are_kept() -> None:
    """Direct above total bilirubin, or prothrombin activity beside INR: a query asks about it."""
    rows = [row("tbil", 20), row("dbil", 30), row("inr", 1), row("pta", 10)]
    given(*OPEN).when(command("recordLabResults", results=rows)).then_accepts(LabResultsRecorded)


def test_obs_01_a_component_not_testable_without_reason_and_a_total_beside_components_are_kept() -> None:
    rows = [row("gcs_verbal", "NT"), row("gcs_eye", 4), row("gcs_total", 15)]
    event = given(*OPEN).when(command("recordObservations", rows=rows)).then_one(ObservationsRecorded)
    assert isinstance(event, ObservationsRecorded)
    assert all(one.accepted for one in event.rows)


def test_obs_02_a_stated_dialysis_count_is_kept_whatever_the_procedures_say() -> None:
    rows = [row("dialysis_sessions_7d", 2)]
    given(*OPEN).when(command("recordObservations", rows=rows)).then_accepts(ObservationsRecorded)
