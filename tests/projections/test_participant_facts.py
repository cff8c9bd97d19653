"""What becomes of assessments, death, concomitants, reports and queries in the rows (`events.md` 3.5 to 3.10)."""

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
from hepatrail_events.codec import read
from hepatrail_events.concomitant import (
    MedicationCorrected,
    MedicationRecorded,
    MedicationVoided,
    ProcedureCorrected,
    ProcedureKind,
    ProcedureRecorded,
)
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.device_deficiencies import DeviceDeficiencyCorrected, DeviceDeficiencyReported
from hepatrail_events.enrolment import ConsentRecorded
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    LabFindingReviewed,
    LabResultsRecorded,
    Measured,
    ObservationCorrected,
    ObservationsRecorded,
    ObservationVoided,
    ObservedRow,
    RejectReason,
)
from hepatrail_events.sessions import EndReason, SessionEnded
from hepatrail_events.streams import STUDY
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
from hepatrail_events.types import PartialDate, Precision, SealedText
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import SubjectView, fold_all
from projection_log import SEALED, LogWriter, adverse_event, enrol, publish, start

S = "S-1"
STREAM = f"subject-{S}"
MENDED = SealedText(kid="k", cid="c2", path="newText", ct="BBBB")


@pytest.fixture
def log() -> LogWriter:
    written = LogWriter(9)
    publish(written)
    enrol(written, S)
    written.tick(60)
    return written


def view(log: LogWriter) -> SubjectView:
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    return fold_all(S, [each for each in events if each.envelope.stream == STREAM])


def rows(log: LogWriter) -> SubjectRows:
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
    return derive(view(log), study, log.now)


def commit(log: LogWriter, event: Event, actor: str = "dr-li", role: str = "INVESTIGATOR") -> UUID:
    (record,) = log.commit(STREAM, event, actor=actor, role=role)
    return read(record.value or b"").envelope.id


def day(text: str) -> PartialDate:
    return PartialDate(value=text, precision=Precision.DAY)


def correct(log: LogWriter, kind: type[Event], identity: UUID, field: str, **values: object) -> UUID:
    return commit(log, kind.from_payload({"id": identity, "field": field, "reason": SEALED, **values}), actor="dr-wu")


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


def medication(log: LogWriter) -> UUID:
    identity = log.uuid()
    commit(
        log,
        MedicationRecorded(
            medication_id=identity,
            verbatim=SEALED,
            atc="B01AB01",
            dose="5000",
            unit="[iU]",
            started_at=day("2026-01-02"),
            therapeutic_anticoagulant=True,
        ),
    )
    return identity


def test_a_medication_is_corrected_field_by_field_free_text_too(log: LogWriter) -> None:
    identity = medication(log)
    correct(log, MedicationCorrected, identity, "endedAt", newValue="2026-01")
    correct(log, MedicationCorrected, identity, "therapeuticAnticoagulant", oldValue="true", newValue="false")
    correct(log, MedicationCorrected, identity, "verbatim", newText=MENDED)
    correct(log, MedicationCorrected, identity, "dose")
    (row,) = rows(log).medications
    assert row.ended_at == {"value": "2026-01", "precision": "MONTH"}
    assert (row.therapeutic_anticoagulant, row.verbatim, row.dose, row.unit) == (False, MENDED.payload(), None, "[iU]")
    assert [each["field"] for each in row.corrections] == ["endedAt", "therapeuticAnticoagulant", "verbatim", "dose"]
    text = row.corrections[2]
    assert (text["oldValue"], text["newValue"], text["newText"]) == (None, None, MENDED.payload())


def test_a_void_medication_stays_readable(log: LogWriter) -> None:
    identity = medication(log)
    commit(log, MedicationVoided(id=identity, reason_code=VoidReason.DUPLICATE, reason_text=SEALED), actor="dr-wu")
    (row,) = rows(log).medications
    assert (row.voided, row.void_reason_code, row.voided_by, row.atc) == (True, "DUPLICATE", "dr-wu", "B01AB01")


@pytest.mark.parametrize(("field", "value"), [("endedAt", "yesterday"), ("nothing", "x"), ("startedAt", None)])
def test_a_correction_that_does_not_fit_cannot_be_folded(log: LogWriter, field: str, value: str | None) -> None:
    correct(log, MedicationCorrected, medication(log), field, newValue=value)
    with pytest.raises(InvalidPayload):
        view(log)


def test_a_correction_of_nothing_cannot_be_folded(log: LogWriter) -> None:
    correct(log, MedicationCorrected, log.uuid(), "dose", newValue="1")
    with pytest.raises(InvalidPayload, match="no medication"):
        view(log)


def test_a_procedure_may_turn_out_to_be_another_one(log: LogWriter) -> None:
    identity = log.uuid()
    commit(log, ProcedureRecorded(procedure_id=identity, kind=ProcedureKind.CVVHD, started_at=day("2026-01-04")))
    correct(log, ProcedureCorrected, identity, "kind", oldValue="CVVHD", newValue="HD")
    (row,) = rows(log).procedures
    assert (row.procedure_id, row.kind, row.ended_at, row.description) == (identity, "HD", None, None)


