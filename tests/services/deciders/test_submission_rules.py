"""The rules of reports to sponsor, ethics committee and authorities (`events.md` 3.8)."""

from uuid import UUID

import pytest

from builders.adverse_events import ae_reported, ae_voided
from builders.commands import command
from builders.ids import AE, SUBMISSION
from builders.participant import consent, enrolled
from builders.payloads import a_sealed
from builders.records import submission
from builders.times import at, iso
from hepatrail_events.ids import object_id
from hepatrail_events.submissions import (
    NarrativeLanguage,
    NarrativeWritten,
    Recipient,
    SponsorNotified,
    SubmissionCorrected,
    SubmissionKind,
    SubmissionRecorded,
    SubmissionVoided,
)
from hepatrail_events.voiding import VoidReason
from hepatrail_services.deciders.submissions import CORRECTABLE
from specification import given

REPORTED = (consent(), enrolled(), ae_reported())
VOID = (*REPORTED, submission(), ae_voided())
OTHER = UUID("00000000-0000-4000-8000-0000000000e2")
OTHER_AE = UUID("00000000-0000-4000-8000-0000000000af")


def test_a_submission_keeps_what_was_handed_in() -> None:
    asked = command("recordSubmission", to="NMPA", reference="2026-17")
    given(*REPORTED).when(asked).then(
        SubmissionRecorded(
            submission_id=object_id(asked.command_id, "submission"),
            ae_id=AE,
            to=Recipient.NMPA,
            kind=SubmissionKind.INITIAL,
            submitted_at=at(days=1),
            reference="2026-17",
        )
    )


def test_the_sponsor_records_when_it_first_knew() -> None:
    given(*REPORTED).when(command("recordSponsorNotification")).then(SponsorNotified(ae_id=AE, notified_at=at(days=2)))


def test_a_narrative_is_written_as_often_as_needed() -> None:
    written = NarrativeWritten(ae_id=AE, narrative=a_sealed("narrative"), language=NarrativeLanguage.ENGLISH)
    given(*REPORTED).when(command("writeNarrative")).then(written)
    given(*REPORTED, written).when(command("writeNarrative", language="zho")).then_accepts(NarrativeWritten)
    given(*REPORTED, written).when(command("writeNarrative")).then_accepts(NarrativeWritten)


@pytest.mark.parametrize("name", ["recordSubmission", "recordSponsorNotification", "writeNarrative"])
def test_sub_01_the_adverse_event_exists(name: str) -> None:
    given(consent(), enrolled()).when(command(name)).then_rejects("SUB-01", field="aeId")
    given(*REPORTED).when(command(name, aeId=str(OTHER_AE))).then_rejects("SUB-01", field="aeId")


@pytest.mark.parametrize("name", ["recordSubmission", "recordSponsorNotification", "writeNarrative"])
def test_sub_01_a_void_adverse_event_takes_nothing_more(name: str) -> None:
    given(*VOID).when(command(name)).then_rejects("SUB-01", field="aeId")


def test_sub_01_a_void_adverse_event_still_takes_a_nullification() -> None:
    given(*VOID).when(command("recordSubmission", kind="NULLIFICATION")).then_accepts(SubmissionRecorded)


def test_sub_02_a_follow_up_comes_after_an_initial_report_to_the_same_recipient() -> None:
    follow_up = command("recordSubmission", kind="FOLLOW_UP")
    given(*REPORTED).when(follow_up).then_rejects("SUB-02", field="kind")
    given(*REPORTED, submission(to="NMPA")).when(follow_up).then_rejects("SUB-02", field="kind")
    given(*REPORTED, submission()).when(follow_up).then_accepts(SubmissionRecorded)
    early = command("recordSubmission", kind="FOLLOW_UP", submittedAt=iso(days=3))
    given(*REPORTED, submission()).when(early).then_rejects("SUB-02", field="kind")


def test_sub_02_the_initial_report_is_one_of_the_same_adverse_event() -> None:
    other = submission(aeId=str(OTHER_AE))
    history = given(*REPORTED, ae_reported(aeId=str(OTHER_AE)), other)
    history.when(command("recordSubmission", kind="FOLLOW_UP")).then_rejects("SUB-02")


