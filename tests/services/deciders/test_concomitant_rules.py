"""The rules of medication and procedures (`events.md` 3.6)."""

from typing import Any

import pytest

from builders.commands import command
from builders.ids import MEDICATION, PROCEDURE
from builders.participant import consent, enrolled
from builders.payloads import a_sealed, sealed
from builders.records import medication, procedure
from builders.times import day, minute
from hepatrail_events.concomitant import (
    MedicationCorrected,
    MedicationRecorded,
    MedicationVoided,
    ProcedureCorrected,
    ProcedureRecorded,
    ProcedureVoided,
)
from hepatrail_events.ids import object_id
from hepatrail_events.voiding import VoidReason
from hepatrail_services.deciders.concomitant import CORRECTABLE_OF_MEDICATION, CORRECTABLE_OF_PROCEDURE
from specification import given

OPEN = (consent(), enrolled())
MONTH = {"value": "2026-03", "precision": "MONTH"}
UNKNOWN = {"precision": "UNKNOWN"}


def test_a_medication_keeps_what_the_investigator_recorded() -> None:
    asked = command(
        "recordMedication",
        atc="B01AB05",
        dose="40",
        unit="mg",
        route="subcutaneous",
        endedAt=day("2026-03-19"),
        therapeuticAnticoagulant=True,
    )
    event = given(*OPEN).when(asked).then_one(MedicationRecorded)
    stated = asked.payload() | {"medicationId": str(object_id(asked.command_id, "medication"))}
    assert event.payload() == {name: value for name, value in stated.items() if name not in ("commandId", "subjectId")}


def test_a_procedure_keeps_what_the_investigator_recorded() -> None:
    asked = command("recordProcedure", endedAt=minute(days=1), description=sealed("description"))
    event = given(*OPEN).when(asked).then_one(ProcedureRecorded)
    stated = asked.payload() | {"procedureId": str(object_id(asked.command_id, "procedure"))}
    assert event.payload() == {name: value for name, value in stated.items() if name not in ("commandId", "subjectId")}


@pytest.mark.parametrize("name", ["recordMedication", "recordProcedure"])
@pytest.mark.parametrize(
    ("started", "ended", "accepted"),
    [
        (day("2026-03-10"), day("2026-03-09"), False),
        (day("2026-03-10"), day("2026-03-10"), True),
        (day("2026-03-10"), {"value": "2026-02", "precision": "MONTH"}, False),
        (day("2026-03-10"), MONTH, True),
        (MONTH, day("2026-03-01"), True),
        (day("2026-03-20"), minute(hours=11), False),
        (day("2026-03-20"), minute(hours=9), True),
        (minute(hours=5), minute(hours=6), False),
        (UNKNOWN, day("2026-03-01"), True),
        (day("2026-03-10"), UNKNOWN, True),
    ],
)
def test_con_01_nothing_ends_before_it_began_at_the_coarser_precision(
    name: str, started: dict[str, str], ended: dict[str, str], accepted: bool
) -> None:
    """A day is one of the site, where it is already 20 March nine hours before NOW, and not yet eleven hours before."""
    outcome = given(*OPEN).when(command(name, startedAt=started, endedAt=ended))
    if accepted:
        assert outcome.rejection is None
    else:
        outcome.then_rejects("CON-01", field="endedAt")


@pytest.mark.parametrize("name", ["correctMedication", "correctProcedure"])
def test_con_01_holds_after_a_correction(name: str) -> None:
    history = given(*OPEN, medication(endedAt=minute(days=1)), procedure(endedAt=minute(days=1)))
    history.when(command(name, field="startedAt", newValue="2026-03-20")).then_rejects("CON-01", field="newValue")
    history.when(command(name, field="endedAt", newValue="2025")).then_rejects("CON-01", field="newValue")
    assert history.when(command(name, field="startedAt", newValue="2026-03-19")).rejection is None


def test_con_02_procedures_of_one_kind_may_overlap() -> None:
    """A query asks about it."""
    given(*OPEN, procedure("CVVHD")).when(command("recordProcedure")).then_accepts(ProcedureRecorded)


@pytest.mark.parametrize("name", ["recordMedication", "recordProcedure"])
@pytest.mark.parametrize("field", ["startedAt", "endedAt"])
def test_inv_06_no_time_of_a_concomitant_lies_in_the_future(name: str, field: str) -> None:
    given(*OPEN).when(command(name, **{field: minute(minutes=-6)})).then_rejects("INV-06", field=field)
    given(*OPEN).when(command(name, **{field: day("2026-03-21")})).then_rejects("INV-06", field=field)


@pytest.mark.parametrize("name", ["correctMedication", "correctProcedure"])
def test_inv_06_nor_does_a_corrected_one(name: str) -> None:
    history = given(*OPEN, medication(), procedure())
    history.when(command(name, field="endedAt", newValue="2026-03-21")).then_rejects("INV-06", field="newValue")


def test_every_listed_field_of_a_medication_can_be_corrected() -> None:
    values = {
        "atc": "B01AB05", "dose": "40", "unit": "mg", "route": "oral", "startedAt": "2026-03-09",
        "endedAt": "2026-03-19T08:30Z", "therapeuticAnticoagulant": "true",
    }  # fmt: skip
    assert values.keys() | {"verbatim"} == CORRECTABLE_OF_MEDICATION.keys()
    history = given(*OPEN, medication())
    for field, value in values.items():
        event = history.when(command("correctMedication", field=field, newValue=value)).then_one(MedicationCorrected)
        assert event.payload()["newValue"] == value, field


