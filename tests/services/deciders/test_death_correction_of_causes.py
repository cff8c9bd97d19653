"""Correcting the record of a death: which adverse events become, stay or are not fatal (INV-02, INV-08, VIS-03)."""

from typing import Any

import pytest

from builders.adverse_events import ae_reported, ae_resolved, ae_upgraded
from builders.commands import command
from builders.ids import AE
from builders.participant import consent, died
from builders.times import iso, minute
from hepatrail_events.adverse_events import (
    AECorrected,
    AEGradeChanged,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    Criterion,
)
from hepatrail_events.assessments import DeathRecordCorrected
from hepatrail_events.types import PartialDate
from recorded_deaths import (
    CAUSE,
    DEAD,
    DEAD_OF_NOTHING_KNOWN,
    DEAD_OF_TWO,
    DEATH_AT,
    GOES_ON,
    IS_FATAL,
    OTHER,
    death_of,
    events_of,
)
from specification import By, given


def test_inv_02_an_event_becomes_fatal_after_the_death_by_its_correction() -> None:
    asked = command("correctDeathRecord", aes=[IS_FATAL], **CAUSE, awareAt=iso(hours=5))
    outcome = given(*DEAD_OF_NOTHING_KNOWN).when(asked)
    outcome.then_accepts(DeathRecordCorrected, AEGradeChanged, AEUpgradedToSerious, AEResolved)
    own = {"aeId": str(AE)}
    assert [event.payload() for event in outcome.events[1:]] == [
        {**own, "aeVersion": 2, "fromGrade": 2, "toGrade": 5, "gradeAt": DEATH_AT},
        {**own, "aeVersion": 3, "criteria": ["DEATH"], "seriousSince": DEATH_AT, "awareAt": iso(hours=5)},
        {**own, "aeVersion": 4, "outcome": "FATAL", "endAt": DEATH_AT},
    ]
    assert str(death_of(outcome.state).primary_cause_ae_id) == str(AE)


def test_a_serious_event_becomes_fatal_with_exactly_the_criteria_stated() -> None:
    history = given(consent(), ae_reported(), By(ae_upgraded("HOSPITALISATION", "DISABILITY")), died())
    listed = IS_FATAL | {"criteria": ["DEATH", "DISABILITY"]}
    outcome = history.when(command("correctDeathRecord", aes=[listed], **CAUSE))
    assert outcome.events[2].payload()["removed"] == ["HOSPITALISATION"]
    assert events_of(outcome.state)[str(AE)].investigator.criteria == {Criterion.DEATH, Criterion.DISABILITY}


def test_an_event_that_ended_otherwise_becomes_fatal_by_a_correction_of_its_end() -> None:
    history = given(consent(), ae_reported(), ae_resolved(endAt=minute(days=3)), died())
    outcome = history.when(command("correctDeathRecord", aes=[IS_FATAL], **CAUSE))
    outcome.then_accepts(DeathRecordCorrected, AEGradeChanged, AEUpgradedToSerious, AECorrected, AECorrected)
    event = events_of(outcome.state)[str(AE)]
    assert (event.fatal, event.end_at) == (True, PartialDate.model_validate(DEATH_AT))


def test_an_event_becomes_fatal_at_the_corrected_time_of_death() -> None:
    asked = command("correctDeathRecord", deathAt=minute(days=1), aes=[IS_FATAL], **CAUSE)
    outcome = given(*DEAD_OF_NOTHING_KNOWN).when(asked)
    outcome.then_accepts(DeathRecordCorrected, AEGradeChanged, AEUpgradedToSerious, AEResolved)
    assert events_of(outcome.state)[str(AE)].end_at == death_of(outcome.state).death_at


def test_inv_03_an_event_becomes_fatal_only_under_a_term_that_may_be() -> None:
    history = given(consent(), ae_reported(code="PALPITATIONS"), died())
    history.when(command("correctDeathRecord", aes=[IS_FATAL], **CAUSE)).then_rejects("INV-03", field="aes[0]")


@pytest.mark.parametrize(
    "listed",
    [IS_FATAL | {"grade": 4}, IS_FATAL | {"grade": None}, IS_FATAL | {"criteria": ["HOSPITALISATION"]}],
    ids=str,
)
def test_inv_02_an_event_becomes_fatal_whole(listed: dict[str, Any]) -> None:
    whole = {name: value for name, value in listed.items() if value is not None}
    given(*DEAD_OF_NOTHING_KNOWN).when(command("correctDeathRecord", aes=[whole], **CAUSE)).then_rejects(
        "INV-02", field="aes[0]"
    )


def test_inv_08_the_primary_cause_is_named_once_an_event_is_fatal() -> None:
    given(*DEAD_OF_NOTHING_KNOWN).when(command("correctDeathRecord", aes=[IS_FATAL])).then_rejects(
        "INV-08", field="primaryCauseAeId"
    )


def test_vis_03_the_primary_cause_stays_a_fatal_event() -> None:
    given(*DEAD).when(command("correctDeathRecord", primaryCauseAeId=OTHER)).then_rejects("VIS-03")
    given(*DEAD).when(command("correctDeathRecord", aes=[GOES_ON])).then_rejects("VIS-03", field="primaryCauseAeId")
    other = {"aes": [GOES_ON], "primaryCauseAeId": OTHER}
    outcome = given(*DEAD_OF_TWO).when(command("correctDeathRecord", **other))
    assert str(death_of(outcome.state).primary_cause_ae_id) == OTHER
    assert not events_of(outcome.state)[str(AE)].fatal


def test_an_event_that_is_and_stays_otherwise_is_no_matter_of_the_death() -> None:
    asked = command("correctDeathRecord", aes=[GOES_ON | {"criteria": []}])
    given(*DEAD_OF_NOTHING_KNOWN).when(asked).then_rejects(field="aes[0].aeId")


def test_a_fatal_event_may_get_other_criteria_and_stay_fatal() -> None:
    listed = IS_FATAL | {"criteria": ["DEATH", "LIFE_THREATENING"]}
    outcome = given(*DEAD).when(command("correctDeathRecord", aes=[listed]))
    outcome.then_accepts(DeathRecordCorrected, AESeriousnessCriteriaChanged)
