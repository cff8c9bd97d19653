"""What becomes of concomitants, deficiencies, reports, observations, queries in the rows (`events.md` 3.3 to 3.10)."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

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
from hepatrail_events.errors import InvalidPayload
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
from hepatrail_events.types import SealedText
from hepatrail_events.voiding import VoidReason
from log_commits import adverse_event
from projection_log import SEALED, LogWriter
from subject_log import STREAM, commit, correct, day, participant_log, rows, view

MENDED = SealedText(kid="k", cid="c2", path="newText", ct="BBBB")


@pytest.fixture
def log() -> LogWriter:
    return participant_log(9)


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
