"""The rules of enrolment (`events.md` 3.1)."""

import pytest

from builders import (
    NOW,
    SITE,
    a_sealed,
    at,
    command,
    consent,
    consent_withdrawn,
    died,
    enrolled,
    hold_placed,
    iso,
    protocol_published,
    screen_failed,
    site_activated,
    withdrew,
)
from hepatrail_events.assessments import ParticipantWithdrew, WithdrawalScope
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.roles import Role
from hepatrail_events.study import SiteDeactivated
from hepatrail_services.deciders.catalogue import COMMANDS
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
def test_nothing_is_recorded_of_a_participant_without_consent(name: str) -> None:
    given().when(command(name)).then_rejects("ENR-01", field="subjectId")


def test_consent_without_consent_to_health_data_is_not_enough() -> None:
    given(consent(healthDataConsent=False)).when(command("enrolSubject")).then_rejects("ENR-01")


def test_consent_to_health_data_may_follow_with_a_new_version() -> None:
    history = given(consent(healthDataConsent=False), consent(version="ICF-3"))
    history.when(command("enrolSubject")).then_accepts(SubjectEnrolled)


def test_an_adverse_event_needs_consent_and_nothing_more() -> None:
    outcome = given(consent()).when(command("reportAdverseEvent"))
    assert outcome.rejection is None


def test_a_consent_cannot_move_the_participant_to_another_site() -> None:
    given(consent()).when(command("recordConsent", siteId="OTHER")).then_rejects("ENR-01", field="siteId")


def test_a_consent_is_recorded_for_ones_own_site_only() -> None:
    given().when(command("recordConsent"), sites=("OTHER",)).then_rejects(code="FORBIDDEN")


def test_a_participant_of_another_site_is_out_of_reach() -> None:
    given(consent()).when(command("enrolSubject"), sites=("OTHER",)).then_rejects(code="FORBIDDEN")
    given(consent()).when(command("enrolSubject"), sites=("OTHER", SITE)).then_accepts(SubjectEnrolled)


def test_a_participant_is_enrolled_once() -> None:
    given(consent(), enrolled()).when(command("enrolSubject")).then_rejects("ENR-02")


@pytest.mark.parametrize("hindrance", [screen_failed(), consent_withdrawn(), died()], ids=lambda fact: fact.type_name())
def test_nobody_is_enrolled_after_screen_failure_withdrawal_or_death(hindrance: object) -> None:
    given(consent(), hindrance).when(command("enrolSubject")).then_rejects("ENR-02")  # type: ignore[arg-type]


def test_screening_fails_before_enrolment_only() -> None:
    given(consent()).when(command("recordScreenFailure")).then(ScreenFailed(reason=a_sealed()))
    given(consent(), enrolled()).when(command("recordScreenFailure")).then_rejects("ENR-03")


def test_enrolment_needs_an_active_site() -> None:
    history = given(consent())
    history.in_study(protocol_published()).when(command("enrolSubject")).then_rejects("ENR-04")
    closed = SiteDeactivated(site_id=SITE, reason="closed")
    history.in_study(*READY, closed).when(command("enrolSubject")).then_rejects("ENR-04")


def test_a_hold_on_enrolment_stops_enrolment_and_a_hold_on_sessions_does_not() -> None:
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
def test_consent_withdrawn_once_enrolled_says_from_what(scope: str | None) -> None:
    given(consent(), enrolled()).when(command("withdrawConsent", scope=scope)).then_rejects("VIS-04", field="scope")


def test_consent_withdrawn_after_a_withdrawal_of_the_same_scope_adds_no_second_one() -> None:
    history = given(consent(), enrolled(), withdrew("FOLLOW_UP"))
    history.when(command("withdrawConsent", scope="FOLLOW_UP")).then_accepts(ConsentWithdrawn)


def test_no_clinical_time_lies_in_the_future() -> None:
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


ALLOWED = {
    "COORDINATOR": {
        "recordConsent", "recordScreenFailure", "enrolSubject", "withdrawConsent", "startSession", "pauseSession",
        "resumeSession", "endSession", "correctSession", "recordObservations", "recordDeath", "withdrawSubject",
        "reportAdverseEvent",
    },
    "LABORATORY": {"recordLabResults", "correctLabResult", "voidLabResult"},
    "SPONSOR": {"upgradeAdverseEvent", "publishProtocol"},
    "SAFETY_OFFICER": {"acknowledgeSaeAlert"},
    "ADMIN": {"activateSite", "deactivateSite", "withdrawAccess"},
    "SYSTEM": {"placeHold"},
    "MONITOR": set(),
    "AUDITOR": set(),
}  # fmt: skip
ALLOWED["INVESTIGATOR"] = ALLOWED["COORDINATOR"] | ALLOWED["LABORATORY"] | {
    "voidSession", "confirmImplausible", "changeAdverseEventGrade", "upgradeAdverseEvent", "resolveAdverseEvent",
}  # fmt: skip
ALLOWED["PRINCIPAL_INVESTIGATOR"] = ALLOWED["INVESTIGATOR"] | {
    "acknowledgeSaeAlert", "placeHold", "releaseHold", "publishProtocol",
}  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sends_the_commands_of_its_who_column_and_no_other(role: Role) -> None:
    assert {name for name, kind in COMMANDS.items() if role in kind.ROLES} == ALLOWED[role]
    for name in COMMANDS.keys() - ALLOWED[role]:
        sentence = given().when(command(name), by=role).then_rejects(code="FORBIDDEN")
        assert role in sentence


def test_the_moment_of_decision_counts_not_that_of_arrival() -> None:
    given(consent()).when(command("withdrawConsent", withdrawnAt=iso(hours=-1)), now=at(hours=-1)).then_accepts(
        ConsentWithdrawn
    )
    given(consent()).when(command("withdrawConsent", withdrawnAt=iso(hours=-1)), now=NOW).then_rejects("INV-06")
