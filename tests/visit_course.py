"""One participant's course as recorded, and what the visits say of it at an instant: for tests of `visits.md`."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from clinical_builders import T0, A
from hepatrail_events.assessments import (
    AEAssessmentDone,
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
from hepatrail_events.catalogue import SEED_LABS, catalogue
from hepatrail_events.codec import read
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    LabResultsRecorded,
    Measured,
    NotDone,
    NotTestable,
    ObservationsRecorded,
    ObservedRow,
)
from hepatrail_events.sessions import EndReason, SessionEnded
from hepatrail_events.streams import STUDY
from hepatrail_events.types import PartialDate, Precision
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.compliance import VisitStatus
from hepatrail_projections.clinical_state import ClinicalState, clinical_state
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.visit import VisitRow, visit_rows
from hepatrail_projections.visits import status_at
from log_commits import enrol, publish, start
from projection_log import LogWriter

SUBJECT = "S-1"
STREAM = f"subject-{SUBJECT}"
LATER = datetime(2028, 1, 1, tzinfo=A.tzinfo)
"""When every window is over and everything is recorded."""

BEDSIDE = {
    "dialysis_sessions_7d": "0",
    "cvvhd_hours_7d": "0",
    "gcs_eye": "4",
    "gcs_verbal": "5",
    "gcs_motor": "6",
    "pao2": "90",
    "fio2": "0.21",
    "respiratory_support": "none",
    "map": "80",
    "vasoactive_given": "no",
    "temperature": "36.8",
    "temperature_site": "axillary",
    "heart_rate": "80",
    "resp_rate": "14",
    "ph_arterial": "7.4",
    "sodium": "138",
    "potassium": "4",
    "hematocrit": "40",
    "acute_renal_failure": "false",
}
"""Everything at the bedside that the four items with sub-inputs need."""


class VisitCourse:
    """Records facts; each is recorded `recorded`, by default ten minutes after its clinical time."""

    def __init__(self, **protocol: object) -> None:
        self.log = LogWriter(5)
        self.log.now = T0 - timedelta(days=30)
        publish(self.log, **protocol)  # type: ignore[arg-type]
        enrol(self.log, SUBJECT)

    def record(self, event: Event, at: datetime, recorded: datetime | None = None) -> UUID:
        """An event of a clinical time; the id of the event."""
        self.log.now = recorded or at + timedelta(minutes=10)
        [made] = self.log.commit(STREAM, event)
        return read(made.value or b"").envelope.id

    def session(self, started: datetime = T0, ended: datetime | None = A) -> UUID:
        """A session, open when it has no end."""
        self.log.now = started
        begun = start(self.log, STREAM, started_at=started)
        if ended is not None:
            done = SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.COMPLETED)
            self.record(done, ended)
        return begun.session_id

    def labs(
        self,
        at: datetime | date,
        codes: Iterable[str] = SEED_LABS,
        *,
        visit: str | None = None,
        recorded: datetime | None = None,
        not_done: NotDone | None = None,
        values: Mapping[str, str] = MappingProxyType({}),
    ) -> list[UUID]:
        """One sample: a value of each code, 30 unless given, or none for this reason; the ids of the results."""
        rows = [
            Measured(
                result_id=self.log.uuid(),
                code=code,
                value=None if not_done else values.get(code, "30"),
                unit=catalogue()[code].canonical_unit,
                not_done=not_done,
                accepted=True,
            )
            for code in codes
        ]
        event = LabResultsRecorded(
            sample_id=self.log.uuid(), collected_at=at, visit_code=visit, laboratory="Central", results=tuple(rows)
        )
        self.record(event, _instant(at), recorded)
        return [row.result_id for row in rows]

    def bedside(
        self,
        at: datetime | date,
        *,
        visit: str | None = None,
        recorded: datetime | None = None,
        without: Iterable[str] = (),
        not_done: dict[str, NotDone] | None = None,
        nt_reason: NotTestable | None = None,
        **values: str,
    ) -> list[UUID]:
        """All that the items with sub-inputs need, with changes; `nt_reason` goes to components that are `NT`."""
        given = {code: value for code, value in (BEDSIDE | values).items() if code not in set(without)}
        rows = [
            ObservedRow(
                result_id=self.log.uuid(),
                code=code,
                value=value,
                unit=catalogue()[code].canonical_unit,
                accepted=True,
                nt_reason=nt_reason if value == "NT" else None,
            )
            for code, value in given.items()
        ]
        rows += [
            ObservedRow(result_id=self.log.uuid(), code=code, not_done=why, accepted=True)
            for code, why in (not_done or {}).items()
        ]
        event = ObservationsRecorded(assessed_at=at, visit_code=visit, rows=tuple(rows))
        self.record(event, _instant(at), recorded)
        return [row.result_id for row in rows]

    def everything(self, at: datetime | date, *, visit: str | None = None, recorded: datetime | None = None) -> None:
        """All items of a point without AE and SURV."""
        self.labs(at, visit=visit, recorded=recorded)
        self.bedside(at, visit=visit, recorded=recorded)

    def ae(self, at: datetime, *, visit: str | None = None, recorded: datetime | None = None) -> UUID:
        """The site asked for adverse events; there was none."""
        return self.record(AEAssessmentDone(at=at, any_new=YesNo.N, visit_code=visit), at, recorded)

    def survival(
        self,
        at: datetime,
        alive: VitalStatus = VitalStatus.Y,
        *,
        visit: str | None = None,
        recorded: datetime | None = None,
    ) -> UUID:
        """The site recorded whether the participant lives."""
        event = SurvivalStatusRecorded(
            at=at, alive=alive, transplant=TransplantStatus.NONE, source=SurvivalSource.PHONE, visit_code=visit
        )
        return self.record(event, at, recorded)

    def death(self, at: datetime | date, *, recorded: datetime | None = None) -> UUID:
        """The participant died; a date alone is all that is known."""
        known = recorded or _instant(at) + timedelta(minutes=10)
        return self.record(ParticipantDied(death_at=partial(at), aware_at=known), _instant(at), recorded)

    def transplant(self, at: datetime | date, *, recorded: datetime | None = None) -> UUID:
        """The participant received a liver."""
        return self.record(TransplantDone(transplant_at=partial(at)), _instant(at), recorded)

    def withdrawal(
        self, at: datetime, scope: WithdrawalScope = WithdrawalScope.FOLLOW_UP, *, vital_status: bool = False
    ) -> UUID:
        """The participant withdrew."""
        event = ParticipantWithdrew(withdrawn_at=at, scope=scope, vital_status_allowed=vital_status)
        return self.record(event, at)

    def view(self, recorded_until: datetime | None = None) -> SubjectView:
        """The fold of what was recorded until then."""
        events = [read(each.value or b"") for each in self.log.records if each.topic == EVENTS]
        mine = [each for each in events if each.envelope.stream == STREAM]
        return fold_all(
            SUBJECT, [each for each in mine if recorded_until is None or each.envelope.recordedat <= recorded_until]
        )

    def state(self, as_of: datetime | None = None) -> ClinicalState:
        """The clinical state of what was recorded until then, under the protocol version in force."""
        events = [read(each.value or b"") for each in self.log.records if each.topic == EVENTS]
        study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
        published = study.published_at(as_of or self.log.now)
        assert published is not None
        return clinical_state(self.view(as_of), published)

    def rows(self, as_of: datetime | None = None) -> dict[str, VisitRow]:
        """The visits of what was recorded until then, by code."""
        return {row.code: row for row in visit_rows(self.view(as_of), self.state(as_of))}

    def status(self, code: str, as_of: datetime = LATER) -> VisitStatus:
        """What the system answers as of an instant: it knows what was recorded until then."""
        return status_at(self.rows(as_of)[code], as_of)


def partial(at: datetime | date) -> PartialDate:
    """An instant to its minute, or a day."""
    if isinstance(at, datetime):
        return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
    return PartialDate(value=at.isoformat(), precision=Precision.DAY)


def _instant(at: datetime | date) -> datetime:
    return at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, 12, tzinfo=A.tzinfo)
