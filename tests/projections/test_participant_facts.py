"""What becomes of consents, assessments, contact, transplants and the death in the rows (`events.md` 3.1, 3.5)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hepatrail_events.assessments import (
    AEAssessmentDone,
    AssessmentCorrected,
    AssessmentVoided,
    ContactRegained,
    DeathRecordCorrected,
    Donor,
    LostToFollowUp,
    ParticipantDied,
    ParticipantWithdrew,
    SurvivalSource,
    SurvivalStatusRecorded,
    TransplantDone,
    TransplantStatus,
    VitalStatus,
    WithdrawalScope,
    YesNo,
)
from hepatrail_events.enrolment import ConsentRecorded
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.sessions import EndReason, SessionEnded
from hepatrail_events.voiding import VoidReason
from log_commits import start
from projection_log import SEALED, LogWriter
from subject_log import STREAM, commit, correct, day, participant_log, rows, view


@pytest.fixture
def log() -> LogWriter:
    return participant_log(9)


def survival(log: LogWriter, alive: VitalStatus, at: datetime | None = None) -> UUID:
    return commit(
        log,
        SurvivalStatusRecorded(
            at=at or log.now, alive=alive, transplant=TransplantStatus.LISTED, source=SurvivalSource.PHONE
        ),
    )


def void(log: LogWriter, event_id: UUID) -> None:
    reason = VoidReason.ENTERED_IN_ERROR
    commit(log, AssessmentVoided(id=event_id, reason_code=reason, reason_text=SEALED), actor="dr-wu")


def test_an_assessment_is_known_by_its_event_and_keeps_who_corrected_and_voided_it(log: LogWriter) -> None:
    event_id = commit(log, AEAssessmentDone(at=log.now, any_new=YesNo.N), actor="nurse", role="COORDINATOR")
    correct(log, AssessmentCorrected, event_id, "anyNew", oldValue="N", newValue="Y")
    void(log, event_id)
    (row,) = rows(log).assessments
    assert (row.event_id, row.kind, row.actor_id, row.at) == (event_id, "AE_ASSESSMENT", "nurse", row.at)
    assert row.facts["anyNew"] == "Y"
    assert [(each["oldValue"], each["newValue"], each["actorId"]) for each in row.corrections] == [("N", "Y", "dr-wu")]
    assert (row.voided, row.void_reason_code, row.voided_by) == (True, "ENTERED_IN_ERROR", "dr-wu")
    assert (row.event_ids[0], len(row.event_ids)) == (event_id, 3)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (LostToFollowUp(last_contact_at=datetime(2026, 1, 5, tzinfo=UTC)), "LOSS_TO_FOLLOW_UP"),
        (ContactRegained(at=datetime(2026, 1, 5, tzinfo=UTC)), "CONTACT_REGAINED"),
        (
            ParticipantWithdrew(
                withdrawn_at=datetime(2026, 1, 5, tzinfo=UTC),
                scope=WithdrawalScope.TREATMENT_ONLY,
                vital_status_allowed=False,
            ),
            "WITHDRAWAL",
        ),
    ],
)
def test_every_kind_of_assessment_has_its_time(log: LogWriter, event: Event, kind: str) -> None:
    commit(log, event)
    (row,) = rows(log).assessments
    assert (row.kind, row.at, row.happened) == (kind, datetime(2026, 1, 5, tzinfo=UTC), None)


def test_an_assessment_at_a_time_point_names_it(log: LogWriter) -> None:
    begun = start(log, STREAM)
    ended = begun.started_at + timedelta(hours=5)
    log.commit(STREAM, SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.COMPLETED))
    log.now = ended + timedelta(days=7)
    commit(log, AEAssessmentDone(at=log.now, any_new=YesNo.N))
    survival(log, VitalStatus.UNKNOWN)
    asked, unknown = rows(log).assessments
    assert (asked.point, asked.in_window, asked.used) == ("D7", True, True)
    assert unknown.used is False


def test_a_void_withdrawal_withdraws_nobody(log: LogWriter) -> None:
    narrow = ParticipantWithdrew(withdrawn_at=log.now, scope=WithdrawalScope.TREATMENT_ONLY, vital_status_allowed=False)
    first = commit(log, narrow)
    wide = narrow.model_copy(update={"scope": WithdrawalScope.FOLLOW_UP, "vital_status_allowed": True})
    second = commit(log, wide)
    assert [fact.scope for fact in view(log).withdrawals] == [narrow.scope, wide.scope]
    assert view(log).stop_event_ids == (("WITHDRAWAL", first), ("WITHDRAWAL", second))
    subject = rows(log).subject
    assert (subject.status, subject.withdrawal_scope, subject.vital_status_allowed) == ("WITHDRAWN", "FOLLOW_UP", True)
    void(log, second)
    assert view(log).stop_event_ids == (("WITHDRAWAL", first),)
    subject = rows(log).subject
    assert (subject.status, subject.withdrawal_scope) == ("ENROLLED", "TREATMENT_ONLY")
    correct(log, AssessmentCorrected, first, "withdrawnAt", newValue="2026-01-04T00:00:00.000Z")
    assert rows(log).subject.withdrawn_at == datetime(2026, 1, 4, tzinfo=UTC)


def test_a_corrected_death_has_the_stated_fields_anew_and_keeps_the_others(log: LogWriter) -> None:
    cause = log.uuid()
    died = commit(log, ParticipantDied(death_at=day("2026-01-04"), aware_at=log.now, primary_cause_ae_id=cause))
    mended = commit(log, DeathRecordCorrected(revived=False, death_at=day("2026-01-03"), reason=SEALED), actor="dr-wu")
    subject = rows(log).subject
    assert (subject.death_at, subject.primary_cause_ae_id) == ({"value": "2026-01-03", "precision": "DAY"}, cause)
    (made,) = subject.death_corrections
    assert (made["actorId"], made["revived"], made["eventId"]) == ("dr-wu", False, str(mended))
    assert view(log).stop_event_ids == (("DEATH", died), ("DEATH", mended))


def test_who_was_found_alive_is_not_dead_and_may_die_later(log: LogWriter) -> None:
    commit(log, ParticipantDied(death_at=day("2026-01-04"), aware_at=log.now))
    commit(log, DeathRecordCorrected(revived=True, reason=SEALED))
    alive, record = rows(log).subject, view(log).death_record
    assert (alive.status, alive.death_at, alive.death_revived) == ("ENROLLED", None, True)
    assert view(log).death is None
    assert view(log).stop_event_ids == ()
    assert record is not None
    assert record.died.death_at == day("2026-01-04")
    again = commit(log, ParticipantDied(death_at=day("2026-02-04"), aware_at=log.now, autopsy_done=True))
    dead = rows(log).subject
    assert (dead.status, dead.death_revived, dead.autopsy_done) == ("DIED", False, True)
    assert dead.death_at == {"value": "2026-02-04", "precision": "DAY"}
    assert [each["revived"] for each in dead.death_corrections] == [True]
    assert view(log).stop_event_ids == (("DEATH", again),)


def test_a_death_that_was_never_recorded_cannot_be_corrected(log: LogWriter) -> None:
    commit(log, DeathRecordCorrected(revived=True, reason=SEALED))
    with pytest.raises(InvalidPayload, match="no death record"):
        view(log)


def test_contact_is_lost_until_it_is_regained(log: LogWriter) -> None:
    last = log.now - timedelta(days=3)
    lost = commit(log, LostToFollowUp(last_contact_at=last))
    assert rows(log).subject.lost_to_follow_up_since == last
    commit(log, ContactRegained(at=log.now))
    subject = rows(log).subject
    assert (subject.lost_to_follow_up_since, subject.contact_regained_at) == (None, log.now - timedelta(seconds=6))
    again = commit(log, LostToFollowUp(last_contact_at=log.now))
    assert rows(log).subject.lost_to_follow_up_since is not None
    void(log, again)
    assert rows(log).subject.lost_to_follow_up_since is None
    assert lost in rows(log).subject.event_ids


def test_the_survival_status_shown_is_that_of_the_latest_contact(log: LogWriter) -> None:
    assert rows(log).subject.survival is None
    newest = survival(log, VitalStatus.Y)
    survival(log, VitalStatus.UNKNOWN, log.now - timedelta(days=2))
    shown = rows(log).subject.survival
    assert shown is not None
    assert (shown["alive"], shown["transplant"], shown["eventId"]) == ("Y", "LISTED", str(newest))
    void(log, newest)
    left = rows(log).subject.survival
    assert left is not None
    assert left["alive"] == "UNKNOWN"


def test_a_transplant_before_treatment_is_history_and_the_first_one_after_it_counts(log: LogWriter) -> None:
    commit(log, TransplantDone(transplant_at=day("2025-11-01"), donor=Donor.LIVING))
    begun = start(log, STREAM)
    later = begun.started_at + timedelta(days=20)
    first = commit(log, TransplantDone(transplant_at=day(f"{later:%Y-%m-%d}")))
    commit(log, TransplantDone(transplant_at=day(f"{later + timedelta(days=5):%Y-%m-%d}")))
    subject = rows(log).subject
    assert [(each["donor"], each["firstAfterT0"]) for each in subject.transplants] == [
        ("LIVING", False),
        (None, True),
        (None, False),
    ]
    assert subject.transplant_at == {"value": f"{later:%Y-%m-%d}", "precision": "DAY"}
    void(log, first)
    second = {"value": f"{later + timedelta(days=5):%Y-%m-%d}", "precision": "DAY"}
    assert rows(log).subject.transplant_at == second
    assert rows(log).assessments[0].happened == {"value": "2025-11-01", "precision": "DAY"}


def test_every_version_of_the_consent_stays(log: LogWriter) -> None:
    commit(log, ConsentRecorded(site_id="OTHER", version="2", given_at=log.now, health_data_consent=False))
    subject = rows(log).subject
    assert [each["version"] for each in subject.consents] == ["1", "2"]
    assert (subject.consent_version, subject.health_data_consent, subject.site_id) == ("2", False, "BFH")
