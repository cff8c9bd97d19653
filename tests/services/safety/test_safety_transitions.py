"""What the later facts of an adverse event raise: downgrade, void, correction, death taken back (`safety.md` 6.1)."""

from uuid import UUID

import pytest

from builders.adverse_events import (
    ae_causality,
    ae_coded,
    ae_corrected,
    ae_criteria_changed,
    ae_downgraded,
    ae_expectedness,
    ae_followed_up,
    ae_grade_changed,
    ae_grade_corrected,
    ae_reopened,
    ae_reported,
    ae_resolved,
    ae_upgraded,
    ae_void_requested,
    ae_voided,
)
from builders.ids import AE
from builders.participant import death_corrected, died
from builders.payloads import sealed
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import AlertContent
from log_commits import publish
from safety_world import Ward, serious

ONSET = {"value": "2026-01-05T08:30Z", "precision": "MINUTE"}
FEVER = ae_reported(onset=ONSET, gradeAt=ONSET)
SAE = serious(FEVER, "HOSPITALISATION")
FATAL = serious(FEVER, "DEATH", grade=5, outcome="FATAL", code="SEPSIS", endAt=died().death_at.payload())


def _changes(alert: AlertContent) -> list[tuple[str, str | None, str | None]]:
    return [(each.field, each.old, each.new) for each in alert.changes]


def test_SAE_DOWNGRADED_alerts_when_the_last_criterion_goes() -> None:
    alert = Ward().given(SAE).when(ae_downgraded()).then_one("SAE_DOWNGRADED", "P3", "AESI")
    assert _changes(alert) == [("criteria", "HOSPITALISATION", None)]
    assert alert.ae_version == 2


def test_a_downgrade_by_one_assessor_while_the_other_finds_it_serious_changes_the_criteria_at_most() -> None:
    ward = Ward().given(SAE).given(ae_upgraded("DISABILITY"), role="SPONSOR")
    alert = ward.when(ae_downgraded(3)).then_one("SAE_CHANGED", "P3", "AESI")
    assert _changes(alert) == [("criteria", "HOSPITALISATION, DISABILITY", "DISABILITY")]
    both = Ward().given(SAE).given(ae_upgraded("HOSPITALISATION"), role="SPONSOR")
    both.when(ae_downgraded(3)).then_none()


def test_SAE_UPGRADED_alerts_again_of_an_event_that_is_serious_again() -> None:
    ward = Ward().given(SAE).given(ae_downgraded())
    ward.when(ae_upgraded("DISABILITY", version=3)).then_one("SAE_UPGRADED", "P2", "AESI")


def test_a_downgraded_event_of_special_interest_that_was_severe_before_is_told_once() -> None:
    ward = Ward().given(serious(FEVER, "HOSPITALISATION", grade=3))
    ward.when(ae_downgraded()).then_one("SAE_DOWNGRADED", "P3", "AESI")
    ward.when(ae_grade_changed(4, version=3)).then_none()


def test_SAE_CHANGED_by_criteria_and_SAE_LIFE_THREATENING_by_its_own_row() -> None:
    ward = Ward().given(SAE)
    ward.when(ae_criteria_changed(2, added=["DISABILITY"])).then_one("SAE_CHANGED", "P3", "AESI")
    removed = ae_criteria_changed(3, added=["LIFE_THREATENING"], removed=["DISABILITY"], reason=sealed())
    alert = ward.when(removed).then_one("SAE_LIFE_THREATENING", "P1", "SAE_CHANGED", "LIFE_THREATENING", "AESI")
    assert _changes(alert) == [("criteria", "HOSPITALISATION, DISABILITY", "LIFE_THREATENING, HOSPITALISATION")]


def test_SAE_VOIDED_alerts_of_an_event_that_was_ever_serious_and_is_no_downgrade() -> None:
    ward = Ward().given(SAE)
    ward.when(ae_void_requested()).then_none()
    ward.when(ae_voided(3, coSigner="pi"), actor="pi").then_one("SAE_VOIDED", "P3", "AESI")
    Ward().given(SAE).given(ae_downgraded()).when(ae_voided(3, coSigner="pi")).then_one("SAE_VOIDED", "P3", "AESI")


