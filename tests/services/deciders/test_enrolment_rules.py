"""The rules of enrolment (`events.md` 3.1)."""

import pytest

from builders.commands import command
from builders.ids import SITE
from builders.participant import consent, consent_withdrawn, died, enrolled, screen_failed, withdrew
from builders.payloads import a_sealed
from builders.study import hold_placed, protocol_published, site_activated
from builders.times import NOW, at, iso
from hepatrail_events.assessments import ParticipantWithdrew, WithdrawalScope
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.sessions import SessionStarted
from hepatrail_events.study import SiteDeactivated
from hepatrail_services.deciders.subject import SubjectState
from specification import READY, By, given


def test_the_first_consent_opens_the_participants_record() -> None:
    state = (
        given()
        .when(command("recordConsent", siteId="BFH"))
        .then(ConsentRecorded(site_id="BFH", version="ICF-2", given_at=at(hours=2), health_data_consent=True))
    )
    assert isinstance(state, SubjectState)
    assert (state.enrolment.site_id, state.version) == ("BFH", 1)


@pytest.mark.parametrize(
    "name", ["enrolSubject", "startSession", "recordLabResults", "recordDeath", "reportAdverseEvent", "withdrawConsent"]
)
def test_enr_01_nothing_is_recorded_of_a_participant_without_consent(name: str) -> None:
    given().when(command(name)).then_rejects("ENR-01", field="subjectId")


def test_enr_01_consent_without_consent_to_health_data_is_not_enough() -> None:
    given(consent(healthDataConsent=False)).when(command("enrolSubject")).then_rejects("ENR-01")


def test_enr_01_consent_to_health_data_may_follow_with_a_new_version() -> None:
    history = given(consent(healthDataConsent=False), consent(version="ICF-3"))
    history.when(command("enrolSubject")).then_accepts(SubjectEnrolled)


def test_enr_01_an_adverse_event_needs_consent_and_nothing_more() -> None:
    outcome = given(consent()).when(command("reportAdverseEvent"))
    assert outcome.rejection is None


def test_a_consent_cannot_move_the_participant_to_another_site() -> None:
    given(consent()).when(command("recordConsent", siteId="OTHER")).then_rejects("ENR-01", field="siteId")


def test_a_consent_is_recorded_for_ones_own_site_only() -> None:
    given().when(command("recordConsent"), sites=("OTHER",)).then_rejects(code="FORBIDDEN")


def test_a_participant_of_another_site_is_out_of_reach() -> None:
    given(consent()).when(command("enrolSubject"), sites=("OTHER",)).then_rejects(code="FORBIDDEN")
    given(consent()).when(command("enrolSubject"), sites=("OTHER", SITE)).then_accepts(SubjectEnrolled)


def test_enr_02_a_participant_is_enrolled_once() -> None:
    given(consent(), enrolled()).when(command("enrolSubject")).then_rejects("ENR-02")


@pytest.mark.parametrize("hindrance", [screen_failed(), consent_withdrawn(), died()], ids=lambda fact: fact.type_name())
def test_enr_02_nobody_is_enrolled_after_screen_failure_withdrawal_or_death(hindrance: object) -> None:
    given(consent(), hindrance).when(command("enrolSubject")).then_rejects("ENR-02")  # type: ignore[arg-type]


def test_enr_03_screening_fails_before_enrolment_only() -> None:
    given(consent()).when(command("recordScreenFailure")).then(ScreenFailed(reason=a_sealed()))
    given(consent(), enrolled()).when(command("recordScreenFailure")).then_rejects("ENR-03")


def test_enr_04_enrolment_needs_an_active_site() -> None:
    history = given(consent())
    history.in_study(protocol_published()).when(command("enrolSubject")).then_rejects("ENR-04")
    closed = SiteDeactivated(site_id=SITE, reason="closed")
    history.in_study(*READY, closed).when(command("enrolSubject")).then_rejects("ENR-04")


def test_enr_04_a_hold_on_enrolment_stops_enrolment_and_a_hold_on_sessions_does_not() -> None:
    history = given(consent())
    history.in_study(*READY, hold_placed("HOLD_ENROLMENT")).when(command("enrolSubject")).then_rejects("ENR-04")
    history.in_study(*READY, hold_placed("HOLD_SESSIONS")).when(command("enrolSubject")).then_accepts(SubjectEnrolled)


def test_consent_withdrawn_before_enrolment_is_no_withdrawal_from_follow_up() -> None:
    given(consent()).when(command("withdrawConsent")).then(ConsentWithdrawn(withdrawn_at=at(hours=1)))


