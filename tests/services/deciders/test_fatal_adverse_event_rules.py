"""The first report of a fatal adverse event with the death, and of any beside a death (`safety.md` 4)."""

from typing import Any

import pytest

from builders.adverse_events import FATAL, ae_reported
from builders.commands import command
from builders.ids import AE
from builders.participant import died
from builders.payloads import a_sealed
from builders.times import day, iso, minute
from first_reports import OPEN, OTHER_AE, only_event
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.assessments import DeathRecordCorrected, ParticipantDied
from hepatrail_events.ids import object_id
from hepatrail_events.roles import Role
from hepatrail_services.deciders.subject import SubjectState
from specification import given

DEATH = {"deathAt": minute(days=2), "primaryCause": True}
ENDED_WITH_DEATH = ae_reported(**FATAL, endAt=minute(days=2))
DEAD_OF_IT = died(primaryCauseAeId=str(AE))


@pytest.mark.parametrize(
    "partly",
    [
        {"grade": 5},
        {"outcome": "FATAL"},
        {"criteria": ["DEATH"]},
        {"grade": 5, "outcome": "FATAL"},
        {"grade": 5, "criteria": ["DEATH"]},
        {"outcome": "FATAL", "criteria": ["DEATH"]},
    ],
    ids=str,
)
def test_inv_02_grade_5_fatal_and_death_stand_together(partly: dict[str, Any]) -> None:
    given(*OPEN, died()).when(command("reportAdverseEvent", **partly)).then_rejects("INV-02")


def test_inv_02_a_fatal_event_needs_the_death() -> None:
    given(*OPEN).when(command("reportAdverseEvent", **FATAL)).then_rejects("INV-02")


def test_inv_02_a_fatal_event_and_the_death_are_one_commit() -> None:
    asked = command("reportAdverseEvent", **FATAL, death=DEATH | {"autopsyDone": False})
    state = given(*OPEN).when(asked).then_accepts(AEReported, ParticipantDied)
    assert isinstance(state, SubjectState)
    death = state.assessments.death
    assert death is not None
    assert death.payload() == {
        "deathAt": minute(days=2),
        "awareAt": iso(days=4),
        "primaryCauseAeId": str(object_id(asked.command_id, "ae")),
        "autopsyDone": False,
    }
    assert only_event(state).end_at == death.death_at, "a fatal event ends with the death"


def test_inv_02_only_a_fatal_event_comes_with_a_death() -> None:
    given(*OPEN).when(command("reportAdverseEvent", death=DEATH)).then_rejects("INV-02", field="death")


def test_inv_06_the_death_that_comes_with_an_event_does_not_lie_in_the_future() -> None:
    later = {"deathAt": day("2026-03-21"), "primaryCause": True}
    given(*OPEN).when(command("reportAdverseEvent", **FATAL, death=later)).then_rejects("INV-06", field="death.deathAt")


def test_inv_08_a_death_with_a_fatal_event_has_a_primary_cause() -> None:
    second = {"deathAt": minute(days=2), "primaryCause": False}
    given(*OPEN).when(command("reportAdverseEvent", **FATAL, death=second)).then_rejects("INV-08")
    given(*OPEN, died()).when(command("reportAdverseEvent", **FATAL, death=second)).then_rejects("INV-08")
    given(*OPEN, died()).when(command("reportAdverseEvent", **FATAL)).then_rejects("INV-08")


def test_inv_08_a_further_fatal_event_shares_the_death_on_record() -> None:
    history = given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT)
    second = {"deathAt": minute(days=2), "primaryCause": False}
    history.when(command("reportAdverseEvent", **FATAL, death=second)).then_accepts(AEReported)
    history.when(command("reportAdverseEvent", **FATAL)).then_accepts(AEReported)
    other = {"deathAt": minute(days=1), "primaryCause": False}
    history.when(command("reportAdverseEvent", **FATAL, death=other)).then_rejects("INV-08", field="death.deathAt")


def test_inv_08_a_further_fatal_event_may_become_the_primary_cause_of_the_death_on_record() -> None:
    history = given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT)
    asked = command("reportAdverseEvent", **FATAL, death=DEATH | {"autopsyDone": True})
    outcome = history.when(asked, by=Role.INVESTIGATOR)
    state = outcome.then_accepts(AEReported, DeathRecordCorrected)
    assert outcome.events[1] == DeathRecordCorrected(
        revived=False,
        primary_cause_ae_id=object_id(asked.command_id, "ae"),
        autopsy_done=True,
        reason=a_sealed("verbatim"),
    )
    assert isinstance(state, SubjectState)
    assert state.assessments.death is not None
    assert state.assessments.death.primary_cause_ae_id == object_id(asked.command_id, "ae")


def test_a_coordinator_names_the_first_primary_cause_and_replaces_none() -> None:
    asked = command("reportAdverseEvent", **FATAL, death=DEATH)
    given(*OPEN, died()).when(asked, by=Role.COORDINATOR).then_accepts(AEReported, DeathRecordCorrected)
    given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT).when(asked, by=Role.COORDINATOR).then_rejects(
        code="FORBIDDEN", field="death.primaryCause"
    )


def test_vis_02_an_autopsy_is_added_to_the_death_on_record_by_its_correction() -> None:
    stated = {"deathAt": minute(days=2), "primaryCause": False, "autopsyDone": True}
    history = given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT)
    history.when(command("reportAdverseEvent", **FATAL, death=stated)).then_rejects("VIS-02", field="death.autopsyDone")


def test_inv_07_a_fatal_event_ends_with_the_death() -> None:
    asked = command("reportAdverseEvent", **FATAL, endAt=minute(days=1), death=DEATH)
    given(*OPEN).when(asked).then_rejects("INV-07", field="endAt")


def test_inv_09_no_event_begins_after_the_death() -> None:
    later = {"onset": minute(days=1), "gradeAt": minute(days=1), "awareAt": iso(hours=20)}
    given(*OPEN, died()).when(command("reportAdverseEvent", **later)).then_rejects("INV-09", field="onset")
    given(*OPEN, died()).when(command("reportAdverseEvent")).then_accepts(AEReported)


def test_inv_09_a_death_does_not_come_before_the_onset_of_another_event() -> None:
    history = given(*OPEN, ae_reported(aeId=OTHER_AE, onset=minute(days=1), gradeAt=minute(days=1)))
    history.when(command("reportAdverseEvent", **FATAL, death=DEATH)).then_rejects("INV-09", field="death.deathAt")
