"""Which commit raises which alert, and what it says (`safety.md` 6.1 and 6.2)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from builders import AE, SESSION, ae_reported, died, hold_placed, lab_result, session_ended, session_started
from hepatrail_events.adverse_events import AEGradeChanged, AEReported, AEResolved, AEUpgradedToSerious
from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.event import Event
from hepatrail_events.ids import STUDY_NAMESPACE, derived_id
from hepatrail_events.safety_desk import AlertContent
from hepatrail_events.streams import STUDY
from hepatrail_events.study import HoldReleased
from hepatrail_events.types import PartialDate
from hepatrail_projections.study_view import EMPTY_STUDY
from hepatrail_services.safety.identity import raise_command
from hepatrail_services.safety.react import react, unreadable
from safety_world import Ward, another, recorded, serious

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


def test_a_new_serious_event_alerts() -> None:
    Ward().when(serious(FEVER, "HOSPITALISATION")).then_one("SAE_NEW", "P2", "AESI")


def test_a_new_life_threatening_event_is_urgent() -> None:
    alerts = Ward().when(serious(FEVER, "HOSPITALISATION", "LIFE_THREATENING", grade=4))
    alerts.then_one("SAE_NEW", "P1", "LIFE_THREATENING", "AESI")


def test_an_event_without_grade_alerts_without_delay() -> None:
    ungraded = {**FEVER.payload(), "criteria": ["DISABILITY"], "code": "OTHER"}
    del ungraded["grade"], ungraded["gradeAt"]
    alert = Ward().when(AEReported.model_validate(ungraded)).then_one("SAE_NEW", "P2")
    assert (alert.grade, alert.max_grade) == (None, None)


def test_an_event_that_is_not_serious_alerts_nobody() -> None:
    Ward().when(FEVER).then_none()
    Ward().when(serious(FEVER, code="OTHER", grade=4)).then_none()


def test_a_severe_event_of_special_interest_alerts_once() -> None:
    Ward().when(serious(FEVER, grade=3)).then_one("AESI_SEVERE", "P3", "AESI")
    ward = Ward().given(FEVER)
    alert = ward.when(grade(3)).then_one("AESI_SEVERE", "P3", "AESI")
    assert [(each.field, each.old, each.new) for each in alert.changes] == [("grade", "2", "3"), ("maxGrade", "2", "3")]
    ward.when(grade(4, version=3)).then_none()


def test_an_event_that_becomes_serious_later_alerts() -> None:
    alert = Ward().given(FEVER).when(upgrade("HOSPITALISATION")).then_one("SAE_UPGRADED", "P2", "AESI")
    assert alert.ae_version == 2
    assert f"{alert.aware_at:%Y-%m-%dT%H}" == "2026-01-06T01"
    assert [(each.field, each.old, each.new) for each in alert.changes] == [("criteria", None, "HOSPITALISATION")]
    Ward().given(FEVER).when(upgrade("DEATH")).then_one("SAE_UPGRADED", "P1", "FATAL", "AESI")


def test_a_criterion_of_the_other_assessor_alerts_by_what_it_adds() -> None:
    sae = serious(FEVER, "HOSPITALISATION")
    by_sponsor = Ward().given(sae).when(upgrade("LIFE_THREATENING"), role="SPONSOR")
    by_sponsor.then_one("SAE_LIFE_THREATENING", "P1", "LIFE_THREATENING", "AESI")
    Ward().given(sae).when(upgrade("DISABILITY"), role="SPONSOR").then_one("SAE_CHANGED", "P3", "AESI")
    Ward().given(sae).when(upgrade("HOSPITALISATION"), role="SPONSOR").then_none()


def test_a_serious_event_that_worsens_or_leaves_sequelae_alerts() -> None:
    sae = serious(FEVER, "HOSPITALISATION")
    Ward().given(sae).when(grade(3)).then_one("SAE_CHANGED", "P3", "AESI")
    Ward().given(sae).when(resolved("RECOVERED_WITH_SEQUELAE")).then_one("SAE_CHANGED", "P3", "AESI")


@pytest.mark.parametrize("event", [grade(1), resolved("RECOVERED")], ids=["grade down", "recovered"])
def test_improvement_alerts_nobody(event: Event) -> None:
    Ward().given(serious(FEVER, "HOSPITALISATION")).when(event).then_none()


def test_a_back_dated_grade_alerts_by_the_maximum_and_shows_the_one_in_force() -> None:
    ward = Ward().given(serious(FEVER, "HOSPITALISATION"))
    alert = ward.when(grade(4, day="2026-01-04")).then_one("SAE_CHANGED", "P3", "AESI")
    assert (alert.grade, alert.max_grade) == (2, 4)


def test_several_transitions_of_one_commit_make_one_alert_of_the_highest() -> None:
    ward = Ward().given(serious(FEVER, "HOSPITALISATION"))
    by_sponsor = ward.when(grade(4), upgrade("LIFE_THREATENING", version=3), role="SPONSOR")
    alert = by_sponsor.then_one("SAE_LIFE_THREATENING", "P1", "SAE_CHANGED", "LIFE_THREATENING", "AESI")
    assert alert.ae_version == 3


def test_each_event_of_a_commit_has_its_own_alert() -> None:
    alerts = Ward().when(serious(FEVER, "DISABILITY"), another(serious(FEVER, "DISABILITY"), 7)).alerts
    assert [each.ae_id for each in alerts] == [AE, UUID(int=7)]


def test_a_death_alerts_at_once() -> None:
    alert = Ward().when(died()).then_one("PARTICIPANT_DIED", "P1")
    assert [(each.field, each.new) for each in alert.changes] == [("deathAt", died().death_at.value)]
    assert alert.aware_at == died().aware_at


def test_the_alert_of_a_fatal_event_carries_the_death() -> None:
    alert = Ward().when(serious(FEVER, "DEATH", **FATAL), died()).then_one("SAE_NEW", "P1", "FATAL", "AESI")
    assert [(each.field, each.new) for each in alert.changes] == [("deathAt", died().death_at.value)]


def test_a_death_beside_another_serious_event_alerts_too() -> None:
    alerts = Ward().when(serious(FEVER, "HOSPITALISATION"), died()).alerts
    assert [each.type for each in alerts] == ["SAE_NEW", "PARTICIPANT_DIED"]


def test_other_facts_alert_nobody() -> None:
    ward = Ward().given(serious(FEVER, "DEATH", **FATAL))
    ward.when(lab_result(alt=900)).then_none()
    ward.when(session_started()).then_none()


def test_an_alert_says_what_the_officer_needs() -> None:
    ward = Ward()
    ward.given(session_started(startedAt="2026-01-05T02:00:20.000Z"))
    ward.given(session_ended().model_copy(update={"ended_at": FEVER.onset.instant + timedelta(hours=1)}))  # type: ignore[operator]
    causality = [{"target": "DEVICE", "value": "POSSIBLE"}]
    outcome = ward.when(serious(FEVER, "DISABILITY", causality=causality), actor="dr-wang")
    alert = outcome.then_one("SAE_NEW", "P2", "AESI")
    envelope = outcome.commit[-1].envelope
    assert (alert.reporter_id, alert.raised_at, alert.subject_id, alert.site_id) == (
        "dr-wang",
        envelope.recordedat,
        "S-001",
        "BFH",
    )
    assert (alert.ae_id, alert.ae_version, alert.code, alert.verbatim) == (AE, 1, "FEVER", FEVER.verbatim)
    assert (alert.grade, alert.max_grade, alert.outcome, alert.action_taken) == (2, 2, FEVER.outcome, "NO_CHANGE")
    assert (alert.onset, alert.aware_at) == (FEVER.onset, FEVER.aware_at)
    assert (alert.session_id, alert.hours_from_session_start, alert.hours_from_session_end) == (
        SESSION,
        "6.50",
        "-1.00",
    )
    assert [(each.assessor, each.target, each.value) for each in alert.causality] == [
        ("INVESTIGATOR", "DEVICE", "POSSIBLE")
    ]
    assert (alert.clocks, alert.teae, alert.susar, alert.provisional, alert.changes) == ((), None, None, None, ())


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


def test_ids_derive_from_what_raised_the_alert() -> None:
    outcome = Ward().when(serious(FEVER, "DISABILITY"), died())
    commit = outcome.commit[-1].envelope.commitid
    ids = [each.alert_id for each in outcome.alerts]
    assert ids == [derived_id(f"{AE}|{commit}"), derived_id(f"S-001|PARTICIPANT_DIED|{commit}")]
    assert UUID("5a1c0e4e-6d55-5b0e-9c39-0f7d2c1b8a10") == STUDY_NAMESPACE
    assert len({raise_command(ids[0]), raise_command(ids[0], 1), raise_command(ids[0], 2), *ids}) == 5


def test_the_protocol_is_the_one_of_the_commit() -> None:
    ward = Ward()
    commit = recorded(ward.log.commit(ward.stream, serious(FEVER, "DISABILITY")))
    with pytest.raises(InvalidEnvelope, match="no protocol was in force"):
        react(ward.view(), ward.view(), commit, EMPTY_STUDY)


def test_an_unreadable_event_alerts_with_place_and_reason() -> None:
    ward = Ward()
    alert = unreadable(ward.view(), 3, "hepatrail.events/4@17", "NOT_JSON: " + "x" * 600, ward.log.now)
    assert (alert.type, alert.priority, alert.site_id) == ("SUBJECT_UNREADABLE", "P1", "BFH")
    assert alert.alert_id == derived_id("S-001|SUBJECT_UNREADABLE|3")
    assert alert.detail is not None and alert.detail.startswith("subject-S-001@3 (hepatrail.events/4@17): NOT_JSON: x")


def slipped(ward: Ward, **hold: Any) -> tuple[AlertContent, ...]:
    """A session whose decider had not seen a hold that was recorded just before."""
    ward.log.commit(STUDY, hold_placed(**hold), role="PRINCIPAL_INVESTIGATOR")
    ward.log._studyseq -= 1
    alerts = ward.when(session_started()).alerts
    assert ward.found_by_holds() == alerts
    ward.log._studyseq += 1
    return alerts


def test_a_session_that_slipped_past_a_hold_alerts_whoever_is_read_first() -> None:
    (alert,) = slipped(Ward())
    assert (alert.type, alert.priority, alert.session_id) == ("SESSION_UNDER_HOLD", "P1", SESSION)
    assert alert.alert_id == derived_id(f"{SESSION}|SESSION_UNDER_HOLD")
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