def test_consent_withdrawn_once_enrolled_is_a_withdrawal_in_the_same_commit() -> None:
    given(consent(), enrolled()).when(command("withdrawConsent", scope="ALL_DATA_USE")).then(
        ConsentWithdrawn(withdrawn_at=at(hours=1)),
        ParticipantWithdrew(withdrawn_at=at(hours=1), scope=WithdrawalScope.ALL_DATA_USE, vital_status_allowed=False),
    )


@pytest.mark.parametrize("scope", [None, "TREATMENT_ONLY"])
def test_vis_04_consent_withdrawn_once_enrolled_says_from_what(scope: str | None) -> None:
    given(consent(), enrolled()).when(command("withdrawConsent", scope=scope)).then_rejects("VIS-04", field="scope")


def test_vis_04_consent_withdrawn_does_not_narrow_a_withdrawal() -> None:
    history = given(consent(), enrolled(), withdrew("ALL_DATA_USE"))
    history.when(command("withdrawConsent", scope="FOLLOW_UP")).then_rejects("VIS-04", field="scope")
    history.when(command("withdrawConsent", scope="ALL_DATA_USE")).then_accepts(ConsentWithdrawn)


def test_enr_05_more_participants_than_planned_may_be_enrolled() -> None:
    """The number planned is the trial's, and a participant's stream does not know it: a query tells."""
    given(consent()).in_study(protocol_published(planned_n=1), site_activated()).when(
        command("enrolSubject")
    ).then_accepts(SubjectEnrolled)


def test_dat_01_consent_comes_before_enrolment_and_enrolment_before_a_session() -> None:
    given().when(command("enrolSubject")).then_rejects("ENR-01")
    given(consent()).when(command("startSession")).then_rejects("SES-06")
    given(consent(), enrolled()).when(command("startSession")).then_accepts(SessionStarted)


def test_a_consent_signed_after_its_withdrawal_ends_the_stop_of_sessions_and_does_not_enrol_again() -> None:
    """The withdrawal that came with it stops until it is void by itself."""
    withdrawn = (consent(), enrolled(), consent_withdrawn())
    given(*withdrawn, consent(givenAt=iso(days=3))).when(command("startSession")).then_rejects("SES-02")
    given(*withdrawn, consent(givenAt=iso(days=1))).when(command("startSession")).then_accepts(SessionStarted)
    given(*withdrawn, withdrew(), consent(givenAt=iso(days=1))).when(command("startSession")).then_rejects("SES-02")
    before = (consent(), consent_withdrawn(), consent(givenAt=iso(days=1)))
    given(*before).when(command("enrolSubject")).then_rejects("ENR-02")


def test_consent_withdrawn_after_a_withdrawal_of_the_same_scope_adds_no_second_one() -> None:
    history = given(consent(), enrolled(), withdrew("FOLLOW_UP"))
    history.when(command("withdrawConsent", scope="FOLLOW_UP")).then_accepts(ConsentWithdrawn)


def test_tim_05_inv_06_no_clinical_time_lies_in_the_future() -> None:
    given().when(command("recordConsent", givenAt=iso(minutes=-6))).then_rejects("INV-06", field="givenAt")
    given().when(command("recordConsent", givenAt=iso(minutes=-4))).then_accepts(ConsentRecorded)


def test_an_expected_version_that_does_not_match_is_a_conflict() -> None:
    given(consent()).when(command("enrolSubject", expectedVersion=0)).then_rejects(
        code="CONFLICT", field="expectedVersion"
    )
    given(consent()).when(command("enrolSubject", expectedVersion=1)).then_accepts(SubjectEnrolled)


@pytest.mark.parametrize("name", ["recordConsent", "acknowledgeSaeAlert"])
def test_before_a_protocol_is_in_force_only_the_study_is_served(name: str) -> None:
    given().in_study(site_activated()).when(command(name)).then_rejects(code="NOT_READY")
    later = By(protocol_published().model_copy(update={"effective_at": at(days=-1)}))
    given().in_study(later).when(command(name)).then_rejects(code="NOT_READY")


def test_the_moment_of_decision_counts_not_that_of_arrival() -> None:
    given(consent()).when(command("withdrawConsent", withdrawnAt=iso(hours=-1)), now=at(hours=-1)).then_accepts(
        ConsentWithdrawn
    )
    given(consent()).when(command("withdrawConsent", withdrawnAt=iso(hours=-1)), now=NOW).then_rejects("INV-06")
