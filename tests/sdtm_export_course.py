"""A small trial in which everything happens that an export can get wrong: corrections, voids, partial dates, limits,
values that nobody accepts, a transplant and deaths, losses, withdrawals; five participants, and those of
`sdtm_export_whole`."""

from datetime import date, datetime, timedelta
from functools import cache

from clinical_builders import T0, A
from hepatrail_events.adverse_events import (
    ActionTaken,
    AECausalityAssessed,
    AECoded,
    AEGradeChanged,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEVoided,
    AeVoidReason,
    Assessor,
    Causality,
    CausalityStatement,
    CausalityTarget,
    Criterion,
    Outcome,
)
from hepatrail_events.assessments import (
    ContactRegained,
    LostToFollowUp,
    ParticipantDied,
    ParticipantWithdrew,
    TransplantDone,
    WithdrawalScope,
)
from hepatrail_events.enrolment import AdmissionType, ConsentRecorded, Indication, ScreenFailed, Sex, SubjectEnrolled
from hepatrail_events.measurements import (
    Comparator,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    Measured,
    NotDone,
    NotTestable,
    ObservationsRecorded,
    ObservedRow,
    RejectReason,
)
from hepatrail_events.sessions import EndReason, SessionCorrected, SessionEnded, SessionPaused, SessionResumed
from hepatrail_events.sessions import SessionVoided as SessionVoid
from hepatrail_events.streams import subject_stream
from hepatrail_events.types import PartialDate, Precision
from hepatrail_events.voiding import VoidReason
from hepatrail_services.exporters.dataset_json import Value
from log_commits import adverse_event, enrol, publish, start
from projection_log import SEALED, LogWriter
from sdtm_export_rows import Named, Tables, exported, rows_at, streams_of, table
from sdtm_export_whole import whole
from sdtm_export_whole_events import RSI, partial

DAY = timedelta(days=1)
END = T0 + 100 * DAY
"""When everything is recorded."""
TREATED, DIED, LOST, FAILED, SCREENED = "S-01", "S-02", "S-03", "S-04", "S-05"
ENTERED = VoidReason.ENTERED_IN_ERROR


def course() -> LogWriter:
    """The whole trial, the same every time."""
    log = LogWriter(7)
    log.now = T0 - 20 * DAY
    publish(log, rsi=(RSI,))
    _treated(log)
    _died(log)
    _lost(log)
    for subject_id in (FAILED, SCREENED):
        log.now = T0 - 9 * DAY
        consent = ConsentRecorded(site_id="BFH", version="1", given_at=log.now, health_data_consent=True)
        log.commit(subject_stream(subject_id), consent)
    log.commit(subject_stream(FAILED), ScreenFailed(reason=SEALED))
    whole(log)
    log.now = END
    return log


def _treated(log: LogWriter) -> None:
    """Two sessions and a void one; results of every kind; adverse events; a transplant, then a fatal sepsis."""
    stream = subject_stream(TREATED)
    log.now = T0 - 10 * DAY
    for version in ("1", "2"):
        consent = ConsentRecorded(site_id="BFH", version=version, given_at=log.now, health_data_consent=True)
        log.commit(stream, consent)
        log.tick(60)
    log.commit(
        stream,
        SubjectEnrolled(
            indication=Indication.SFSS,
            sex=Sex.FEMALE,
            age_years=41,
            chronic_health=True,
            admission_type=AdmissionType.EMERGENCY_POSTOPERATIVE,
            height_cm="162.5",
        ),
    )
    _sessions(log, stream)
    _measured(log, stream)
    _observed(log, stream)
    _events(log, stream)
    log.now = T0 + 41 * DAY
    log.commit(stream, TransplantDone(transplant_at=partial("2026-04-20")))
    fatal = adverse_event(
        log,
        stream,
        code="SEPSIS",
        grade=4,
        grade_at=partial("2026-04-28"),
        criteria=(Criterion.LIFE_THREATENING,),
        onset=partial("2026-04-28"),
        aware_at=T0 + 50 * DAY,
    )
    log.now, when = T0 + 60 * DAY, partial("2026-05")
    ids = {"ae_id": fatal.ae_id}
    log.commit(
        stream,
        ParticipantDied(death_at=when, aware_at=log.now, primary_cause_ae_id=fatal.ae_id),
        AEGradeChanged(**ids, ae_version=2, to_grade=5, grade_at=when),
        AESeriousnessCriteriaChanged(
            **ids, ae_version=3, assessor=Assessor.INVESTIGATOR, added=(Criterion.DEATH,), aware_at=log.now
        ),
        AEResolved(**ids, ae_version=4, outcome=Outcome.FATAL, end_at=when),
    )