def test_the_void_of_an_event_that_never_was_serious_alerts_nobody() -> None:
    Ward().given(FEVER).when(ae_voided()).then_none()
    Ward().given(serious(FEVER, grade=3)).when(ae_voided()).then_none()


def test_another_event_of_the_participant_alerts_as_ever_after_a_void() -> None:
    other = SAE.model_copy(update={"ae_id": UUID(int=7)})
    Ward().given(SAE).given(ae_voided(coSigner="pi")).when(other).then_one("SAE_NEW", "P2", "AESI")


def test_SAE_CHANGED_by_another_code_or_onset_shows_both() -> None:
    ward = Ward().given(SAE)
    alert = ward.when(ae_corrected("code", "FEVER", "OTHER")).then_one("SAE_CHANGED", "P3")
    assert (alert.code, _changes(alert)) == ("OTHER", [("code", "FEVER", "OTHER")])
    moved = ward.when(ae_corrected("onset", "2026-01-05T08:30Z", "2026-01-04", 3)).then_one("SAE_CHANGED", "P3")
    assert (moved.onset and moved.onset.value, _changes(moved)) == (
        "2026-01-04",
        [("onset", "2026-01-05T08:30Z", "2026-01-04")],
    )


@pytest.mark.parametrize(
    "event",
    [
        ae_followed_up(),
        ae_coded(),
        ae_resolved(),
        ae_grade_changed(1),
        ae_grade_changed(2),
        ae_corrected("ctcaeTerm", None, "Fever"),
        ae_expectedness("EXPECTED", rsiVersion="IB-1", rsiTerm="Fever"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_is_not_significant_alerts_nobody(event: Event) -> None:
    Ward().given(SAE).when(event).then_none()


def test_a_reopened_event_alerts_nobody() -> None:
    Ward().given(SAE).given(ae_resolved()).when(ae_reopened(3)).then_none()


def test_a_non_serious_event_alerts_nobody_whatever_is_corrected() -> None:
    ward = Ward().given(FEVER)
    ward.when(ae_corrected("onset", "2026-01-05T08:30Z", "2026-01-04")).then_none()
    ward.when(ae_causality(3)).then_none()


def test_AESI_SEVERE_alerts_of_a_severe_event_that_gets_such_a_code() -> None:
    ward = Ward().given(serious(FEVER, code="OTHER", grade=3))
    ward.when(ae_corrected("code", "OTHER", "FEVER")).then_one("AESI_SEVERE", "P3", "AESI")


def test_AESI_SEVERE_from_the_grade_of_the_protocol() -> None:
    ward = Ward()
    publish(ward.log, "2.0", safety={"alertAesiGradeGe": 4})
    ward.log.tick(1)
    ward.when(serious(FEVER, grade=3)).then_none()
    ward.when(ae_grade_changed(4)).then_one("AESI_SEVERE", "P3", "AESI")


def test_a_mistyped_grade_that_leaves_the_timeline_shows_what_is_in_force() -> None:
    ward = Ward().given(SAE)
    wrong = ward.when(ae_grade_changed(4)).commit[-1].envelope.id
    ward.when(ae_grade_corrected(3, gradeEventId=str(wrong))).then_none()
    alert = ward.when(ae_criteria_changed(4, added=["DISABILITY"])).then_one("SAE_CHANGED", "P3", "AESI")
    assert (alert.grade, alert.max_grade) == (2, 2)


def test_an_alert_shows_the_latest_causality_of_each_assessor_and_target() -> None:
    ward = Ward().given(serious(FEVER, "HOSPITALISATION", causality=[{"target": "DEVICE", "value": "POSSIBLE"}]))
    ward.given(ae_causality(2, value="UNLIKELY"))
    ward.given(ae_causality(3, assessor="SPONSOR", value="PROBABLE"), role="SPONSOR")
    ward.given(ae_causality(4, target="CELL_PRODUCT", value="UNRELATED"))
    alert = ward.when(ae_criteria_changed(5, added=["DISABILITY"])).then_one("SAE_CHANGED", "P3", "AESI")
    assert [(each.assessor, each.target, each.value) for each in alert.causality] == [
        ("INVESTIGATOR", "CELL_PRODUCT", "UNRELATED"),
        ("INVESTIGATOR", "DEVICE", "UNLIKELY"),
        ("SPONSOR", "DEVICE", "PROBABLE"),
    ]


def test_what_was_done_after_the_report_is_shown_as_it_stands() -> None:
    ward = Ward().given(SAE).given(ae_followed_up(2, actionTaken="DOSE_REDUCED", outcome="RECOVERING"))
    alert = ward.when(ae_criteria_changed(3, added=["DISABILITY"])).then_one("SAE_CHANGED", "P3", "AESI")
    assert (alert.action_taken, alert.outcome) == ("DOSE_REDUCED", "RECOVERING")


def test_SAE_LIFE_THREATENING_of_one_who_is_alive_after_all_tells_that() -> None:
    ward = Ward().given(FATAL, died())
    taken_back = (
        death_corrected(revived=True),
        ae_criteria_changed(2, added=["LIFE_THREATENING"], removed=["DEATH"], reason=sealed()),
    )
    alert = ward.when(*taken_back).then_one("SAE_LIFE_THREATENING", "P1", "SAE_CHANGED", "LIFE_THREATENING", "AESI")
    assert ("deathAt", died().death_at.value, None) in _changes(alert)
    assert ward.view().death is None


def test_PARTICIPANT_DIED_is_not_carried_by_an_event_that_is_void() -> None:
    ward = Ward().given(SAE)
    alerts = ward.when(died(), ae_criteria_changed(2, added=["DEATH"]), ae_voided(3, coSigner="pi")).alerts
    assert [each.type for each in alerts] == ["SAE_VOIDED", "PARTICIPANT_DIED"]


def test_SAE_DOWNGRADED_of_a_fatal_event_that_was_none_after_all() -> None:
    ward = Ward().given(FATAL, died())
    alert = ward.when(death_corrected(revived=True), ae_downgraded(2)).then_one("SAE_DOWNGRADED", "P3", "AESI")
    assert ("deathAt", died().death_at.value, None) in _changes(alert)


def test_SAE_FATAL_alerts_of_a_cause_that_is_found_later() -> None:
    ward = Ward().given(SAE).given(died())
    cause = death_corrected(primaryCauseAeId=str(AE))
    alert = ward.when(cause, ae_criteria_changed(2, added=["DEATH"])).then_one("SAE_FATAL", "P1", "FATAL", "AESI")
    assert "deathAt" not in {each.field for each in alert.changes}


def test_a_corrected_time_of_death_alone_alerts_nobody() -> None:
    ward = Ward().given(FATAL, died())
    ward.when(death_corrected(deathAt={"value": "2026-03-18", "precision": "DAY"})).then_none()


def test_PARTICIPANT_DIED_alerts_again_after_it_was_taken_back() -> None:
    ward = Ward().given(died()).given(death_corrected(revived=True))
    ward.when(died()).then_one("PARTICIPANT_DIED", "P1")


def test_Late_data_alerts_whatever_the_age_of_the_event() -> None:
    long_ago = {"value": "2019-03", "precision": "MONTH"}
    Ward().when(serious(FEVER, "HOSPITALISATION", onset=long_ago, code="OTHER")).then_one("SAE_NEW", "P2")


def test_Duplicate_reports_both_alert_and_voiding_one_of_them_is_SAE_VOIDED() -> None:
    other = UUID(int=7)
    ward = Ward().given(SAE)
    ward.when(SAE.model_copy(update={"ae_id": other})).then_one("SAE_NEW", "P2", "AESI")
    void = ae_voided(aeId=str(other), reasonCode="DUPLICATE", duplicateOf=str(AE), coSigner="pi")
    alert = ward.when(void).then_one("SAE_VOIDED", "P3", "AESI")
    assert (alert.ae_id, _changes(alert)) == (other, [("voided", None, "DUPLICATE")])
