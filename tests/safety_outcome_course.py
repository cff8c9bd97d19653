"""Trials in memory for the tests of outcomes: participants with sessions and adverse events, and their rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from clinical_builders import T0
from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AEReported,
    Assessor,
    Causality,
    CausalityTarget,
)
from hepatrail_events.assessments import (
    AEAssessmentDone,
    ParticipantDied,
    SurvivalSource,
    SurvivalStatusRecorded,
    TransplantStatus,
    VitalStatus,
    YesNo,
)
from hepatrail_events.codec import Recorded, read
from hepatrail_events.event import Event
from hepatrail_events.protocol import Protocol
from hepatrail_events.sessions import EndReason, SessionEnded, SessionStarted
from hepatrail_events.streams import STUDY, subject_of, subject_stream
from hepatrail_events.types import PartialDate, Precision
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.endpoints.safety_facts import SafetyFacts, safety_facts
from hepatrail_projections.endpoints.safety_tables import safety_tables
from hepatrail_projections.endpoints.survival_facts import survival_facts
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from log_commits import adverse_event, enrol, publish, start
from projection_log import SEALED, LogWriter

BOTH = (CausalityTarget.CELL_PRODUCT, CausalityTarget.DEVICE)
LATE = timedelta(days=500)
"""After T0: when everything is over and recorded."""


class OutcomeTrial:
    """Participants who are treated at T0 unless told otherwise; everything is recorded at the end, LATE."""

    def __init__(self, **protocol: object) -> None:
        self.log = LogWriter(71)
        self.log.now = T0 - timedelta(days=10)
        publish(self.log, **protocol)  # type: ignore[arg-type]
        self.log.now = T0 - timedelta(days=5)

    def enrolled(self, *subject_ids: str) -> None:
        """Participants who are not treated."""
        for each in subject_ids:
            enrol(self.log, each)

    def treated(self, *subject_ids: str, at: datetime = T0) -> None:
        """Participants with one complete session of six hours."""
        for each in subject_ids:
            enrol(self.log, each)
            self.session(each, at)

    def session(
        self,
        subject_id: str,
        at: datetime,
        hours: float | None = 6,
        reason: EndReason = EndReason.COMPLETED,
        **given: Any,
    ) -> SessionStarted:
        """A session, running where it has no hours."""
        begun = start(self.log, subject_stream(subject_id), started_at=at, **given)
        if hours is not None:
            self.say(
                subject_id,
                SessionEnded(session_id=begun.session_id, ended_at=at + timedelta(hours=hours), reason=reason),
            )
        return begun

    def ae(self, subject_id: str, onset: datetime | PartialDate = T0 + timedelta(hours=1), **given: Any) -> AEReported:
        """An adverse event of grade 2, fever, that begins an hour after T0."""
        when = onset if isinstance(onset, PartialDate) else minute(onset)
        grade_at = None if given.get("grade", 2) is None else when
        return adverse_event(
            self.log, subject_stream(subject_id), onset=when, **{"grade_at": grade_at, "aware_at": T0, **given}
        )

    def judged(self, subject_id: str, event: AEReported, value: Causality, version: int = 2) -> None:
        """The investigator's judgement of cells and device."""
        for number, target in enumerate(BOTH):
            self.say(
                subject_id,
                AECausalityAssessed(
                    ae_id=event.ae_id,
                    ae_version=version + number,
                    assessor=Assessor.INVESTIGATOR,
                    target=target,
                    value=value,
                    rationale=SEALED,
                ),
            )

    def coded(self, subject_id: str, event: AEReported, code: str, name: str | None, version: int = 2) -> None:
        """A coder codes the event."""
        self.say(
            subject_id,
            AECoded(
                ae_id=event.ae_id,
                ae_version=version,
                meddra_version="28.1",
                llt_code="10000001",
                pt_code=code,
                pt_name=name,
            ),
        )

    def seen(self, subject_id: str, at: datetime) -> None:
        """The site found the participant alive."""
        status = SurvivalStatusRecorded(
            at=at, alive=VitalStatus.Y, transplant=TransplantStatus.NONE, source=SurvivalSource.PHONE
        )
        self.say(subject_id, status)

    def asked(self, subject_id: str, at: datetime) -> None:
        """The site asked for adverse events."""
        self.say(subject_id, AEAssessmentDone(at=at, any_new=YesNo.N))

    def died(self, subject_id: str, at: datetime) -> None:
        """The participant died."""
        self.say(subject_id, ParticipantDied(death_at=minute(at), aware_at=at))

    def say(self, subject_id: str, *events: Event, role: str = "INVESTIGATOR") -> None:
        """Events of a participant's stream."""
        self.log.commit(subject_stream(subject_id), *events, role=role)

    def tables(self, at: datetime = T0 + LATE) -> Mapping[str, Table]:
        """The tables of adverse events by their code."""
        found, protocol = facts(self.log, at)
        return {table.code: table for table in safety_tables(found, protocol, at)}

    def counts(self, code: str, column: str = "PARTICIPANTS", at: datetime = T0 + LATE) -> dict[str, int | None]:
        """The numbers of one column of a table by row."""
        return {row.code: row.cell(column).n for row in self.tables(at)[code].rows}


def derived(log: LogWriter, at: datetime) -> tuple[list[SubjectRows], Protocol]:
    """The rows of all participants under the protocol in force, from everything in the log."""
    streams: dict[str, list[Recorded]] = defaultdict(list)
    for each in log.records:
        if each.topic == EVENTS:
            recorded = read(each.value or b"")
            streams[recorded.envelope.stream].append(recorded)
    study = fold_study_events(streams[STUDY])
    published = study.published_at(at)
    assert published is not None
    rows = [
        derive(fold_all(subject, events), study, at)
        for stream, events in streams.items()
        if (subject := subject_of(stream)) is not None
    ]
    return rows, published.protocol


def facts(log: LogWriter, at: datetime) -> tuple[list[SafetyFacts], Protocol]:
    """What all participants contribute."""
    rows, protocol = derived(log, at)
    return [safety_facts(each, protocol, survival_facts(each, protocol).follow_up) for each in rows], protocol


def minute(at: datetime) -> PartialDate:
    """An instant as a partial date."""
    return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)


def only(precision: Precision, value: str | None = None) -> PartialDate:
    """A date of which only a part is known."""
    return PartialDate(value=value, precision=precision)


def who(table: Table, row: str, column: str) -> Sequence[str]:
    """The participants behind a cell."""
    return [each.subject_id for each in table.row(row).cell(column).contributions]