def _sessions(log: LogWriter, stream: str) -> None:
    wrong = start(log, stream, started_at=T0 - 5 * DAY, weight_measured_at=T0 - 6 * DAY)
    log.commit(stream, SessionVoid(id=wrong.session_id, reason_code=ENTERED, reason_text=SEALED))
    log.now = T0
    first = start(log, stream, started_at=T0, weight_measured_at=T0 - DAY)
    log.commit(stream, SessionEnded(session_id=first.session_id, ended_at=A, reason=EndReason.COMPLETED))
    log.commit(stream, SessionCorrected(id=first.session_id, field="weightKg", new_value="62.5", reason=SEALED))
    log.now = T0 + 3 * DAY
    second = start(log, stream, started_at=log.now, viable_cells=9_000_000_000)
    log.commit(stream, SessionPaused(session_id=second.session_id, at=log.tick(60), reason=SEALED))
    log.commit(stream, SessionResumed(session_id=second.session_id, at=log.tick(30)))
    log.commit(stream, SessionEnded(session_id=second.session_id, ended_at=log.tick(90), reason=EndReason.CLOTTING))


def _measured(log: LogWriter, stream: str) -> None:
    log.now = T0 - DAY

    def row(code: str, value: str | None = None, unit: str | None = None, **more: object) -> Measured:
        given = {"result_id": log.uuid(), "code": code, "value": value, "unit": unit, "accepted": True, **more}
        return Measured.model_validate(given)

    def reported(at: datetime | date, *rows: Measured) -> None:
        event = LabResultsRecorded(sample_id=log.uuid(), collected_at=at, laboratory="Central", results=rows)
        log.commit(stream, event, actor="lab", role="LABORATORY")

    below = row("tbil", "0.2", "mg/dL", comparator=Comparator.LT, low="0.2", high="1.2")
    mended, gone = row("creatinine", "8.8", "umol/L"), row("albumin", "30", "g/L")
    unknown = {"accepted": False, "reject_reason": RejectReason.UNKNOWN_CODE}
    reported(
        log.now,
        below,
        mended,
        gone,
        row("ALT", "31", "U/L", **unknown),
        row("ast", "31", "parsec", accepted=False, reject_reason=RejectReason.UNIT_UNKNOWN),
        row("inr", not_done=NotDone.HEMOLYSED),
    )
    log.commit(
        stream, LabResultCorrected(id=mended.result_id, field="value", new_value="88", reason=SEALED, accepted=True)
    )
    log.commit(stream, LabResultVoided(id=gone.result_id, reason_code=ENTERED, reason_text=SEALED))
    reported(log.now - timedelta(minutes=1), row("platelets", "150", "10*9/L"))
    log.now = T0 + 7 * DAY
    reported(log.now.date(), row("inr", "1.4"), row("sodium", "138", "meq/L"))
    reported(log.now.date(), row("inr", "1.5"))


def _observed(log: LogWriter, stream: str) -> None:
    values = {"gcs_eye": "4", "gcs_motor": "6", "gcs_verbal": "NT", "map": "11", "weight": "61", "temperature": "37"}
    units = {"map": "kPa", "weight": "kg", "temperature": "Cel"}
    for at in (T0 - DAY, T0 + 7 * DAY):
        log.now = at
        rows = [
            ObservedRow(
                result_id=log.uuid(),
                code=code,
                value=value,
                unit=units.get(code),
                accepted=True,
                nt_reason=NotTestable.INTUBATED if value == "NT" else None,
                method="axillary" if code == "temperature" else None,
            )
            for code, value in values.items()
        ]
        log.commit(stream, ObservationsRecorded(assessed_at=at, rows=tuple(rows)), role="COORDINATOR")