def test_every_listed_field_of_a_procedure_can_be_corrected() -> None:
    values = {"kind": "OTHER", "startedAt": "2026", "endedAt": "UNKNOWN"}
    assert values.keys() | {"description"} == CORRECTABLE_OF_PROCEDURE.keys()
    history = given(*OPEN, procedure())
    for field, value in values.items():
        event = history.when(command("correctProcedure", field=field, newValue=value)).then_one(ProcedureCorrected)
        assert event.payload()["newValue"] == value, field


def test_dat_03_a_correction_keeps_the_old_value_and_says_why() -> None:
    given(*OPEN, medication()).when(command("correctMedication", field="startedAt", newValue="2026-03")).then(
        MedicationCorrected(
            id=MEDICATION, field="startedAt", old_value="2026-03-10T02:00Z", new_value="2026-03", reason=a_sealed()
        )
    )


def test_free_text_is_corrected_by_new_text_that_is_sealed() -> None:
    asked = command("correctMedication", field="verbatim", newValue=None, newText=sealed("newText"))
    given(*OPEN, medication()).when(asked).then(
        MedicationCorrected(id=MEDICATION, field="verbatim", new_text=a_sealed("newText"), reason=a_sealed())
    )


def test_free_text_that_may_be_absent_can_be_taken_away_and_added() -> None:
    empty = command("correctProcedure", field="description", newValue=None)
    described = procedure(description=sealed("description"))
    given(*OPEN, described).when(empty).then(ProcedureCorrected(id=PROCEDURE, field="description", reason=a_sealed()))
    given(*OPEN, procedure()).when(empty).then_rejects(code="SHAPE", field="newText")
    added = command("correctProcedure", field="description", newValue=None, newText=sealed("newText"))
    given(*OPEN, procedure()).when(added).then_accepts(ProcedureCorrected)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"field": "verbatim", "newValue": "heparin"}, "newValue"),
        ({"field": "verbatim", "newValue": "heparin", "newText": sealed("newText")}, "newValue"),
        ({"field": "verbatim", "newValue": None}, "newText"),
        ({"field": "verbatim", "newValue": None, "newText": sealed("newText"), "oldValue": "heparin"}, "oldValue"),
        ({"field": "route", "newText": sealed("newText")}, "newText"),
        ({"field": "route", "newValue": None, "newText": sealed("newText")}, "newText"),
        ({"field": "medicationId"}, "field"),
        ({"field": "startedAt", "newValue": "March"}, "newValue"),
        ({"field": "startedAt", "newValue": "2026-13-01"}, "newValue"),
        ({"field": "startedAt", "newValue": None}, "newValue"),
        ({"field": "dose", "newValue": "0"}, "newValue"),
        ({"field": "atc", "newValue": "heparin"}, "newValue"),
        ({"field": "therapeuticAnticoagulant", "newValue": "perhaps"}, "newValue"),
        ({"field": "therapeuticAnticoagulant", "newValue": "false"}, "newValue"),
    ],
    ids=str,
)
def test_a_correction_states_exactly_one_of_new_value_and_new_text(changes: dict[str, Any], field: str) -> None:
    given(*OPEN, medication()).when(command("correctMedication", **changes)).then_rejects(code="SHAPE", field=field)


def test_a_second_correction_starts_from_the_first() -> None:
    first = MedicationCorrected(id=MEDICATION, field="endedAt", new_value="2026-03-15", reason=a_sealed())
    history = given(*OPEN, medication(), first)
    event = history.when(command("correctMedication", field="endedAt", newValue="UNKNOWN")).then_one(
        MedicationCorrected
    )
    assert event.payload()["oldValue"] == "2026-03-15"
    stale = command("correctMedication", field="endedAt", newValue="2026-03-16", oldValue="2026-03-14")
    history.when(stale).then_rejects(code="CONFLICT", field="oldValue")


def test_a_record_is_void_with_a_code_and_an_explanation() -> None:
    void = {"id": MEDICATION, "reason_code": VoidReason.DUPLICATE, "reason_text": a_sealed("reasonText")}
    given(*OPEN, medication()).when(command("voidMedication")).then(MedicationVoided(**void))
    given(*OPEN, procedure()).when(command("voidProcedure")).then_accepts(ProcedureVoided)


@pytest.mark.parametrize("what", ["Medication", "Procedure"])
@pytest.mark.parametrize("act", ["correct", "void"])
def test_only_a_known_record_that_is_not_void_is_corrected_or_void(act: str, what: str) -> None:
    given(*OPEN).when(command(f"{act}{what}")).then_rejects(field="id")
    void = {"reason_code": VoidReason.DUPLICATE, "reason_text": a_sealed("reasonText")}
    history = (
        medication(),
        procedure(),
        MedicationVoided(id=MEDICATION, **void),
        ProcedureVoided(id=PROCEDURE, **void),
    )
    sentence = given(*OPEN, *history).when(command(f"{act}{what}")).then_rejects(field="id")
    assert sentence == f"The {what.lower()} is void."
