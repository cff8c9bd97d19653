"""The rules of assessments, transplant, death, withdrawal and contact (`events.md` 3.5)."""

from typing import Any

import pytest

from builders.commands import command
from builders.ids import event_id
from builders.participant import (
    ae_assessment,
    consent,
    contact_regained,
    death_corrected,
    died,
    enrolled,
    lost_to_follow_up,
    session_started,
    survival,
    transplanted,
    withdrew,
)
from builders.payloads import a_sealed, sealed
from builders.times import at, day, iso, minute
from hepatrail_events.assessments import (
    AEAssessmentDone,
    AssessmentCorrected,
    AssessmentVoided,
    ContactRegained,
    Donor,
    LostToFollowUp,
    ParticipantDied,
    ParticipantWithdrew,
    TransplantDone,
    WithdrawalScope,
    YesNo,
)
from hepatrail_events.event import Event
from hepatrail_events.sessions import SessionStarted
from hepatrail_events.types import PartialDate
from hepatrail_events.voiding import VoidReason
from hepatrail_services.deciders.assessments import CORRECTABLE
from specification import given

OPEN = (consent(), enrolled())


def test_a_withdrawal_says_from_what() -> None:
    asked = command("withdrawSubject", scope="FOLLOW_UP", vitalStatusAllowed=True, reason=sealed())
    given(*OPEN).when(asked).then(
        ParticipantWithdrew(
            withdrawn_at=at(hours=1), scope=WithdrawalScope.FOLLOW_UP, vital_status_allowed=True, reason=a_sealed()
        )
    )


@pytest.mark.parametrize(
    ("before", "scope", "allowed"),
    [
        ("TREATMENT_ONLY", "FOLLOW_UP", True),
        ("TREATMENT_ONLY", "ALL_DATA_USE", True),
        ("FOLLOW_UP", "ALL_DATA_USE", True),
        ("FOLLOW_UP", "TREATMENT_ONLY", False),
        ("ALL_DATA_USE", "FOLLOW_UP", False),
        ("ALL_DATA_USE", "ALL_DATA_USE", False),
    ],
)
def test_vis_04_a_withdrawal_may_only_widen(before: str, scope: str, allowed: bool) -> None:
    outcome = given(*OPEN, withdrew(before)).when(command("withdrawSubject", scope=scope))
    if allowed:
        outcome.then_accepts(ParticipantWithdrew)
    else:
        outcome.then_rejects("VIS-04", field="scope")


def test_vis_04_to_end_the_permission_to_ask_for_the_vital_status_is_to_widen() -> None:
    permitted = withdrew("FOLLOW_UP", vitalStatusAllowed=True)
    given(*OPEN, permitted).when(command("withdrawSubject")).then_accepts(ParticipantWithdrew)
    given(*OPEN, withdrew("FOLLOW_UP")).when(command("withdrawSubject", vitalStatusAllowed=True)).then_rejects("VIS-04")


@pytest.mark.parametrize("scope", ["TREATMENT_ONLY", "ALL_DATA_USE"])
def test_vis_04_the_vital_status_may_be_asked_for_only_after_withdrawal_from_follow_up(scope: str) -> None:
    asked = command("withdrawSubject", scope=scope, vitalStatusAllowed=True)
    given(*OPEN).when(asked).then_rejects("VIS-04", field="vitalStatusAllowed")


def test_inv_06_a_withdrawal_does_not_lie_in_the_future() -> None:
    given(*OPEN).when(command("withdrawSubject", withdrawnAt=iso(minutes=-6))).then_rejects("INV-06")


def _void(streamseq: int) -> AssessmentVoided:
    return AssessmentVoided(
        id=event_id(streamseq), reason_code=VoidReason.DUPLICATE, reason_text=a_sealed("reasonText")
    )


def test_that_there_is_no_new_adverse_event_is_stated() -> None:
    given(*OPEN).when(command("recordAeAssessment", visitCode="D7")).then(
        AEAssessmentDone(at=at(hours=1), any_new=YesNo.N, visit_code="D7")
    )


def test_vis_06_a_new_adverse_event_may_be_stated_before_it_is_reported() -> None:
    """A query asks for the report, and about a visit code that cannot be."""
    given(*OPEN).when(command("recordAeAssessment", anyNew="Y", visitCode="D99")).then_accepts(AEAssessmentDone)