def _events(log: LogWriter, stream: str) -> None:
    log.now = T0 + 8 * DAY
    fever = adverse_event(
        log, stream, onset=partial("2026-03"), grade=1, action_taken=ActionTaken.SESSION_STOPPED_EARLY
    )
    worse = AEGradeChanged(ae_id=fever.ae_id, ae_version=2, to_grade=3, grade_at=partial("2026-03-17"))
    log.commit(stream, worse)
    said = {"ae_id": fever.ae_id, "assessor": Assessor.INVESTIGATOR, "rationale": SEALED}
    for version, target in (
        (3, CausalityTarget.CELL_PRODUCT),
        (4, CausalityTarget.DEVICE),
        (5, CausalityTarget.PROCEDURE),
    ):
        judged = {**said, "ae_version": version, "target": target, "value": Causality.NOT_ASSESSABLE}
        log.commit(stream, AECausalityAssessed.model_validate(judged))
    coded = {"meddra_version": "29.0", "llt_code": "10037660", "pt_code": "10037660", "pt_name": "Pyrexia"}
    log.commit(stream, AECoded.model_validate({"ae_id": fever.ae_id, "ae_version": 6, **coded}))
    ended = AEResolved(ae_id=fever.ae_id, ae_version=7, outcome=Outcome.RECOVERED, end_at=partial("2026-03-20T02:05Z"))
    log.commit(stream, ended)
    gone = adverse_event(log, stream, code="RASH")
    why = {"reason_code": AeVoidReason.NOT_AN_AE, "reason_text": SEALED}
    log.commit(stream, AEVoided.model_validate({"ae_id": gone.ae_id, "ae_version": 2, "co_signer": "dr-wu", **why}))
    blame = CausalityStatement(target=CausalityTarget.CELL_PRODUCT, value=Causality.POSSIBLE)
    adverse_event(log, stream, code="OTHER", ctcae_term="Hypokalemia", grade=None, grade_at=None, causality=(blame,))
    unknown = PartialDate(precision=Precision.UNKNOWN)
    adverse_event(
        log,
        stream,
        code="OTHER",
        onset=unknown,
        grade_at=unknown,
        outcome=Outcome.RECOVERED_WITH_SEQUELAE,
        end_at=unknown,
    )


def _died(log: LogWriter) -> None:
    """A death that no adverse event tells, on a known day."""
    log.now = T0 - 8 * DAY
    stream = enrol(log, DIED)
    log.now = T0 + DAY
    session = start(log, stream, started_at=log.now)
    log.commit(stream, SessionEnded(session_id=session.session_id, ended_at=log.tick(300), reason=EndReason.COMPLETED))
    log.now = T0 + 30 * DAY
    log.commit(stream, ParticipantDied(death_at=partial("2026-04-08"), aware_at=log.now))


def _lost(log: LogWriter) -> None:
    """Lost, found, withdrawn from treatment, lost again; never treated."""
    log.now = T0 - 7 * DAY
    stream = enrol(log, LOST)
    for number in range(2):
        log.now = T0 + (10 + 20 * number) * DAY
        log.commit(stream, LostToFollowUp(last_contact_at=log.now - DAY))
        if number == 0:
            log.now = T0 + 20 * DAY
            log.commit(stream, ContactRegained(at=log.now))
            scope = WithdrawalScope.TREATMENT_ONLY
            log.commit(stream, ParticipantWithdrew(withdrawn_at=log.now, scope=scope, vital_status_allowed=False))


@cache
def tables(as_of: datetime = END) -> Tables:
    """The export of the course as of an instant."""
    return exported(*rows_at(streams_of(course().records), as_of))


def of(domain: str, subject_id: str, as_of: datetime = END) -> list[Named]:
    """A participant's rows of a dataset."""
    return [row for row in table(tables(as_of), domain) if row["USUBJID"] == subject_id]


def one(domain: str, subject_id: str, **known: Value) -> Named:
    """The one row of a participant with these values."""
    found = [row for row in of(domain, subject_id) if known.items() <= row.items()]
    assert len(found) == 1, found
    return found[0]


def values(row: Named, *names: str) -> tuple[Value, ...]:
    """Some variables of a row."""
    return tuple(row[name] for name in names)
