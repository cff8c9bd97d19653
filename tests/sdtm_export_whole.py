"""Participants for the export of whom every variable has something to tell: one whose every record is full and who
dies of two adverse events, one who takes back more and more, one who withdrew consent before enrolment."""

from datetime import timedelta

from clinical_builders import T0
from hepatrail_events.assessments import (
    AEAssessmentDone,
    Donor,
    ParticipantWithdrew,
    SurvivalSource,
    SurvivalStatusRecorded,
    TransplantDone,
    TransplantStatus,
    VitalStatus,
    WithdrawalScope,
    YesNo,
)
from hepatrail_events.baseline_conditions import BaselineConditionRecorded
from hepatrail_events.concomitant import MedicationRecorded, ProcedureKind, ProcedureRecorded
from hepatrail_events.device_deficiencies import DeviceDeficiencyReported
from hepatrail_events.enrolment import (
    AdmissionType,
    ConsentRecorded,
    ConsentWithdrawn,
    Indication,
    Sex,
    SubjectEnrolled,
)
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabFindingReviewed,
    LabResultCorrected,
    LabResultsRecorded,
    Measured,
    NotDone,
    ObservationsRecorded,
    ObservedRow,
    RejectReason,
)
from hepatrail_events.sessions import (
    Anticoagulant,
    EndReason,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
)
from hepatrail_events.streams import subject_stream
from hepatrail_events.types import PartialDate, Precision
from log_commits import enrol, start
from projection_log import SEALED, LogWriter
from sdtm_export_whole_events import DAY, HOUR, died, fever, partial

WHOLE, LEAVING, NEVER = "S-06", "S-07", "S-08"
_UNKNOWN = PartialDate(precision=Precision.UNKNOWN)


def whole(log: LogWriter) -> None:
    """The three, after the protocol of the course with its reference safety information."""
    _whole(log)
    _leaving(log)
    log.now = T0 - 9 * DAY
    stream = subject_stream(NEVER)
    log.commit(stream, ConsentRecorded(site_id="BFH", version="1", given_at=log.now, health_data_consent=True))
    log.commit(stream, ConsentWithdrawn(withdrawn_at=log.tick(90)))


def _whole(log: LogWriter) -> None:
    log.now = T0 - 10 * DAY
    stream = subject_stream(WHOLE)
    log.commit(stream, ConsentRecorded(site_id="A-2", version="0.9", given_at=log.now, health_data_consent=False))
    log.commit(stream, ConsentRecorded(site_id="A-2", version="1", given_at=log.tick(60), health_data_consent=True))
    enrolled = SubjectEnrolled(
        indication=Indication.SFSS,
        sex=Sex.MALE,
        age_years=63,
        chronic_health=True,
        admission_type=AdmissionType.ELECTIVE_POSTOPERATIVE,
        height_cm="171",
    )
    log.commit(stream, enrolled)
    condition = _history(log, stream)
    _before_session(log, stream)
    session = _session(log, stream)
    _after_session(log, stream)
    first = fever(log, stream, condition)
    _asked(log, stream)
    found = DeviceDeficiencyReported.model_validate(
        {
            "deficiency_id": log.uuid(),
            "description": SEALED,
            "session_id": session.session_id,
            "lot": "D7",
            "couldHaveLedToSADE": True,
            "linked_ae_id": first.ae_id,
        }
    )
    log.commit(stream, found)
    died(log, stream)


