"""Commits that most trials have, put on a log in memory: a protocol, a participant, a sample, a session, an alert."""

from datetime import datetime, timedelta
from uuid import UUID

from hepatrail_events.adverse_events import ActionTaken, AEReported, Outcome
from hepatrail_events.enrolment import AdmissionType, ConsentRecorded, Indication, Sex, SubjectEnrolled
from hepatrail_events.measurements import LabResultsRecorded, Measured
from hepatrail_events.protocol import Protocol, content_hash, shipped_protocol
from hepatrail_events.safety_desk import AlertAcknowledged, AlertRaised, AlertType, Priority
from hepatrail_events.sessions import AccessVein, SessionStarted, Side
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import ProtocolPublished
from hepatrail_events.types import PartialDate, Precision
from projection_log import SEALED, LogWriter


def publish(log: LogWriter, version: str = "1.0", effective: datetime | None = None, **changes: object) -> None:
    """A protocol version takes effect now or later."""
    content = Protocol.model_validate({**shipped_protocol().model_dump(), **changes}).content()
    log.commit(
        STUDY,
        ProtocolPublished(
            version=version,
            content=content,
            hash=content_hash(content),
            approved_by="EC",
            reason="first version",
            effective_at=effective or log.now,
        ),
        role="SPONSOR",
    )


def enrol(log: LogWriter, subject_id: str) -> str:
    """Consent and enrolment; the stream."""
    stream = subject_stream(subject_id)
    log.commit(stream, ConsentRecorded(site_id="BFH", version="1", given_at=log.now, health_data_consent=True))
    log.commit(
        stream,
        SubjectEnrolled(
            indication=Indication.LIVER_FAILURE,
            sex=Sex.MALE,
            age_years=54,
            chronic_health=False,
            admission_type=AdmissionType.NONOPERATIVE,
        ),
    )
    return stream


def sample(
    log: LogWriter,
    stream: str,
    *,
    at: datetime | None = None,
    visit: str | None = None,
    **values: tuple[str, str] | str,
) -> list[UUID]:
    """One accepted sample; a value is text in the canonical unit or (text, unit)."""
    units = {"creatinine": "umol/L", "tbil": "umol/L", "inr": None, "dialysis_sessions_7d": None}
    rows = []
    for code, given in values.items():
        value, unit = given if isinstance(given, tuple) else (given, units.get(code))
        rows.append(Measured(result_id=log.uuid(), code=code, value=value, unit=unit, accepted=True))
    log.commit(
        stream,
        LabResultsRecorded(
            sample_id=log.uuid(),
            collected_at=at or log.now,
            visit_code=visit,
            laboratory="Central",
            results=tuple(rows),
        ),
        actor="lab",
        role="LABORATORY",
    )
    return [row.result_id for row in rows]


def start(log: LogWriter, stream: str, **changes: object) -> SessionStarted:
    """A session of 60 kg and the protocol's dose."""
    fields = {
        "session_id": log.uuid(),
        "started_at": log.now,
        "access_vein": AccessVein.FEMORAL,
        "side": Side.LEFT,
        "device_lot": "D1",
        "cell_batch": "C1",
        "batch_release_ref": "R1",
        "viability_percent": "92",
        "viable_cells": 10_020_000_000,
        "weight_kg": "60",
        "weight_measured_at": log.now - timedelta(days=1),
        **changes,
    }
    event = SessionStarted.model_validate(fields)
    log.commit(stream, event)
    return event


def adverse_event(log: LogWriter, stream: str, **changes: object) -> AEReported:
    """An adverse event of grade 2 that began now."""
    now = PartialDate(value=f"{log.now:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
    fields = {
        "ae_id": log.uuid(),
        "ae_version": 1,
        "code": "FEVER",
        "verbatim": SEALED,
        "onset": now,
        "aware_at": log.now,
        "grade": 2,
        "grade_at": now,
        "outcome": Outcome.NOT_RECOVERED,
        "action_taken": ActionTaken.NO_CHANGE,
        "reporter": "investigator",
        **changes,
    }
    event = AEReported.model_validate(fields)
    log.commit(stream, event)
    return event


def alert(log: LogWriter, number: int, event: AEReported, subject_id: str) -> UUID:
    """The desk raises an alert of an adverse event."""
    alert_id = log.uuid()
    log.commit(
        SAFETY_DESK,
        AlertRaised(
            alert_id=alert_id,
            type=AlertType.SAE_NEW,
            priority=Priority.P2,
            raised_at=log.now,
            commit_id=log.uuid(),
            reporter_id="dr-li",
            subject_id=subject_id,
            site_id="BFH",
            ae_id=event.ae_id,
            alert_seq=number,
        ),
        actor="system",
        role="SYSTEM",
    )
    return alert_id


def acknowledge(log: LogWriter, alert_id: UUID, by: str) -> None:
    """Somebody has seen the alert."""
    log.commit(SAFETY_DESK, AlertAcknowledged(alert_id=alert_id, by=by, at=log.now), actor=by, role="SAFETY_OFFICER")
