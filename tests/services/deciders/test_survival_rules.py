"""Survival status, and the death and the transplant that come with it (`events.md` 3.5, VIS-01)."""

from typing import Any

import pytest

from builders.adverse_events import FATAL, ae_reported, ae_voided
from builders.commands import command
from builders.ids import AE, event_id
from builders.participant import consent, death_corrected, died, enrolled, survival, transplanted
from builders.times import at, day, iso, minute
from hepatrail_events.adverse_events import AEGradeChanged, AEResolved, AEUpgradedToSerious
from hepatrail_events.assessments import (
    AssessmentVoided,
    ParticipantDied,
    SurvivalSource,
    SurvivalStatusRecorded,
    TransplantDone,
    TransplantStatus,
    VitalStatus,
)
from hepatrail_events.types import PartialDate
from hepatrail_events.voiding import VoidReason
from hepatrail_services.deciders.subject import SubjectState
from specification import given

OPEN = (consent(), enrolled())
DEATH = {"deathAt": minute(hours=5), "awareAt": iso(hours=2)}
TRANSPLANT = {"transplantAt": minute(hours=5), "donor": "LIVING"}


def _void(streamseq: int) -> AssessmentVoided:
    reason = death_corrected().reason
    return AssessmentVoided(id=event_id(streamseq), reason_code=VoidReason.DUPLICATE, reason_text=reason)


def test_a_status_keeps_what_the_site_learnt() -> None:
    asked = command("recordSurvivalStatus", transplant="LISTED", visitCode="M3")
    given(*OPEN).when(asked).then(
        SurvivalStatusRecorded(
            at=at(hours=1),
            alive=VitalStatus.Y,
            transplant=TransplantStatus.LISTED,
            source=SurvivalSource.PHONE,
            visit_code="M3",
        )
    )


def test_a_status_may_be_unknown() -> None:
    given(*OPEN).when(command("recordSurvivalStatus", alive="UNKNOWN")).then_accepts(SurvivalStatusRecorded)


def test_vis_01_who_does_not_live_has_a_record_of_death() -> None:
    dead = command("recordSurvivalStatus", alive="N")
    given(*OPEN).when(dead).then_rejects("VIS-01", field="alive")
    given(*OPEN, died()).when(dead).then_accepts(SurvivalStatusRecorded)
    given(*OPEN, died(), death_corrected(revived=True)).when(dead).then_rejects("VIS-01", field="alive")


def test_vis_01_who_was_transplanted_has_a_record_of_the_transplant() -> None:
    done = command("recordSurvivalStatus", transplant="DONE")
    given(*OPEN).when(done).then_rejects("VIS-01", field="transplant")
    given(*OPEN, transplanted()).when(done).then_accepts(SurvivalStatusRecorded)
    given(*OPEN, transplanted(), _void(3)).when(done).then_rejects("VIS-01", field="transplant")


def test_vis_01_the_death_may_come_in_the_same_commit() -> None:
    state = (
        given(*OPEN)
        .when(command("recordSurvivalStatus", alive="N", death=DEATH))
        .then_accepts(ParticipantDied, SurvivalStatusRecorded)
    )
    assert isinstance(state, SubjectState)
    assert state.assessments.death is not None
    assert state.assessments.death.death_at == PartialDate.model_validate(minute(hours=5))


def test_vis_01_the_transplant_may_come_in_the_same_commit() -> None:
    outcome = given(*OPEN).when(command("recordSurvivalStatus", transplant="DONE", transplantation=TRANSPLANT))
    outcome.then_accepts(TransplantDone, SurvivalStatusRecorded)
    assert outcome.events[0].payload() == TRANSPLANT


