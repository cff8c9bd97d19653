"""Other treatment, conditions, deficiencies, reports and queries of a random trial, and how records are mended."""

from typing import NamedTuple
from uuid import UUID

from happenings.adverse_events import AdverseEvents
from happenings.course import Course
from happenings.measurements import Measurements
from happenings.sessions import Sessions
from hepatrail_events.baseline_conditions import (
    BaselineConditionCorrected,
    BaselineConditionRecorded,
    BaselineConditionVoided,
)
from hepatrail_events.concomitant import (
    MedicationCorrected,
    MedicationRecorded,
    MedicationVoided,
    ProcedureCorrected,
    ProcedureKind,
    ProcedureRecorded,
    ProcedureVoided,
)
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.device_deficiencies import (
    DeviceDeficiencyCorrected,
    DeviceDeficiencyReported,
    DeviceDeficiencyVoided,
)
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
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
from projection_log import SEALED


class _Mend(NamedTuple):
    """How a record may be corrected: its id, the correction, a field with a new value, and the void."""

    identity: UUID
    corrected: type[Event]
    field: str
    text: str
    voided: type[Event]


class Records:
    """Everything else that is put on record of one participant, in view of what is known of the others."""

    def __init__(
        self, course: Course, measurements: Measurements, sessions: Sessions, adverse_events: AdverseEvents
    ) -> None:
        self._course = course
        self._measurements = measurements
        self._sessions = sessions
        self._adverse_events = adverse_events
        self._mendable: list[_Mend] = []

    def record(self) -> None:
        """A medication, a procedure, a baseline condition or a device deficiency."""
        log, identity = self._course.log, self._course.log.uuid()
        medication = MedicationRecorded(
            medication_id=identity, verbatim=SEALED, started_at=self._course.day(9), therapeutic_anticoagulant=True
        )
        procedure = ProcedureRecorded(
            procedure_id=identity, kind=log.chance.choice(list(ProcedureKind)), started_at=self._course.day(9)
        )
        condition = BaselineConditionRecorded(
            baseline_condition_id=identity, code="OTHER", verbatim=SEALED, onset=self._course.day(30), grade=2
        )
        session_id = self._sessions.ended[0] if self._sessions.ended else log.uuid()
        deficiency = DeviceDeficiencyReported.from_payload(
            {
                "deficiencyId": identity,
                "description": SEALED,
                "sessionId": session_id,
                "lot": "D1",
                "couldHaveLedToSADE": False,
            }
        )
        kinds: tuple[tuple[Event, _Mend], ...] = (
            (medication, _Mend(identity, MedicationCorrected, "endedAt", "2026-03", MedicationVoided)),
            (procedure, _Mend(identity, ProcedureCorrected, "kind", "HD", ProcedureVoided)),
            (condition, _Mend(identity, BaselineConditionCorrected, "grade", "3", BaselineConditionVoided)),
            (deficiency, _Mend(identity, DeviceDeficiencyCorrected, "lot", "D2", DeviceDeficiencyVoided)),
        )
        event, mend = log.chance.choice(kinds)
        self._course.commit(event)
        self._mendable.append(mend)

    def mend(self) -> None:
        """A record is corrected, and perhaps void."""
        if not self._mendable:
            return
        chance = self._course.log.chance
        mend = self._mendable.pop(chance.randrange(len(self._mendable)))
        correction = {"id": mend.identity, "field": mend.field, "newValue": mend.text, "reason": SEALED.payload()}
        self._course.commit(mend.corrected.from_payload(correction))
        if chance.random() < 0.4:
            void = {"id": mend.identity, "reasonCode": "ENTERED_IN_ERROR", "reasonText": SEALED.payload()}
            self._course.commit(mend.voided.from_payload(void))

    def submit(self) -> None:
        """The sponsor is told of an adverse event, or an authority, or its narrative is written."""
        if not self._adverse_events.versions:
            return
        log, ae_id = self._course.log, self._course.log.chance.choice(list(self._adverse_events.versions))
        identity = log.uuid()
        event = log.chance.choice(
            (
                SponsorNotified(ae_id=ae_id, notified_at=self._course.past()),
                NarrativeWritten(ae_id=ae_id, narrative=SEALED, language=NarrativeLanguage.ENGLISH),
                SubmissionRecorded(
                    submission_id=identity,
                    ae_id=ae_id,
                    to=Recipient.EC,
                    kind=SubmissionKind.INITIAL,
                    submitted_at=self._course.past(),
                ),
            )
        )
        self._course.commit(event, role="SPONSOR")
        if isinstance(event, SubmissionRecorded):
            self._mendable.append(_Mend(identity, SubmissionCorrected, "reference", "EC-7", SubmissionVoided))

    def query(self) -> None:
        """An answer to a query that is open, perhaps, and its closure."""
        if not self._measurements.results:
            return
        rule = self._course.log.chance.choice(("LAB-02", "LAB-04"))
        query_id = derived_id(rule, self._course.subject_id, self._course.log.chance.choice(self._measurements.results))
        self._course.commit(QueryAnswered(query_id=query_id, text=SEALED), role="COORDINATOR")
        if self._course.log.chance.random() < 0.5:
            self._course.commit(QueryClosed(query_id=query_id, reason=SEALED, rule_version="1"), role="MONITOR")
