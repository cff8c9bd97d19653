"""The rules of laboratory results and observations (`events.md` 3.3, 3.4)."""

from typing import Any

import pytest

from builders.commands import command
from builders.ids import row_id
from builders.measurements import lab_result, observation, row
from builders.participant import consent, died, enrolled, withdrew
from builders.payloads import a_sealed
from builders.study import protocol_published, site_activated
from builders.times import NOW, iso
from hepatrail_events.catalogue import SEED_LABS, catalogue
from hepatrail_events.ids import object_id
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    ObservationsRecorded,
    RejectReason,
)
from hepatrail_events.voiding import VoidReason
from specification import Given, given

OPEN = (consent(), enrolled())


KNOWN = given(*OPEN)


def _recorded(history: Given = KNOWN, **changes: Any) -> LabResultsRecorded:
    event = history.when(command("recordLabResults", **changes)).then_one(LabResultsRecorded)
    assert isinstance(event, LabResultsRecorded)
    return event


def test_results_are_kept_as_reported() -> None:
    stated = {
        "code": "creatinine", "value": "0.2", "comparator": "<", "unit": "mg/dL", "low": "0.5", "high": "1.1",
        "method": "enzymatic", "fasting": True,
    }  # fmt: skip
    asked = command(
        "recordLabResults",
        collectedAt="2026-03-19",
        visitCode="D3",
        preSession=True,
        specimen="serum",
        results=[stated],
    )
    event = given(*OPEN).when(asked).then_one(LabResultsRecorded)
    identity = {"resultId": str(object_id(asked.command_id, "result", 0)), "accepted": True}
    assert event.payload() == {
        "sampleId": str(object_id(asked.command_id, "sample")),
        "collectedAt": "2026-03-19",
        "visitCode": "D3",
        "preSession": True,
        "laboratory": "BFH-LAB",
        "specimen": "serum",
        "results": [stated | identity],
    }


def test_all_21_analytes_of_the_trial_go_in_at_once() -> None:
    values = {code: next(iter(catalogue()[code].units)) for code in SEED_LABS}
    rows = [
        {"code": code, "unit": unit, "value": str(int(catalogue()[code].plausible_low or 0) + 1)}
        for code, unit in values.items()
    ]
    event = _recorded(results=rows)
    assert [row.code for row in event.results] == list(SEED_LABS)
    assert len({row.result_id for row in event.results}) == 21


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([row("alt", 1), {"value": "3", "unit": "U/L"}], "results[1].code"),
        ([{"code": " ", "value": "3"}], "results[0].code"),
        ([row("alt", 1), row("ast", 2), {"code": "alt", "unit": "U/L"}], "results[2].value"),
        ([{"code": "alt", "value": " ", "unit": "U/L"}], "results[0].value"),
    ],
)
def test_lab_01_an_unreadable_row_rejects_the_command_and_is_named(rows: list[dict[str, Any]], field: str) -> None:
    sentence = given(*OPEN).when(command("recordLabResults", results=rows)).then_rejects("LAB-01", field=field)
    assert sentence.startswith(field.partition(".")[0])


def test_lab_01_an_unreadable_observation_rejects_the_command_and_is_named() -> None:
    asked = command("recordObservations", rows=[row("map", 70), {"code": "map"}])
    given(*OPEN).when(asked).then_rejects("LAB-01", field="rows[1].value")


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"code": "ALT (SGPT)", "value": "12", "unit": "U/L"}, "UNKNOWN_CODE"),
        ({"code": "alt", "value": "12"}, "UNIT_MISSING"),
        ({"code": "alt", "value": "12", "unit": "furlong"}, "UNIT_UNKNOWN"),
        ({"code": "alt", "value": "haemolysed", "unit": "U/L"}, "VALUE_NOT_ALLOWED"),
        ({"code": "alt", "value": "99999999", "unit": "U/L"}, "IMPLAUSIBLE"),
    ],
)
def test_dat_04_lab_02_a_row_that_cannot_be_used_is_stored_as_reported_with_its_reason(
    stated: dict[str, str], reason: str
) -> None:
    event = _recorded(results=[row("ast", 30), stated])
    used, kept = event.results
    assert (used.accepted, used.reject_reason) == (True, None)
    assert kept.payload().items() >= (stated | {"accepted": False, "rejectReason": reason}).items()


@pytest.mark.parametrize("collected_at", [iso(minutes=-6), "2026-03-21"])
def test_tim_05_lab_02_a_sample_from_the_future_is_stored_and_not_used(collected_at: str) -> None:
    event = _recorded(collectedAt=collected_at)
    assert [(row.accepted, row.reject_reason) for row in event.results] == [(False, RejectReason.TIME_IN_FUTURE)]