def test_a_status_brings_death_and_transplant_at_once_and_the_fatal_events_with_them() -> None:
    fatal = {"primaryCauseAeId": str(AE), "fatalAes": [{"aeId": str(AE)}]}
    asked = command(
        "recordSurvivalStatus", alive="N", transplant="DONE", death=DEATH | fatal, transplantation=TRANSPLANT
    )
    given(*OPEN, ae_reported()).when(asked).then_accepts(
        ParticipantDied, AEGradeChanged, AEUpgradedToSerious, AEResolved, TransplantDone, SurvivalStatusRecorded
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"alive": "Y", "death": DEATH}, "death"),
        ({"alive": "UNKNOWN", "death": DEATH}, "death"),
        ({"transplant": "LISTED", "transplantation": TRANSPLANT}, "transplantation"),
    ],
)
def test_vis_01_a_status_does_not_contradict_what_comes_with_it(changes: dict[str, Any], field: str) -> None:
    given(*OPEN).when(command("recordSurvivalStatus", **changes)).then_rejects("VIS-01", field=field)


def test_vis_02_a_death_on_record_does_not_come_again_with_a_status() -> None:
    given(*OPEN, died()).when(command("recordSurvivalStatus", alive="N", death=DEATH)).then_rejects("VIS-02")


def test_vis_03_the_primary_cause_that_comes_with_a_status_is_a_fatal_event() -> None:
    asked = command("recordSurvivalStatus", alive="N", death=DEATH | {"primaryCauseAeId": str(AE)})
    given(*OPEN, ae_reported()).when(asked).then_rejects("VIS-03", field="death.primaryCauseAeId")
    given(*OPEN, ae_reported(**FATAL, endAt=minute(days=2)), ae_voided()).when(asked).then_rejects("VIS-03")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"at": iso(minutes=-6)}, "at"),
        ({"transplantAt": day("2026-03-21")}, "transplantAt"),
        ({"alive": "N", "death": DEATH | {"deathAt": minute(minutes=-6)}}, "death.deathAt"),
        ({"alive": "N", "death": DEATH | {"awareAt": iso(minutes=-6)}}, "death.awareAt"),
        (
            {"transplant": "DONE", "transplantation": {"transplantAt": day("2026-03-21")}},
            "transplantation.transplantAt",
        ),
    ],
)
def test_inv_06_nothing_that_a_status_tells_lies_in_the_future(changes: dict[str, Any], field: str) -> None:
    given(*OPEN).when(command("recordSurvivalStatus", **changes)).then_rejects("INV-06", field=field)


def test_vis_06_what_sources_tell_differently_is_kept() -> None:
    """A query asks about it."""
    given(*OPEN, died()).when(command("recordSurvivalStatus")).then_accepts(SurvivalStatusRecorded)
    differs = command("recordSurvivalStatus", transplant="DONE", transplantAt=day("2026-03-01"), visitCode="D99")
    given(*OPEN, transplanted()).when(differs).then_accepts(SurvivalStatusRecorded)


def test_vis_01_holds_after_a_correction_of_the_status() -> None:
    alive = given(*OPEN, survival())
    alive.when(command("correctAssessment", field="alive", newValue="N")).then_rejects("VIS-01", field="newValue")
    alive.when(command("correctAssessment", field="transplant", newValue="DONE")).then_rejects("VIS-01")
    dead = given(*OPEN, survival(), died(), transplanted())
    assert dead.when(command("correctAssessment", field="alive", newValue="N")).rejection is None
    assert dead.when(command("correctAssessment", field="transplant", newValue="DONE")).rejection is None


def test_vis_01_a_void_transplant_leaves_no_status_that_rests_on_it() -> None:
    history = (*OPEN, transplanted(), survival(transplant="DONE"))
    given(*history).when(command("voidAssessment")).then_rejects("VIS-01", field="id")
    given(*history, _void(4)).when(command("voidAssessment")).then_accepts(AssessmentVoided)
    given(*history, transplanted()).when(command("voidAssessment")).then_accepts(AssessmentVoided)


def test_vis_01_a_death_taken_back_leaves_no_status_that_rests_on_it() -> None:
    history = (*OPEN, died(), survival("N"))
    revived = command("correctDeathRecord", revived=True, autopsyDone=None)
    given(*history).when(revived).then_rejects("VIS-01", field="revived")
    assert given(*history, _void(4)).when(revived).rejection is None


def test_a_void_status_says_nothing_more() -> None:
    history = given(*OPEN, transplanted(), survival(transplant="DONE"))
    history.when(command("voidAssessment", id=str(event_id(4)))).then_accepts(AssessmentVoided)