def test_sub_02_only_a_void_adverse_event_is_nullified_and_only_where_it_was_reported() -> None:
    nullification = command("recordSubmission", kind="NULLIFICATION")
    given(*REPORTED, submission()).when(nullification).then_rejects("SUB-02", field="kind")
    given(*REPORTED, ae_voided()).when(nullification).then_rejects("SUB-02", field="kind")
    to_another = command("recordSubmission", kind="NULLIFICATION", to="NMPA")
    given(*VOID).when(to_another).then_rejects("SUB-02", field="kind")


def test_sub_02_holds_after_a_correction_or_a_void_of_the_initial_report() -> None:
    follow_up = submission("FOLLOW_UP", submissionId=str(OTHER), submittedAt=iso(days=1))
    history = given(*REPORTED, submission(), follow_up)
    for field, value in {"to": "NMPA", "kind": "FOLLOW_UP", "submittedAt": iso(hours=5)}.items():
        asked = command("correctSubmission", field=field, newValue=value)
        history.when(asked).then_rejects("SUB-02", field="newValue")
    history.when(command("voidSubmission")).then_rejects("SUB-02", field="id")
    history.when(command("voidSubmission", id=str(OTHER))).then_accepts(SubmissionVoided)
    nullification = command("correctSubmission", id=str(OTHER), field="kind", newValue="NULLIFICATION")
    history.when(nullification).then_rejects("SUB-02", field="newValue")
    given(*VOID, follow_up).when(nullification).then_accepts(SubmissionCorrected)


def test_sub_03_the_sponsor_may_have_known_before_the_site() -> None:
    """A query asks about it."""
    given(*REPORTED).when(command("recordSponsorNotification", notifiedAt=iso(days=9))).then_accepts(SponsorNotified)


@pytest.mark.parametrize(
    ("name", "field"), [("recordSubmission", "submittedAt"), ("recordSponsorNotification", "notifiedAt")]
)
def test_inv_06_nothing_was_submitted_or_told_in_the_future(name: str, field: str) -> None:
    given(*REPORTED).when(command(name, **{field: iso(minutes=-6)})).then_rejects("INV-06", field=field)


def test_inv_06_nor_after_a_correction() -> None:
    asked = command("correctSubmission", field="submittedAt", newValue=iso(minutes=-6))
    given(*REPORTED, submission()).when(asked).then_rejects("INV-06", field="newValue")


def test_every_listed_field_of_a_submission_can_be_corrected() -> None:
    values = {"to": "NMPA", "submittedAt": iso(days=4), "reference": "EC-77"}
    assert values.keys() | {"kind"} == CORRECTABLE.keys()
    history = given(*REPORTED, submission())
    for field, value in values.items():
        event = history.when(command("correctSubmission", field=field, newValue=value)).then_one(SubmissionCorrected)
        assert event.payload()["newValue"] == value, field


def test_dat_03_a_void_says_why() -> None:
    given(*REPORTED, submission()).when(command("voidSubmission")).then(
        SubmissionVoided(id=SUBMISSION, reason_code=VoidReason.DUPLICATE, reason_text=a_sealed("reasonText"))
    )


@pytest.mark.parametrize("name", ["correctSubmission", "voidSubmission"])
def test_only_a_known_submission_that_is_not_void_is_corrected_or_void(name: str) -> None:
    void = SubmissionVoided(id=SUBMISSION, reason_code=VoidReason.DUPLICATE, reason_text=a_sealed())
    given(*REPORTED).when(command(name)).then_rejects(field="id")
    given(*REPORTED, submission(), void).when(command(name)).then_rejects(field="id")


def test_a_void_initial_report_is_none() -> None:
    void = SubmissionVoided(id=SUBMISSION, reason_code=VoidReason.DUPLICATE, reason_text=a_sealed())
    given(*REPORTED, submission(), void).when(command("recordSubmission", kind="FOLLOW_UP")).then_rejects("SUB-02")