@pytest.mark.parametrize("collected_at", [iso(minutes=-4), "2026-03-20", "2020-01-01"])
def test_lab_04_a_sample_of_any_past_time_is_used(collected_at: str) -> None:
    assert _recorded(collectedAt=collected_at).results[0].accepted


def test_the_date_of_a_sample_is_a_civil_date_of_the_site() -> None:
    after_midnight_at_the_site = NOW.replace(hour=16, minute=30)
    history = given(*OPEN)
    asked = command("recordLabResults", collectedAt="2026-03-21")
    event = history.when(asked, now=after_midnight_at_the_site).then_one(LabResultsRecorded)
    assert isinstance(event, LabResultsRecorded)
    assert event.results[0].accepted


def test_dat_02_lab_02_a_laboratory_that_the_protocol_does_not_name_is_no_source() -> None:
    allowing = given(*OPEN).in_study(protocol_published(laboratories=("BFH-LAB",)), site_activated())
    assert _recorded(allowing).results[0].accepted
    assert _recorded(allowing, laboratory="elsewhere").results[0].reject_reason is RejectReason.SOURCE_UNKNOWN
    assert _recorded(laboratory="elsewhere").results[0].accepted, "a protocol that names none allows any"


def test_a_reason_of_the_sample_comes_before_one_of_the_row() -> None:
    event = _recorded(collectedAt=iso(days=-1), results=[row("alt", 99999999)])
    assert event.results[0].reject_reason is RejectReason.TIME_IN_FUTURE


def test_a_value_that_was_not_done_needs_its_reason_only() -> None:
    event = _recorded(results=[{"code": "ammonia", "notDone": "HEMOLYSED"}])
    assert event.results[0].accepted
    assert event.results[0].value is None


def test_dat_01_lab_04_no_measurement_is_refused_for_its_time() -> None:
    given(*OPEN, died(), withdrew()).when(command("recordLabResults")).then_accepts(LabResultsRecorded)
    given(*OPEN).when(command("recordLabResults", visitCode="D99")).then_accepts(LabResultsRecorded)


def test_dat_05_lab_06_a_known_message_of_a_laboratory_changes_nothing() -> None:
    history = given(*OPEN, lab_result(message="M-1", alt=130))
    history.when(command("recordLabResults", sourceMessageId="M-1", results=[row("alt", 999)])).then()
    history.when(command("recordLabResults", sourceMessageId="M-2")).then_accepts(LabResultsRecorded)
    history.when(command("recordLabResults", sourceMessageId="M-1", laboratory="other")).then_accepts(
        LabResultsRecorded
    )


def test_lab_06_samples_without_message_id_are_all_taken() -> None:
    given(*OPEN, lab_result(alt=130)).when(command("recordLabResults")).then_accepts(LabResultsRecorded)


def test_lab_03_an_implausible_value_may_be_confirmed_once() -> None:
    history = (*OPEN, lab_result("IMPLAUSIBLE", alt=99999999))
    confirmed = ImplausibleConfirmed(result_id=row_id(0), reason=a_sealed())
    given(*history).when(command("confirmImplausible")).then(confirmed)
    given(*history, confirmed).when(command("confirmImplausible")).then_rejects("LAB-03", field="resultId")


def test_lab_03_an_implausible_observation_may_be_confirmed() -> None:
    given(*OPEN, observation("IMPLAUSIBLE", map=900)).when(command("confirmImplausible")).then_accepts(
        ImplausibleConfirmed
    )


@pytest.mark.parametrize("reason", [None, "UNIT_UNKNOWN", "TIME_IN_FUTURE"])
def test_lab_03_only_an_implausible_value_can_be_confirmed(reason: str | None) -> None:
    given(*OPEN, lab_result(reason, alt=1)).when(command("confirmImplausible")).then_rejects("LAB-03")


@pytest.mark.parametrize("name", ["correctLabResult", "voidLabResult", "confirmImplausible"])
def test_only_a_known_result_that_is_not_void_is_changed(name: str) -> None:
    void = LabResultVoided(id=row_id(0), reason_code=VoidReason.DUPLICATE, reason_text=a_sealed())
    given(*OPEN).when(command(name)).then_rejects()
    given(*OPEN, lab_result("IMPLAUSIBLE", alt=99999999), void).when(command(name)).then_rejects()


@pytest.mark.parametrize("name", ["correctLabResult", "voidLabResult"])
def test_an_observation_is_no_laboratory_result(name: str) -> None:
    given(*OPEN, observation(map=70)).when(command(name)).then_rejects(field="id")