def _history(log: LogWriter, stream: str) -> BaselineConditionRecorded:
    """Conditions, medications and procedures, each once in full and once with as little as can be."""
    log.now = T0 - 9 * DAY
    ascites = BaselineConditionRecorded(
        baseline_condition_id=log.uuid(),
        code="OTHER",
        ctcae_term="Ascites",
        verbatim=SEALED,
        onset=partial("2026-01-20"),
        grade=2,
    )
    bare = BaselineConditionRecorded(baseline_condition_id=log.uuid(), code="FEVER", verbatim=SEALED)
    log.commit(stream, ascites)
    log.commit(stream, bare)
    log.commit(
        stream,
        MedicationRecorded(
            medication_id=log.uuid(),
            verbatim=SEALED,
            atc="B01AB01",
            dose="5000",
            unit="[IU]",
            route="intravenous",
            started_at=partial("2026-03-02"),
            ended_at=partial("2026-03-09"),
            therapeutic_anticoagulant=True,
        ),
    )
    for ended in (None, _UNKNOWN):
        little = {"started_at": _UNKNOWN, "ended_at": ended, "therapeutic_anticoagulant": False}
        given = MedicationRecorded.model_validate({"medication_id": log.uuid(), "verbatim": SEALED, **little})
        log.commit(stream, given)
    for kind, began, until in (
        (ProcedureKind.CVVHD, partial("2026-03-06T02:00Z"), partial("2026-03-07T02:00Z")),
        (ProcedureKind.HD, partial("2026-03-08"), None),
    ):
        log.commit(stream, ProcedureRecorded(procedure_id=log.uuid(), kind=kind, started_at=began, ended_at=until))
    return ascites


def _before_session(log: LogWriter, stream: str) -> None:
    """Samples and moments with all that can be said of them; a value in the hour before the session, to the ms."""
    log.now = T0 - HOUR + timedelta(milliseconds=250)
    implausible = {"accepted": False, "reject_reason": RejectReason.IMPLAUSIBLE}

    def row(code: str, value: str, unit: str | None, **more: object) -> Measured:
        given = {"result_id": log.uuid(), "code": code, "value": value, "unit": unit, "accepted": True, **more}
        return Measured.model_validate(given)

    tbil = row("tbil", "410", "umol/L", low="3.4", high="20.5", method="diazo", fasting=True)
    rows = (tbil, row("creatinine", "180", "umol/L"), row("inr", "2.1", None), row("sodium", "131", "meq/L"))
    odd = row("potassium", "14", "mmol/L", **implausible)
    about = {"laboratory": "Central", "specimen": "SER", "visit_code": "BL", "pre_session": True}
    sample = {"sample_id": log.uuid(), "collected_at": log.now, "results": (*rows, odd), **about}
    log.commit(stream, LabResultsRecorded.model_validate({**sample, "source_message_id": "M-17"}), role="LABORATORY")
    log.commit(stream, ImplausibleConfirmed(result_id=odd.result_id, reason=SEALED))
    log.commit(stream, LabFindingReviewed(result_id=tbil.result_id, clinically_significant=True, final_grade=3))
    log.commit(stream, LabFindingReviewed(result_id=rows[1].result_id, clinically_significant=False))
    moved = {"field": "visitCode", "old_value": "BL", "reason": SEALED, "accepted": True}
    log.commit(stream, LabResultCorrected.model_validate({"id": rows[2].result_id, **moved}))
    hot = {"code": "temperature", "value": "46", "unit": "Cel", "low": "36", "high": "37.5", "fasting": False}
    moment = [
        ObservedRow.model_validate({"result_id": log.uuid(), **hot, **implausible}),
        ObservedRow.model_validate(
            {"result_id": log.uuid(), "code": "pao2", "not_done": NotDone.OUTPATIENT_NO_ABG, "accepted": True}
        ),
        ObservedRow(result_id=log.uuid(), code="gcs_eye", value="3", accepted=True),
        ObservedRow.model_validate(
            {"result_id": log.uuid(), "code": "map", "value": "400", "unit": "mm[Hg]", **implausible}
        ),
    ]
    stated = {"visit_code": "BL", "pre_session": True, "rows": tuple(moment)}
    log.commit(stream, ObservationsRecorded.model_validate({"assessed_at": log.now, **stated}))
    log.commit(stream, ImplausibleConfirmed(result_id=moment[0].result_id, reason=SEALED))