def test_a_transplant_keeps_its_donor_and_its_time_as_far_as_known() -> None:
    given(*OPEN).when(command("recordTransplant", transplantAt=day("2026-03-19"), donor="DECEASED")).then(
        TransplantDone(transplant_at=PartialDate.model_validate(day("2026-03-19")), donor=Donor.DECEASED)
    )


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("recordAeAssessment", {"at": iso(minutes=-6)}, "at"),
        ("recordTransplant", {"transplantAt": day("2026-03-21")}, "transplantAt"),
        ("recordLossToFollowUp", {"lastContactAt": iso(minutes=-6)}, "lastContactAt"),
        ("recordContactRegained", {"at": iso(minutes=-6)}, "at"),
    ],
)
def test_inv_06_no_time_of_an_assessment_lies_in_the_future(name: str, changes: dict[str, Any], field: str) -> None:
    given(*OPEN, lost_to_follow_up()).when(command(name, **changes)).then_rejects("INV-06", field=field)


def test_vis_05_contact_is_regained_only_after_a_loss_to_follow_up() -> None:
    asked = command("recordContactRegained")
    given(*OPEN).when(asked).then_rejects("VIS-05", field="at")
    given(*OPEN, lost_to_follow_up()).when(asked).then(ContactRegained(at=at(hours=1)))
    given(*OPEN, lost_to_follow_up(), contact_regained()).when(asked).then_rejects("VIS-05", field="at")
    given(*OPEN, lost_to_follow_up(), _void(3)).when(asked).then_rejects("VIS-05", field="at")
    given(*OPEN, lost_to_follow_up(hours=1)).when(asked).then_rejects("VIS-05", field="at")


def test_vis_05_nobody_is_lost_twice_without_contact_in_between() -> None:
    asked = command("recordLossToFollowUp")
    given(*OPEN).when(asked).then(LostToFollowUp(last_contact_at=at(hours=3)))
    given(*OPEN, lost_to_follow_up()).when(asked).then_rejects("VIS-05", field="lastContactAt")
    given(*OPEN, lost_to_follow_up(), contact_regained()).when(asked).then_accepts(LostToFollowUp)
    given(*OPEN, lost_to_follow_up(), contact_regained(hours=2)).when(asked).then_rejects(
        "VIS-05", field="lastContactAt"
    )


def test_vis_05_holds_after_a_correction_or_a_void() -> None:
    history = given(*OPEN, lost_to_follow_up(), contact_regained())
    history.when(command("voidAssessment")).then_rejects("VIS-05", field="id")
    history.when(command("voidAssessment", id=str(event_id(4)))).then_accepts(AssessmentVoided)
    later = command("correctAssessment", field="lastContactAt", newValue=iso(hours=5))
    history.when(later).then_rejects("VIS-05", field="newValue")
    lost_again = given(*OPEN, lost_to_follow_up(), contact_regained(), lost_to_follow_up(hours=3))
    lost_again.when(command("voidAssessment", id=str(event_id(4)))).then_rejects("VIS-05", field="id")


def test_every_listed_field_of_an_assessment_can_be_corrected() -> None:
    values: dict[Event, dict[str, str]] = {
        ae_assessment(): {"at": iso(hours=2), "anyNew": "Y", "visitCode": "D7"},
        survival(): {
            "at": iso(hours=2), "alive": "UNKNOWN", "transplant": "LISTED", "transplantAt": "2026-03",
            "source": "FAMILY", "visitCode": "M3",
        },
        transplanted(): {"transplantAt": "2026-03-01", "donor": "LIVING"},
        withdrew("FOLLOW_UP"): {
            "withdrawnAt": iso(days=4), "scope": "ALL_DATA_USE", "vitalStatusAllowed": "true", "reason": "",
        },
        lost_to_follow_up(): {"lastContactAt": iso(days=8)},
        contact_regained(): {"at": iso(days=2)},
    }  # fmt: skip
    assert {type(fact): fields.keys() for fact, fields in values.items()} == {
        kind: fields.keys() for kind, fields in CORRECTABLE.items()
    }
    for fact, fields in values.items():
        before = (lost_to_follow_up(),) if isinstance(fact, ContactRegained) else (ae_assessment(),)
        for field, value in fields.items():
            new = {"newValue": value} if value else {"newValue": None, "newText": sealed("newText")}
            asked = command("correctAssessment", id=str(event_id(4)), field=field, **new)
            event = given(*OPEN, *before, fact).when(asked).then_one(AssessmentCorrected)
            assert event.payload().get("newValue", "") == value, field


def test_dat_03_a_correction_of_an_assessment_keeps_the_old_value_and_says_why() -> None:
    given(*OPEN, ae_assessment()).when(command("correctAssessment", field="anyNew", newValue="Y")).then(
        AssessmentCorrected(id=event_id(3), field="anyNew", old_value="N", new_value="Y", reason=a_sealed())
    )