def _corrected(**changes: Any) -> LabResultCorrected:
    event = given(*OPEN, lab_result(alt=130)).when(command("correctLabResult", **changes)).then_one(LabResultCorrected)
    assert isinstance(event, LabResultCorrected)
    return event


def test_a_correction_names_old_and_new_value_and_decides_acceptance_again() -> None:
    assert _corrected(field="value", newValue="13") == LabResultCorrected(
        id=row_id(0), field="value", old_value="130", new_value="13", reason=a_sealed(), accepted=True
    )


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("code", "SGPT", "UNKNOWN_CODE"),
        ("unit", None, "UNIT_MISSING"),
        ("unit", "mmol/L", "UNIT_UNKNOWN"),
        ("value", "high", "VALUE_NOT_ALLOWED"),
        ("value", "99999999", "IMPLAUSIBLE"),
        ("collectedAt", iso(days=-2), "TIME_IN_FUTURE"),
        ("comparator", ">", None),
        ("low", "7", None),
        ("high", "40", None),
        ("method", "IFCC", None),
        ("fasting", "true", None),
        ("notDone", "OTHER", None),
        ("visitCode", "W2", None),
        ("preSession", "false", None),
        ("laboratory", "other", None),
        ("specimen", "serum", None),
    ],
)
def test_every_field_of_a_result_can_be_corrected(field: str, value: str | None, reason: str | None) -> None:
    event = _corrected(field=field, newValue=value)
    assert (event.new_value, event.reject_reason, event.accepted) == (value, reason, reason is None)


def test_a_correction_may_make_a_result_usable() -> None:
    history = given(*OPEN, lab_result("IMPLAUSIBLE", alt=99999999))
    event = history.when(command("correctLabResult", newValue="99")).then_one(LabResultCorrected)
    assert isinstance(event, LabResultCorrected)
    assert event.accepted


def test_lab_01_a_correction_does_not_make_a_row_unreadable() -> None:
    history = given(*OPEN, lab_result(alt=130))
    history.when(command("correctLabResult", field="value", newValue=None)).then_rejects("LAB-01", field="newValue")
    history.when(command("correctLabResult", field="code", newValue=None)).then_rejects("LAB-01", field="newValue")


def test_a_confirmed_value_stays_admitted_until_the_value_itself_changes() -> None:
    confirmed = ImplausibleConfirmed(result_id=row_id(0), reason=a_sealed())
    history = given(*OPEN, lab_result("IMPLAUSIBLE", alt=99999999), confirmed)
    beside = history.when(command("correctLabResult", field="low", newValue="7")).then_one(LabResultCorrected)
    itself = history.when(command("correctLabResult", newValue="99999998")).then_one(LabResultCorrected)
    assert isinstance(beside, LabResultCorrected)
    assert isinstance(itself, LabResultCorrected)
    assert beside.accepted
    assert itself.reject_reason is RejectReason.IMPLAUSIBLE


def test_a_correction_of_what_the_sender_saw_differently_is_a_conflict() -> None:
    history = given(*OPEN, lab_result(alt=130))
    history.when(command("correctLabResult", oldValue="129")).then_rejects(code="CONFLICT", field="oldValue")
    history.when(command("correctLabResult", newValue="130")).then_rejects(code="SHAPE", field="newValue")
    history.when(command("correctLabResult", field="resultId")).then_rejects(code="SHAPE", field="field")


def test_a_result_is_void_with_a_code_and_an_explanation() -> None:
    given(*OPEN, lab_result(alt=130)).when(command("voidLabResult")).then(
        LabResultVoided(id=row_id(0), reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=a_sealed("reasonText"))
    )


def test_a_component_of_the_glasgow_coma_scale_may_be_not_testable() -> None:
    rows = [{"code": "gcs_verbal", "value": "NT", "unit": "{score}", "ntReason": "INTUBATED"}, row("gcs_eye", 4)]
    event = given(*OPEN).when(command("recordObservations", rows=rows)).then_one(ObservationsRecorded)
    assert isinstance(event, ObservationsRecorded)
    assert [(row.accepted, row.nt_reason) for row in event.rows] == [(True, "INTUBATED"), (True, None)]


def test_an_observation_does_not_need_a_laboratory_of_the_protocol() -> None:
    history = given(*OPEN).in_study(protocol_published(laboratories=("BFH-LAB",)), site_activated())
    event = history.when(command("recordObservations")).then_one(ObservationsRecorded)
    assert isinstance(event, ObservationsRecorded)
    assert event.rows[0].accepted