def _session(log: LogWriter, stream: str) -> SessionStarted:
    log.now = T0
    session = start(
        log,
        stream,
        started_at=T0,
        access_placed_at=T0 - 2 * HOUR,
        flow_ml_min="120.5",
        anticoagulant=Anticoagulant.CITRATE,
    )
    which = {"session_id": session.session_id}
    for _ in range(2):
        log.commit(stream, SessionPaused.model_validate({**which, "at": log.tick(60), "reason": SEALED}))
        log.commit(stream, SessionResumed.model_validate({**which, "at": log.tick(10.5)}))
    log.commit(stream, SessionEnded.model_validate({**which, "ended_at": log.tick(200), "reason": EndReason.AE}))
    return session


def _after_session(log: LogWriter, stream: str) -> None:
    """The same code from the laboratory and at the bedside at the same moment: the later one of the log counts."""
    log.now = T0 + 7 * DAY
    at = log.now
    seen = ObservedRow(result_id=log.uuid(), code="creatinine", value="150", unit="umol/L", accepted=True)
    log.commit(stream, ObservationsRecorded(assessed_at=at, rows=(seen,)))
    values = (
        ("tbil", "300", "umol/L"),
        ("creatinine", "160", "umol/L"),
        ("inr", "1.6", None),
        ("sodium", "135", "meq/L"),
    )
    results = tuple(
        Measured(result_id=log.uuid(), code=code, value=value, unit=unit, accepted=True) for code, value, unit in values
    )
    log.commit(stream, LabResultsRecorded(sample_id=log.uuid(), collected_at=at, laboratory="Central", results=results))
    again = ObservedRow(result_id=log.uuid(), code="creatinine", value="155", unit="umol/L", accepted=True)
    log.commit(stream, ObservationsRecorded(assessed_at=at, rows=(again,)))


def _asked(log: LogWriter, stream: str) -> None:
    log.now = T0 + 7 * DAY
    for answer, visit in ((YesNo.Y, "D7"), (YesNo.N, None)):
        log.commit(stream, AEAssessmentDone(at=log.tick(5), any_new=answer, visit_code=visit))
    log.now = T0 + 9 * DAY
    log.commit(
        stream,
        SurvivalStatusRecorded(
            at=log.now,
            alive=VitalStatus.Y,
            transplant=TransplantStatus.LISTED,
            source=SurvivalSource.PHONE,
            visit_code="D7",
        ),
    )
    log.commit(
        stream,
        SurvivalStatusRecorded(
            at=log.tick(5), alive=VitalStatus.UNKNOWN, transplant=TransplantStatus.NONE, source=SurvivalSource.RECORD
        ),
    )
    log.now = T0 + 26 * DAY
    log.commit(stream, TransplantDone(transplant_at=partial("2026-04-04T03:00Z"), donor=Donor.LIVING))
    log.commit(
        stream,
        SurvivalStatusRecorded(
            at=log.now,
            alive=VitalStatus.Y,
            transplant=TransplantStatus.DONE,
            transplant_at=partial("2026-04-04"),
            source=SurvivalSource.VISIT,
        ),
    )


def _leaving(log: LogWriter) -> None:
    """Withdraws from treatment, from follow-up but for the vital status, at last consent and all use of data."""
    log.now = T0 - 7 * DAY
    stream = enrol(log, LEAVING)
    log.now = T0 + 12 * DAY
    for scope, may_ask in (
        (WithdrawalScope.TREATMENT_ONLY, False),
        (WithdrawalScope.FOLLOW_UP, True),
        (WithdrawalScope.ALL_DATA_USE, False),
    ):
        left = ParticipantWithdrew(withdrawn_at=log.tick(90), scope=scope, vital_status_allowed=may_ask)
        last = scope is WithdrawalScope.ALL_DATA_USE
        log.commit(stream, *((ConsentWithdrawn(withdrawn_at=log.now),) if last else ()), left)
