"""One participant's course in the log, for tests of laboratory grades."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.adverse_events import AEReported
from hepatrail_events.codec import read
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    LabResultsRecorded,
    Measured,
    ObservationsRecorded,
    ObservedRow,
)
from hepatrail_events.streams import STUDY
from hepatrail_events.types import PartialDate, Precision
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.grading.unreviewed import Finding
from hepatrail_projections.clinical_state import ClinicalState, clinical_state
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.lab_grades import unreviewed_findings
from hepatrail_projections.lab_result import LabResultRow, lab_result_rows
from hepatrail_projections.study_view import StudyView, fold_study
from hepatrail_projections.subject_view import empty_view, fold
from log_commits import adverse_event, enrol, publish, start
from projection_log import LogWriter

S = "S-1"
HOUR = 60
DAY = 24 * HOUR
LIMITS = {
    "alt": ("U/L", "9", "50"),
    "tbil": ("umol/L", "0", "26"),
    "creatinine": ("umol/L", "57", "97"),
    "platelets": ("10*9/L", "125", "350"),
    "inr": (None, None, None),
    "glucose": ("mmol/L", "3.9", "6.1"),
    "sodium": ("mmol/L", "137", "147"),
    "lactate": ("mmol/L", "0.5", "2.2"),
}


def day(text: str) -> PartialDate:
    """A civil day."""
    return PartialDate(value=text, precision=Precision.DAY)


def minute(at: datetime) -> PartialDate:
    """An instant."""
    return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)


@dataclass
class Course:
    """One participant's log, written event by event."""

    log: LogWriter = field(default_factory=lambda: LogWriter(7))
    stream: str = f"subject-{S}"

    def __post_init__(self) -> None:
        publish(self.log)
        enrol(self.log, S)
        self.log.tick(HOUR)

    def commit(self, event: Event, actor: str = "dr-li") -> None:
        self.log.commit(self.stream, event, actor=actor)

    def measured(self, code: str, value: str, **changes: Any) -> UUID:
        """One result now, with the limits of the laboratory unless told otherwise."""
        unit, low, high = LIMITS[code]
        at = changes.pop("at", self.log.now)
        body = {
            "result_id": self.log.uuid(),
            "code": code,
            "value": value,
            "unit": unit,
            "low": low,
            "high": high,
            "accepted": True,
            **changes,
        }
        row = Measured.model_validate(body)
        self.commit(
            LabResultsRecorded(sample_id=self.log.uuid(), collected_at=at, laboratory="Central", results=(row,))
        )
        return row.result_id

    def observed(self, code: str, value: str, unit: str | None = None) -> None:
        row = ObservedRow(result_id=self.log.uuid(), code=code, value=value, unit=unit, accepted=True)
        self.commit(ObservationsRecorded(assessed_at=self.log.now, rows=(row,)))

    def treated(self) -> UUID:
        """The first session begins now."""
        return start(self.log, self.stream).session_id

    def view(self) -> SubjectView:
        view = empty_view(S)
        for each in self.log.records:
            recorded = read(each.value or b"") if each.topic == EVENTS else None
            if recorded is not None and recorded.envelope.stream == self.stream:
                view = fold(view, recorded)
        return view

    def state(self, view: SubjectView) -> ClinicalState:
        study = StudyView()
        for each in self.log.records:
            recorded = read(each.value or b"") if each.topic == EVENTS else None
            if recorded is not None and recorded.envelope.stream == STUDY:
                study = fold_study(study, recorded)
        published = study.published_at(self.log.now)
        assert published is not None
        return clinical_state(view, published)

    def row(self, result_id: UUID) -> LabResultRow:
        view = self.view()
        return next(row for row in lab_result_rows(view, self.state(view)) if row.result_id == result_id)

    def grade(self, result_id: UUID, term: str | None = None) -> dict[str, Any]:
        entries: list[dict[str, Any]] = self.row(result_id).grades
        return next(each for each in entries if term in (None, each["term"]))

    def findings(self) -> tuple[Finding, ...]:
        view = self.view()
        return unreviewed_findings(view, self.state(view))


def linked(course: Course, **changes: Any) -> AEReported:
    """An adverse event now, of a laboratory term unless told otherwise."""
    fields = {"code": "LAB_ABNORMALITY", "ctcae_term": "platelet count decreased ", "grade": 4, **changes}
    return adverse_event(course.log, course.stream, **fields)
