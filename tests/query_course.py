"""One participant's stream for tests of data queries: what happens, and what is asked about it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hepatrail_events.adverse_events import ActionTaken, AEReported, AEVoided, AeVoidReason, Outcome
from hepatrail_events.assessments import AEAssessmentDone, ParticipantDied, YesNo
from hepatrail_events.codec import Recorded, read
from hepatrail_events.concomitant import ProcedureKind, ProcedureRecorded
from hepatrail_events.event import Event
from hepatrail_events.measurements import LabResultsRecorded, Measured, ObservationsRecorded, ObservedRow
from hepatrail_events.sessions import EndReason, SessionEnded, SessionStarted
from hepatrail_events.streams import STUDY
from hepatrail_events.types import PartialDate, Precision
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.data_query import QueryRow
from hepatrail_projections.queries.catalogue import RULES
from hepatrail_projections.queries.finding import Rule
from hepatrail_projections.queries.rows import query_rows
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import SubjectView, fold_all
from log_commits import enrol, publish, start
from projection_log import SEALED, LogWriter

S = "S-1"


def minute(at: datetime) -> PartialDate:
    """An instant to the minute."""
    return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)


def day(text: str) -> PartialDate:
    """A civil date of the site."""
    return PartialDate(value=text, precision=Precision.DAY)


def void(identity: UUID) -> dict[str, Any]:
    """What every void states."""
    return {"id": identity, "reason_code": "ENTERED_IN_ERROR", "reason_text": SEALED}


class Course:
    """A participant who consented and was enrolled; `protocol` changes what is published."""

    def __init__(self, **protocol: Any) -> None:
        self.log = LogWriter(5)
        publish(self.log, **protocol)
        self.stream = enrol(self.log, S)
        self.log.tick(60)

    @property
    def now(self) -> datetime:
        """The time of the log."""
        return self.log.now

    def wait(self, **passed: float) -> datetime:
        """Time passes without any event."""
        self.log.now += timedelta(**passed)
        return self.log.now

    def commit(self, *events: Event, role: str = "INVESTIGATOR", actor: str = "dr-li") -> UUID:
        """The events of one commit; the id of the first."""
        made = self.log.commit(self.stream, *events, role=role, actor=actor)
        return read(made[0].value or b"").envelope.id

    def events(self, stream: str) -> list[Recorded]:
        """A stream as it was recorded."""
        found = (read(each.value or b"") for each in self.log.records if each.topic == EVENTS)
        return [each for each in found if each.envelope.stream == stream]

    def view(self, until: datetime | None = None) -> SubjectView:
        """The participant as recorded until an instant."""
        recorded = self.events(self.stream)
        return fold_all(S, (each for each in recorded if until is None or each.envelope.recordedat <= until))

    def queries(self, at: datetime | None = None, rules: tuple[Rule, ...] = RULES) -> list[QueryRow]:
        """All queries that have opened, as of an instant."""
        instant = at or self.now
        published = fold_study_events(self.events(STUDY)).published_at(instant)
        view = self.view(at)
        rows = query_rows(view, None if published is None else clinical_state(view, published), rules)
        return [row for row in rows if row.exists_at(instant)]

    def open(self, rule: str, at: datetime | None = None) -> list[QueryRow]:
        """The queries of a rule that wait for the site."""
        return [row for row in self.queries(at) if row.rule == rule and row.is_open_at(at or self.now)]

    def codes(self, rule: str, at: datetime | None = None) -> list[str]:
        """Every condition that holds of the rule's open queries."""
        return [each["code"] for row in self.open(rule, at) for each in row.details]

    def the(self, rule: str) -> QueryRow:
        """The only open query of a rule."""
        (row,) = self.open(rule)
        return row

    def session(self, hours: float | None = 5, **changes: Any) -> SessionStarted:
        """A session that begins now and ends so many hours later (None: goes on)."""
        begun = start(self.log, self.stream, **changes)
        if hours is not None:
            self.end(begun, hours)
        return begun

    def end(self, begun: SessionStarted, hours: float) -> None:
        """The session ends so many hours after its start."""
        at = begun.started_at + timedelta(hours=hours)
        self.log.now = max(self.now, at)
        self.commit(SessionEnded(session_id=begun.session_id, ended_at=at, reason=EndReason.COMPLETED))

    def labs(self, *rows: dict[str, Any], **sample: Any) -> list[UUID]:
        """One sample collected now; the ids of its results."""
        made = [self._row(Measured, row) for row in rows]
        fields = {"sample_id": self.log.uuid(), "collected_at": self.now, "laboratory": "Central", "results": made}
        self.commit(LabResultsRecorded.model_validate({**fields, **sample}), role="LABORATORY", actor="lab")
        return [row.result_id for row in made]

    def bedside(self, *rows: dict[str, Any], **moment: Any) -> list[UUID]:
        """Observations of one moment, now; the ids of the rows."""
        made = [self._row(ObservedRow, row) for row in rows]
        self.commit(ObservationsRecorded.model_validate({"assessed_at": self.now, "rows": made, **moment}))
        return [row.result_id for row in made]

    def _row(self, kind: type[Any], fields: dict[str, Any]) -> Any:
        return kind.model_validate({"result_id": self.log.uuid(), "accepted": True, **fields})

    def adverse_event(self, **changes: Any) -> AEReported:
        """An adverse event of grade 2 that began now, assessed for cell product and device."""
        unrelated = [{"target": target, "value": "UNRELATED"} for target in ("CELL_PRODUCT", "DEVICE")]
        fields = {
            "ae_id": self.log.uuid(),
            "ae_version": 1,
            "code": "FEVER",
            "verbatim": SEALED,
            "onset": minute(self.now),
            "aware_at": self.now,
            "grade": 2,
            "grade_at": minute(self.now),
            "outcome": Outcome.NOT_RECOVERED,
            "action_taken": ActionTaken.NO_CHANGE,
            "reporter": "investigator",
            "causality": unrelated,
            **changes,
        }
        event = AEReported.model_validate(fields)
        self.commit(event)
        return event

    def void_ae(self, event: AEReported, version: int = 2) -> None:
        """The adverse event is void."""
        reason = AeVoidReason.NOT_AN_AE
        self.commit(AEVoided(ae_id=event.ae_id, ae_version=version, reason_code=reason, reason_text=SEALED))

    def procedure(self, kind: ProcedureKind, started: PartialDate, ended: PartialDate | None = None) -> UUID:
        """A procedure; its id."""
        identity = self.log.uuid()
        self.commit(ProcedureRecorded(procedure_id=identity, kind=kind, started_at=started, ended_at=ended))
        return identity

    def assessed(self, any_new: YesNo, **changes: Any) -> UUID:
        """The site asked for adverse events; the id of the assessment."""
        return self.commit(AEAssessmentDone(**{"at": self.now, "any_new": any_new, **changes}))

    def died(self) -> UUID:
        """The participant dies now; the id of the event."""
        return self.commit(ParticipantDied(death_at=minute(self.now), aware_at=self.now))


def rules_of(rows: Iterable[QueryRow]) -> list[str]:
    """The rules that ask."""
    return [row.rule for row in rows]