def test_a_device_deficiency_is_corrected(log: LogWriter) -> None:
    identity = log.uuid()
    body = {"deficiencyId": identity, "description": SEALED, "sessionId": log.uuid(), "lot": "D1"}
    commit(log, DeviceDeficiencyReported.from_payload(body | {"couldHaveLedToSADE": False}))
    correct(log, DeviceDeficiencyCorrected, identity, "couldHaveLedToSADE", newValue="true")
    (row,) = rows(log).deficiencies
    assert (row.could_have_led_to_sade, row.lot) == (True, "D1")


def test_reports_of_an_adverse_event_to_sponsor_and_authorities(log: LogWriter) -> None:
    event, identity = adverse_event(log, STREAM), log.uuid()
    commit(log, SponsorNotified(ae_id=event.ae_id, notified_at=log.now), actor="sponsor", role="SPONSOR")
    submitted = SubmissionRecorded(
        submission_id=identity,
        ae_id=event.ae_id,
        to=Recipient.NMPA,
        kind=SubmissionKind.INITIAL,
        submitted_at=log.now,
    )
    commit(log, submitted, role="SPONSOR")
    correct(log, SubmissionCorrected, identity, "reference", newValue="NMPA-7")
    commit(log, SubmissionVoided(id=identity, reason_code=VoidReason.DUPLICATE, reason_text=SEALED))
    derived = rows(log)
    (notified,), (submission,) = derived.notifications, derived.submissions
    assert (notified.ae_id, notified.actor_id) == (event.ae_id, "sponsor")
    assert (submission.recipient, submission.kind, submission.reference) == ("NMPA", "INITIAL", "NMPA-7")
    assert submission.voided


def test_the_latest_narrative_of_a_language_counts(log: LogWriter) -> None:
    ae_id = adverse_event(log, STREAM).ae_id
    for language in (NarrativeLanguage.CHINESE, NarrativeLanguage.ENGLISH, NarrativeLanguage.CHINESE):
        commit(log, NarrativeWritten(ae_id=ae_id, narrative=SEALED, language=language))
    assert [(row.language, row.latest) for row in rows(log).narratives] == [
        ("zho", False),
        ("eng", True),
        ("zho", True),
    ]


def test_a_report_of_no_adverse_event_cannot_be_folded(log: LogWriter) -> None:
    commit(log, SponsorNotified(ae_id=log.uuid(), notified_at=log.now))
    with pytest.raises(InvalidPayload, match="no adverse event"):
        view(log)


def observed(log: LogWriter) -> UUID:
    row = ObservedRow(result_id=log.uuid(), code="gcs_verbal", value="NT", accepted=True)
    commit(log, ObservationsRecorded(assessed_at=log.now, rows=(row,)))
    return row.result_id


def test_an_observation_is_corrected_like_a_result(log: LogWriter) -> None:
    identity, earlier = observed(log), "2026-01-04T00:00:00.000Z"
    correct(log, ObservationCorrected, identity, "ntReason", newValue="INTUBATED", accepted=True)
    correct(log, ObservationCorrected, identity, "assessedAt", newValue=earlier, accepted=True)
    (row,) = rows(log).lab_results
    assert (row.nt_reason, row.collected_at) == ("INTUBATED", datetime(2026, 1, 4, tzinfo=UTC))
    assert [each["actorId"] for each in row.corrections] == ["dr-wu", "dr-wu"]
    assert view(log).results[identity].observation.collected.instant == row.collected_at
    commit(log, ObservationVoided(id=identity, reason_code=VoidReason.DUPLICATE, reason_text=SEALED))
    assert rows(log).lab_results[0].voided


def test_the_latest_review_of_a_finding_counts(log: LogWriter) -> None:
    identity = observed(log)
    commit(log, LabFindingReviewed(result_id=identity, clinically_significant=True, final_grade=3))
    commit(log, LabFindingReviewed(result_id=identity, clinically_significant=False), actor="dr-wu")
    review = view(log).reviews[identity]
    assert (review.clinically_significant, review.final_grade, review.actor_id) == (False, None, "dr-wu")


def test_a_query_shows_its_answers_and_that_it_was_closed_for_this_version_of_its_rule(log: LogWriter) -> None:
    bad = Measured(result_id=log.uuid(), code="xyz", value="1", accepted=False, reject_reason=RejectReason.UNKNOWN_CODE)
    commit(
        log,
        LabResultsRecorded(sample_id=log.uuid(), collected_at=log.now, laboratory="Central", results=(bad,)),
        role="LABORATORY",
    )
    (query,) = rows(log).queries
    assert (query.rule, query.answers, query.closed) == ("LAB-02", [], None)
    commit(log, QueryAnswered(query_id=query.query_id, text=SEALED), actor="nurse", role="COORDINATOR")
    commit(log, QueryClosed(query_id=query.query_id, reason=SEALED, rule_version="of another time"), role="MONITOR")
    (query,) = rows(log).queries
    assert [(each["actorId"], each["actorRole"]) for each in query.answers] == [("nurse", "COORDINATOR")]
    assert query.closed is None
    closed = QueryClosed(query_id=query.query_id, reason=SEALED, rule_version=query.rule_version)
    commit(log, closed, actor="monitor", role="MONITOR")
    (query,) = rows(log).queries
    assert query.closed is not None
    assert (query.closed["actorId"], query.closed["ruleVersion"]) == ("monitor", query.rule_version)