@pytest.mark.parametrize(
    ("fact", "changes", "field"),
    [
        (ae_assessment(), {"field": "alive"}, "field"),
        (ae_assessment(), {"field": "anyNew", "newValue": "PERHAPS"}, "newValue"),
        (ae_assessment(), {"field": "at", "newValue": iso(hours=1)}, "newValue"),
        (withdrew(), {"field": "reason", "newValue": "moved"}, "newValue"),
        (transplanted(), {"field": "donor", "newText": sealed("newText")}, "newText"),
    ],
)
def test_a_correction_that_cannot_be_read_or_changes_nothing_is_refused_here_too(
    fact: Event, changes: dict[str, Any], field: str
) -> None:
    given(*OPEN, fact).when(command("correctAssessment", **changes)).then_rejects(code="SHAPE", field=field)


def test_inv_06_an_assessment_is_not_corrected_into_the_future() -> None:
    asked = command("correctAssessment", newValue=iso(minutes=-6))
    given(*OPEN, ae_assessment()).when(asked).then_rejects("INV-06", field="newValue")
    of_transplant = command("correctAssessment", field="transplantAt", newValue="2026-03-21")
    given(*OPEN, transplanted()).when(of_transplant).then_rejects("INV-06", field="newValue")


def test_vis_04_holds_after_a_correction() -> None:
    history = given(*OPEN, withdrew("TREATMENT_ONLY"), withdrew("FOLLOW_UP"))
    for number, scope in ((3, "FOLLOW_UP"), (3, "ALL_DATA_USE"), (4, "TREATMENT_ONLY")):
        asked = command("correctAssessment", id=str(event_id(number)), field="scope", newValue=scope)
        history.when(asked).then_rejects("VIS-04", field="newValue")
    wider = command("correctAssessment", id=str(event_id(4)), field="scope", newValue="ALL_DATA_USE")
    history.when(wider).then_accepts(AssessmentCorrected)
    allowed = command("correctAssessment", field="vitalStatusAllowed", newValue="true")
    history.when(allowed).then_rejects("VIS-04", field="newValue")
    narrower = command("correctAssessment", field="scope", newValue="TREATMENT_ONLY")
    given(*OPEN, withdrew("FOLLOW_UP")).when(narrower).then_accepts(AssessmentCorrected)


def test_a_void_withdrawal_no_longer_stops() -> None:
    withdrawn = (*OPEN, withdrew("ALL_DATA_USE"))
    given(*withdrawn).when(command("startSession")).then_rejects("SES-02")
    given(*withdrawn, _void(3)).when(command("startSession")).then_accepts(SessionStarted)
    given(*withdrawn, _void(3)).when(command("withdrawSubject")).then_accepts(ParticipantWithdrew)


def test_an_assessment_is_void_with_a_code_and_an_explanation() -> None:
    given(*OPEN, ae_assessment()).when(command("voidAssessment")).then(_void(3))


@pytest.mark.parametrize("name", ["correctAssessment", "voidAssessment"])
def test_only_a_known_assessment_that_is_not_void_is_corrected_or_void(name: str) -> None:
    given(*OPEN).when(command(name)).then_rejects(field="id")
    given(*OPEN, ae_assessment(), _void(3)).when(command(name)).then_rejects(field="id")
    given(*OPEN, session_started()).when(command(name)).then_rejects(field="id")


@pytest.mark.parametrize("name", ["correctAssessment", "voidAssessment"])
def test_vis_02_a_death_is_no_assessment(name: str) -> None:
    given(*OPEN, died()).when(command(name)).then_rejects("VIS-02", field="id")
    corrected = death_corrected(autopsyDone=True)
    given(*OPEN, died(), corrected).when(command(name, id=str(event_id(4)))).then_rejects("VIS-02", field="id")


def test_vis_02_a_death_taken_back_may_be_recorded_anew() -> None:
    history = given(*OPEN, died(), death_corrected(revived=True))
    history.when(command("recordDeath")).then_accepts(ParticipantDied)
    history.when(command("startSession")).then_accepts(SessionStarted)


def test_the_death_counts_as_it_was_corrected() -> None:
    earlier = given(*OPEN, died(), death_corrected(deathAt=minute(days=9)))
    earlier.when(command("startSession", startedAt=iso(days=5))).then_rejects("SES-02")
    given(*OPEN, died()).when(command("startSession", startedAt=iso(days=5))).then_accepts(SessionStarted)
