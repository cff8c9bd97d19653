"""A participant with a full year of data: 14 points with 21 analytes each, 40 sessions, 60 adverse events."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial

from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AEGradeChanged,
    AEReported,
    AEResolved,
    Assessor,
    Causality,
    CausalityTarget,
    Outcome,
)
from hepatrail_events.assessments import (
    AEAssessmentDone,
    SurvivalSource,
    SurvivalStatusRecorded,
    TransplantStatus,
    VitalStatus,
    YesNo,
)
from hepatrail_events.catalogue import SEED_LABS, catalogue
from hepatrail_events.event import Event
from hepatrail_events.measurements import LabResultsRecorded, Measured, ObservationsRecorded, ObservedRow
from hepatrail_events.sessions import EndReason, SessionEnded
from hepatrail_events.types import PartialDate, Precision
from log_commits import adverse_event, enrol, start
from projection_log import SEALED, LogWriter

SESSIONS, ADVERSE_EVENTS = 40, 60
HOURS_AFTER_ANCHOR = (0.75, 12, 24, 48, 72, 120, 168, 336, 672, 1008, 2016, 4368, 8760)
"""Of the 13 points after the baseline (`visits.md` 1)."""
ASSESSED = (168, 672, 2016, 4368, 8760)
SEED_VALUES = {
    "creatinine": "150",
    "tbil": "300",
    "inr": "2.1",
    "albumin": "30",
    "platelets": "90",
    "wbc": "8",
    "sodium": "136",
    "potassium": "4",
}
BEDSIDE = {
    "dialysis_sessions_7d": "0",
    "cvvhd_hours_7d": "0",
    "gcs_eye": "4",
    "gcs_verbal": "5",
    "gcs_motor": "6",
    "pao2": "85",
    "paco2": "38",
    "fio2": "0.21",
    "ph_arterial": "7.4",
    "respiratory_support": "none",
    "map": "80",
    "vasoactive_given": "no",
    "urine_output_24h": "1500",
    "temperature": "37",
    "temperature_site": "core",
    "heart_rate": "90",
    "resp_rate": "16",
    "hematocrit": "33",
    "acute_renal_failure": "false",
    "sedated": "no",
}


def full_year(log: LogWriter, subject_id: str) -> str:
    """Writes the year of one participant, in the order of time; the stream."""
    stream = enrol(log, subject_id)
    log.commit(stream, *_measured(log))
    log.tick(60)
    _session(log, stream)
    anchor = log.now
    deeds: list[tuple[timedelta, Callable[[], object]]] = []
    for hours in HOURS_AFTER_ANCHOR:
        deeds.append((timedelta(hours=hours), lambda: log.commit(stream, *_measured(log))))
        if hours in ASSESSED:
            deeds.append((timedelta(hours=hours, minutes=5), lambda: log.commit(stream, *_assessed(log))))
    deeds += [(timedelta(days=10.1 + number), lambda: _session(log, stream)) for number in range(SESSIONS - 1)]
    deeds += [
        (timedelta(days=3.3 + 6 * number), partial(_adverse_event, log, stream, number))
        for number in range(ADVERSE_EVENTS)
    ]
    for after, deed in sorted(deeds, key=lambda each: each[0]):
        log.now = anchor + after
        deed()
    return stream


def _adverse_event(log: LogWriter, stream: str, number: int) -> None:
    event = adverse_event(log, stream, code=("FEVER", "RASH", "SEPSIS")[number % 3], grade=3)
    for each in _course(log, event, number):
        log.commit(stream, each)


def _measured(log: LogWriter) -> Iterator[Event]:
    rows = tuple(Measured.model_validate(each) for each in _rows(log, dict.fromkeys(SEED_LABS, "30") | SEED_VALUES))
    yield LabResultsRecorded(sample_id=log.uuid(), collected_at=log.now, laboratory="Central", results=rows)
    observed = tuple(ObservedRow.model_validate(each) for each in _rows(log, BEDSIDE))
    yield ObservationsRecorded(assessed_at=log.now, rows=observed)


def _rows(log: LogWriter, values: Mapping[str, str]) -> Iterator[dict[str, object]]:
    for code, value in values.items():
        unit = catalogue()[code].canonical_unit
        yield {"result_id": log.uuid(), "code": code, "value": value, "unit": unit, "accepted": True}


def _assessed(log: LogWriter) -> Iterator[Event]:
    yield AEAssessmentDone(at=log.now, any_new=YesNo.N)
    yield SurvivalStatusRecorded(
        at=log.now, alive=VitalStatus.Y, transplant=TransplantStatus.NONE, source=SurvivalSource.VISIT
    )


def _session(log: LogWriter, stream: str) -> None:
    session = start(log, stream)
    log.tick(360)
    log.commit(stream, SessionEnded(session_id=session.session_id, ended_at=log.now, reason=EndReason.COMPLETED))


def _course(log: LogWriter, event: AEReported, number: int) -> Iterator[Event]:
    """What follows a report: the device judged, for every second another grade, and its end."""
    later = PartialDate(value=f"{log.now + timedelta(hours=2):%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
    version = 2
    yield AECausalityAssessed(
        ae_id=event.ae_id,
        ae_version=version,
        assessor=Assessor.INVESTIGATOR,
        target=CausalityTarget.DEVICE,
        value=Causality.POSSIBLE,
        rationale=SEALED,
    )
    if number % 2:
        version += 1
        yield AEGradeChanged(ae_id=event.ae_id, ae_version=version, to_grade=2, grade_at=later)
    yield AEResolved(ae_id=event.ae_id, ae_version=version + 1, outcome=Outcome.RECOVERED, end_at=later)
