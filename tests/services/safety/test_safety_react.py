"""Which commit raises which alert, and what it says (`safety.md` 6.1 and 6.2)."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from builders.adverse_events import ae_reported
from builders.ids import AE, SESSION
from builders.measurements import lab_result
from builders.participant import died, session_started
from builders.study import hold_placed
from hepatrail_events.adverse_events import AEGradeChanged, AEReported, AEResolved, AEUpgradedToSerious
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import AlertContent, AlertType
from hepatrail_events.streams import STUDY
from hepatrail_events.study import HoldReleased
from hepatrail_events.types import PartialDate
from hepatrail_services.safety.react import unreadable
from safety_world import Ward, another, serious

ONSET = {"value": "2026-01-05T08:30Z", "precision": "MINUTE"}
FEVER = ae_reported(onset=ONSET, gradeAt=ONSET)
FATAL = {"grade": 5, "outcome": "FATAL", "code": "SEPSIS"}


def grade(to: int, version: int = 2, day: str = "2026-01-06") -> AEGradeChanged:
    when = {"value": day, "precision": "DAY"}
    return AEGradeChanged.model_validate(
        {"aeId": str(AE), "aeVersion": version, "fromGrade": 2, "toGrade": to, "gradeAt": when}
    )


def upgrade(*criteria: str, version: int = 2) -> AEUpgradedToSerious:
    return AEUpgradedToSerious.model_validate(
        {
            "aeId": str(AE),
            "aeVersion": version,
            "criteria": criteria,
            "seriousSince": ONSET,
            "awareAt": "2026-01-06T01:00:00.000Z",
        }
    )


def resolved(outcome: str, version: int = 2) -> AEResolved:
    end = {"value": "2026-01-07", "precision": "DAY"}
    return AEResolved.model_validate({"aeId": str(AE), "aeVersion": version, "outcome": outcome, "endAt": end})


def test_SAE_NEW_alerts_of_an_event_that_is_serious_in_its_first_commit() -> None:
    Ward().when(serious(FEVER, "HOSPITALISATION")).then_one("SAE_NEW", "P2", "AESI")


def test_SAE_NEW_of_a_life_threatening_event_is_urgent() -> None:
    alerts = Ward().when(serious(FEVER, "HOSPITALISATION", "LIFE_THREATENING", grade=4))
    alerts.then_one("SAE_NEW", "P1", "LIFE_THREATENING", "AESI")


def test_SAE_NEW_of_an_event_without_grade_does_not_wait() -> None:
    ungraded = {**FEVER.payload(), "criteria": ["DISABILITY"], "code": "OTHER"}
    del ungraded["grade"], ungraded["gradeAt"]
    alert = Ward().when(AEReported.model_validate(ungraded)).then_one("SAE_NEW", "P2")
    assert (alert.grade, alert.max_grade) == (None, None)


def test_an_event_that_is_not_serious_alerts_nobody() -> None:
    Ward().when(FEVER).then_none()
    Ward().when(serious(FEVER, code="OTHER", grade=4)).then_none()


def test_AESI_SEVERE_alerts_once_when_the_maximum_grade_first_reaches_the_limit() -> None:
    Ward().when(serious(FEVER, grade=3)).then_one("AESI_SEVERE", "P3", "AESI")
    ward = Ward().given(FEVER)
    alert = ward.when(grade(3)).then_one("AESI_SEVERE", "P3", "AESI")
    assert [(each.field, each.old, each.new) for each in alert.changes] == [("grade", "2", "3"), ("maxGrade", "2", "3")]
    ward.when(grade(4, version=3)).then_none()


def test_SAE_UPGRADED_alerts_of_an_event_that_becomes_serious_later() -> None:
    alert = Ward().given(FEVER).when(upgrade("HOSPITALISATION")).then_one("SAE_UPGRADED", "P2", "AESI")
    assert alert.ae_version == 2
    assert f"{alert.aware_at:%Y-%m-%dT%H}" == "2026-01-06T01"
    assert [(each.field, each.old, each.new) for each in alert.changes] == [("criteria", None, "HOSPITALISATION")]
    Ward().given(FEVER).when(upgrade("DEATH")).then_one("SAE_UPGRADED", "P1", "FATAL", "AESI")


def test_SAE_LIFE_THREATENING_and_SAE_CHANGED_by_what_the_other_assessor_adds() -> None:
    sae = serious(FEVER, "HOSPITALISATION")
    by_sponsor = Ward().given(sae).when(upgrade("LIFE_THREATENING"), role="SPONSOR")
    by_sponsor.then_one("SAE_LIFE_THREATENING", "P1", "LIFE_THREATENING", "AESI")
    Ward().given(sae).when(upgrade("DISABILITY"), role="SPONSOR").then_one("SAE_CHANGED", "P3", "AESI")
    Ward().given(sae).when(upgrade("HOSPITALISATION"), role="SPONSOR").then_none()


def test_SAE_CHANGED_alerts_of_a_higher_maximum_grade_and_of_sequelae() -> None:
    sae = serious(FEVER, "HOSPITALISATION")
    Ward().given(sae).when(grade(3)).then_one("SAE_CHANGED", "P3", "AESI")
    Ward().given(sae).when(resolved("RECOVERED_WITH_SEQUELAE")).then_one("SAE_CHANGED", "P3", "AESI")


@pytest.mark.parametrize("event", [grade(1), resolved("RECOVERED")], ids=["grade down", "recovered"])
def test_improvement_alerts_nobody(event: Event) -> None:
    Ward().given(serious(FEVER, "HOSPITALISATION")).when(event).then_none()


def test_SAE_CHANGED_by_a_back_dated_grade_shows_the_maximum_and_the_one_in_force() -> None:
    ward = Ward().given(serious(FEVER, "HOSPITALISATION"))
    alert = ward.when(grade(4, day="2026-01-04")).then_one("SAE_CHANGED", "P3", "AESI")
    assert (alert.grade, alert.max_grade) == (2, 4)


def test_one_commit_gives_one_alert_an_event_of_the_highest_row_and_priority() -> None:
    ward = Ward().given(serious(FEVER, "HOSPITALISATION"))
    by_sponsor = ward.when(grade(4), upgrade("LIFE_THREATENING", version=3), role="SPONSOR")
    alert = by_sponsor.then_one("SAE_LIFE_THREATENING", "P1", "SAE_CHANGED", "LIFE_THREATENING", "AESI")
    assert alert.ae_version == 3


def test_each_event_of_a_commit_has_its_own_alert() -> None:
    alerts = Ward().when(serious(FEVER, "DISABILITY"), another(serious(FEVER, "DISABILITY"), 7)).alerts
    assert [each.ae_id for each in alerts] == [AE, UUID(int=7)]


def test_PARTICIPANT_DIED_alerts_at_once() -> None:
    alert = Ward().when(died()).then_one("PARTICIPANT_DIED", "P1")
    assert [(each.field, each.new) for each in alert.changes] == [("deathAt", died().death_at.value)]
    assert alert.aware_at == died().aware_at


def test_PARTICIPANT_DIED_is_carried_by_the_alert_of_a_fatal_event() -> None:
    alert = Ward().when(serious(FEVER, "DEATH", **FATAL), died()).then_one("SAE_NEW", "P1", "FATAL", "AESI")
    assert [(each.field, each.new) for each in alert.changes] == [("deathAt", died().death_at.value)]


def test_PARTICIPANT_DIED_beside_another_serious_event_alerts_too() -> None:
    alerts = Ward().when(serious(FEVER, "HOSPITALISATION"), died()).alerts
    assert [each.type for each in alerts] == ["SAE_NEW", "PARTICIPANT_DIED"]


def test_other_facts_alert_nobody() -> None:
    ward = Ward().given(serious(FEVER, "DEATH", **FATAL))
    ward.when(lab_result(alt=900)).then_none()
    ward.when(session_started()).then_none()


@pytest.mark.parametrize(
    ("onset", "known"),
    [
        ({"value": "2026-01-05", "precision": "DAY"}, True),
        ({"value": "2026-01-04", "precision": "DAY"}, False),
        ({"value": "2026-01-05T01:59Z", "precision": "MINUTE"}, False),
        ({"precision": "UNKNOWN"}, False),
    ],
)
def test_the_session_is_the_latest_that_started_by_onset(onset: dict[str, str], known: bool) -> None:
    ward = Ward().given(session_started(startedAt="2026-01-05T02:00:00.000Z"))
    alert = ward.when(serious(FEVER, "DISABILITY", onset=onset)).alerts[0]
    assert alert.session_id == (SESSION if known else None)
    assert (alert.hours_from_session_start, alert.hours_from_session_end) == (None, None)


def test_SUBJECT_UNREADABLE_alerts_with_place_and_reason() -> None:
    ward = Ward()
    alert = unreadable(ward.view(), 3, "hepatrail.events/4@17", "NOT_JSON: " + "x" * 600, ward.log.now)
    assert (alert.type, alert.priority, alert.site_id) == ("SUBJECT_UNREADABLE", "P1", "BFH")
    assert alert.detail is not None and alert.detail.startswith("subject-S-001@3 (hepatrail.events/4@17): NOT_JSON: x")


def slipped(ward: Ward, **hold: Any) -> tuple[AlertContent, ...]:
    """A session whose decider had not seen a hold that was recorded just before."""
    ward.log.commit(STUDY, hold_placed(**hold), role="PRINCIPAL_INVESTIGATOR")
    ward.log._studyseq -= 1
    alerts = ward.when(session_started()).alerts
    assert ward.found_by_holds() == alerts
    ward.log._studyseq += 1
    return alerts


def test_SESSION_UNDER_HOLD_alerts_whoever_is_read_first() -> None:
    (alert,) = slipped(Ward())
    assert (alert.type, alert.priority, alert.session_id) == ("SESSION_UNDER_HOLD", "P1", SESSION)
    assert len(slipped(Ward(), subject_id="S-001")) == 1


def test_a_hold_of_others_or_of_enrolment_alerts_nobody() -> None:
    assert slipped(Ward(), subject_id="S-002") == ()
    assert slipped(Ward(), action="HOLD_ENROLMENT") == ()


def test_a_session_long_before_a_hold_or_after_its_release_alerts_nobody() -> None:
    ward = Ward().given(session_started())
    ward.log.tick(10)
    hold = hold_placed()
    ward.log.commit(STUDY, hold, role="PRINCIPAL_INVESTIGATOR")
    assert ward.found_by_holds() == ()
    ward.log.commit(STUDY, HoldReleased(hold_id=hold.hold_id, by="pi", reason="reviewed"))
    ward.log._studyseq = 1
    ward.when(session_started(sessionId=str(UUID(int=9)))).then_none()


def test_a_partial_date_of_death_is_shown_as_far_as_it_is_known() -> None:
    when = PartialDate.model_validate({"precision": "UNKNOWN"})
    alert = Ward().when(died().model_copy(update={"death_at": when})).then_one("PARTICIPANT_DIED", "P1")
    assert alert.changes[0].new == "UNKNOWN"


def test_every_type_of_the_table_has_a_test_of_its_name() -> None:
    names = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    # The rules have their own tests, by rule.
    assert [kind for kind in AlertType if f"def test_{kind}_" not in names] == [AlertType.STOPPING_RULE]
