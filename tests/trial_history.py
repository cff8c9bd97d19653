"""Random but lawful histories of a trial: every kind of event of every family may happen, from a seed.

The folds need no more than that an event refers to what is there, so the histories are wider than deciders would allow.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AECorrected,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AEReopened,
    AEReported,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    AEVoided,
    AeVoidReason,
    AEVoidRequested,
    Assessor,
    Causality,
    CausalityTarget,
    Criterion,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.assessments import (
    AEAssessmentDone,
    AssessmentCorrected,
    AssessmentVoided,
    ContactRegained,
    DeathRecordCorrected,
    LostToFollowUp,
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
from hepatrail_events.baseline_conditions import (
    BaselineConditionCorrected,
    BaselineConditionRecorded,
    BaselineConditionVoided,
)
from hepatrail_events.codec import read
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
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabFindingReviewed,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    Measured,
    ObservationCorrected,
    ObservationsRecorded,
    ObservationVoided,
    ObservedRow,
    RejectReason,
)
from hepatrail_events.protocol_rules import EndpointRules
from hepatrail_events.sessions import (
    EndReason,
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
)
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.study import SiteActivated
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
from hepatrail_events.types import PartialDate, Precision, format_instant
from hepatrail_events.voiding import VoidReason
from projection_log import SEALED, LogWriter, acknowledge, adverse_event, alert, enrol, publish, sample, start


def history(seed: int, subjects: int = 3, steps: int = 60) -> LogWriter:
    """A random trial; a second protocol version is published half way and takes effect a day later."""
    log = LogWriter(seed)
    publish(log)
    log.commit(STUDY, SiteActivated(site_id="BFH", approval_ref="EC-1"), role="ADMIN")
    _screen_failure(log)
    players = [_Player(log, f"S-{number:02d}") for number in range(subjects)]
    alerts = 0
    for step in range(steps):
        log.tick(log.chance.uniform(1, 600))
        player = log.chance.choice(players)
        event = player.act()
        if event is not None and log.chance.random() < 0.5:
            alerts += 1
            raised = alert(log, alerts, event, player.subject_id)
            for by in ("dr-li", "officer")[: log.chance.randint(0, 2)]:
                acknowledge(log, raised, by)
        if step == steps // 2:
            later, whole = log.now + timedelta(days=1), EndpointRules(dose_target_scope="TOTAL").model_dump()
            publish(log, "2.0", later, dose_tolerance="0.05", self_ack=True, endpoints=whole)
    return log


def _screen_failure(log: LogWriter) -> None:
    stream = subject_stream("S-FAILED")
    log.commit(stream, ConsentRecorded(site_id="BFH", version="1", given_at=log.now, health_data_consent=True))
    log.commit(stream, ScreenFailed(reason=SEALED))


class _Mend(NamedTuple):
    """How a record may be corrected: its id, the correction, a field with a new value, and the void."""

    identity: UUID
    corrected: type[Event]
    field: str
    text: str
    voided: type[Event]


class _Player:
    """One participant to whom something happens each time."""

    def __init__(self, log: LogWriter, subject_id: str) -> None:
        self.subject_id = subject_id
        self._log = log
        self._stream = enrol(log, subject_id)
        self._open: SessionStarted | None = None
        self._sessions: list[UUID] = []
        self._results: list[UUID] = []
        self._observations: list[UUID] = []
        self._assessments: list[UUID] = []
        self._ae: dict[UUID, int] = {}
        self._graded: list[tuple[UUID, UUID]] = []
        self._ended: set[UUID] = set()
        self._serious: set[tuple[UUID, Assessor]] = set()
        self._mendable: list[_Mend] = []
        self._submitted: list[UUID] = []
        self._dead = False

    def act(self) -> AEReported | None:
        """Something happens; the adverse event if one was reported."""
        deeds: tuple[tuple[Callable[[], AEReported | None], int], ...] = (
            (self._labs, 4),
            (self._observe, 2),
            (self._treat, 4),
            (self._mend_measurement, 3),
            (self._mend_session, 1),
            (self._report, 3),
            (self._change, 6),
            (self._assess, 3),
            (self._record, 3),
            (self._mend_record, 2),
            (self._submit, 2),
            (self._query, 2),
            (self._end, 1),
        )
        (deed,) = self._log.chance.choices([each for each, _ in deeds], [weight for _, weight in deeds])
        return deed()

    def _commit(self, *events: Event, role: str = "INVESTIGATOR") -> UUID:
        """The id of the first event."""
        (first, *_) = self._log.commit(self._stream, *events, role=role)
        return read(first.value or b"").envelope.id

    def _past(self, days: int = 3) -> datetime:
        return self._log.now - timedelta(days=self._log.chance.uniform(0, days))

    def _day(self, days: int = 3) -> PartialDate:
        at = self._past(days)
        if self._log.chance.random() < 0.3:
            return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
        if self._log.chance.random() < 0.1:
            return PartialDate(value=f"{at:%Y-%m}", precision=Precision.MONTH)
        return PartialDate(value=f"{at:%Y-%m-%d}", precision=Precision.DAY)

    def _labs(self) -> None:
        log, chance = self._log, self._log.chance
        self._results += sample(
            log,
            self._stream,
            visit=chance.choice((None, None, "D2", "BL", "W4")),
            creatinine=(f"{chance.uniform(0.5, 4):.2f}", "mg/dL"),
            tbil=f"{chance.randint(20, 400)}",
            inr=f"{chance.uniform(0.9, 3):.1f}",
            dialysis_sessions_7d=str(chance.randint(0, 3)),
            alt=(str(chance.randint(10, 900)), "U/L"),
        )
        if chance.random() < 0.3:
            bad = Measured(
                result_id=log.uuid(),
                code="sodium",
                value="9000",
                unit="mmol/L",
                accepted=False,
                reject_reason=RejectReason.IMPLAUSIBLE,
            )
            self._commit(
                LabResultsRecorded(
                    sample_id=log.uuid(), collected_at=log.now.date(), laboratory="Central", results=(bad,)
                )
            )
            if chance.random() < 0.5:
                self._commit(ImplausibleConfirmed(result_id=bad.result_id, reason=SEALED))

    def _observe(self) -> None:
        chance = self._log.chance
        values = {"gcs_eye": "4", "gcs_motor": "6", "gcs_verbal": chance.choice(("5", "NT")), "map": "80"}
        rows = [
            ObservedRow(
                result_id=self._log.uuid(),
                code=code,
                value=value,
                unit="mm[Hg]" if code == "map" else None,
                accepted=True,
            )
            for code, value in values.items()
        ]
        self._commit(ObservationsRecorded(assessed_at=self._past(1), rows=tuple(rows)), role="COORDINATOR")
        self._observations += [row.result_id for row in rows]

    def _treat(self) -> None:
        log = self._log
        if self._open is None:
            self._open = start(log, self._stream, viable_cells=log.chance.randint(7, 14) * 10**9)
            return
        session_id = self._open.session_id
        self._commit(SessionPaused(session_id=session_id, at=log.now, reason=SEALED))
        self._commit(SessionResumed(session_id=session_id, at=log.tick(20)))
        reason = log.chance.choice(list(EndReason))
        self._commit(SessionEnded(session_id=session_id, ended_at=log.tick(log.chance.uniform(60, 500)), reason=reason))
        self._sessions.append(session_id)
        self._open = None

    def _mend_measurement(self) -> None:
        chance = self._log.chance
        for known, corrected, voided in (
            (self._results, LabResultCorrected, LabResultVoided),
            (self._observations, ObservationCorrected, ObservationVoided),
        ):
            if not known or chance.random() < 0.4:
                continue
            result_id = known.pop(chance.randrange(len(known)))
            time = "collectedAt" if known is self._results else "assessedAt"
            field, text = chance.choice((("value", "2"), (time, format_instant(self._past())), ("visitCode", "D3")))
            self._commit(corrected(id=result_id, field=field, new_value=text, reason=SEALED, accepted=True))
            if chance.random() < 0.3:
                self._commit(voided(id=result_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED))
            elif known is self._results:
                self._commit(LabFindingReviewed(result_id=result_id, clinically_significant=True, final_grade=2))

    def _mend_session(self) -> None:
        chance = self._log.chance
        if not self._sessions:
            return
        session_id = chance.choice(self._sessions)
        field, text = chance.choice((("weightKg", "75"), ("viableCells", "9000000000"), ("endReason", "OTHER")))
        self._commit(SessionCorrected(id=session_id, field=field, new_value=text, reason=SEALED))
        if chance.random() < 0.3:
            self._sessions.remove(session_id)
            self._commit(SessionVoided(id=session_id, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED))

    def _report(self) -> AEReported:
        chance = self._log.chance
        serious = (Criterion.HOSPITALISATION,) if chance.random() < 0.4 else ()
        event = adverse_event(
            self._log,
            self._stream,
            criteria=serious,
            grade=chance.randint(1, 3),
            code=chance.choice(("FEVER", "RASH", "SEPSIS", "OTHER")),
            onset=self._day(),
        )
        self._ae[event.ae_id] = 1
        if serious:
            self._serious.add((event.ae_id, Assessor.INVESTIGATOR))
        return event

    def _change(self) -> None:
        if not self._ae:
            return
        chance = self._log.chance
        ae_id = chance.choice(list(self._ae))
        deed = chance.choice(
            (self._grade, self._grade, self._judge, self._judge, self._rate, self._course, self._write)
        )
        deed(ae_id)
        if chance.random() < 0.03:
            self._void(ae_id)

    def _next(self, ae_id: UUID) -> int:
        self._ae[ae_id] += 1
        return self._ae[ae_id]

    def _grade(self, ae_id: UUID) -> None:
        chance = self._log.chance
        mine = [place for place in self._graded if place[0] == ae_id]
        version = self._next(ae_id)
        if mine and chance.random() < 0.4:
            place = chance.choice(mine)
            grade, when = (chance.randint(1, 4), self._day()) if chance.random() < 0.7 else (None, None)
            if grade is None:
                self._graded.remove(place)
            self._commit(
                AEGradeCorrected(
                    ae_id=ae_id, ae_version=version, grade_event_id=place[1], grade=grade, grade_at=when, reason=SEALED
                )
            )
            return
        changed = AEGradeChanged(ae_id=ae_id, ae_version=version, to_grade=chance.randint(1, 4), grade_at=self._day())
        self._graded.append((ae_id, self._commit(changed)))

    def _judge(self, ae_id: UUID) -> None:
        """An assessor finds the event serious, changes the criteria, or no longer finds it serious."""
        chance = self._log.chance
        assessor, version = chance.choice(list(Assessor)), self._next(ae_id)
        role = assessor.value
        if (ae_id, assessor) not in self._serious:
            self._serious.add((ae_id, assessor))
            criteria = (Criterion.MEDICALLY_IMPORTANT,)
            self._commit(
                AEUpgradedToSerious(
                    ae_id=ae_id,
                    ae_version=version,
                    criteria=criteria,
                    serious_since=self._day(),
                    aware_at=self._log.now,
                ),
                role=role,
            )
        elif chance.random() < 0.6:
            self._commit(
                AESeriousnessCriteriaChanged(
                    ae_id=ae_id,
                    ae_version=version,
                    assessor=assessor,
                    added=(Criterion.LIFE_THREATENING,),
                    removed=(Criterion.MEDICALLY_IMPORTANT,),
                    reason=SEALED,
                    aware_at=self._log.now,
                ),
                role=role,
            )
        else:
            self._serious.remove((ae_id, assessor))
            self._commit(
                AEDowngradedToNonSerious(
                    ae_id=ae_id,
                    ae_version=version,
                    assessor=assessor,
                    reason_code=DowngradeReason.CRITERION_MISAPPLIED,
                    reason_text=SEALED,
                ),
                role=role,
            )

    def _rate(self, ae_id: UUID) -> None:
        chance, version = self._log.chance, self._next(ae_id)
        if chance.random() < 0.3:
            self._commit(
                AEExpectednessAssessed(ae_id=ae_id, ae_version=version, value=Expectedness.UNEXPECTED), role="SPONSOR"
            )
            return
        assessor = chance.choice(list(Assessor))
        self._commit(
            AECausalityAssessed(
                ae_id=ae_id,
                ae_version=version,
                assessor=assessor,
                target=chance.choice(list(CausalityTarget)),
                value=chance.choice(list(Causality)),
                rationale=SEALED,
            ),
            role=assessor.value,
        )

    def _course(self, ae_id: UUID) -> None:
        version = self._next(ae_id)
        if ae_id in self._ended:
            self._ended.remove(ae_id)
            self._commit(AEReopened(ae_id=ae_id, ae_version=version, reason=SEALED))
            return
        self._ended.add(ae_id)
        outcome = Outcome.RECOVERED
        self._commit(AEResolved(ae_id=ae_id, ae_version=version, outcome=outcome, end_at=self._day(1)))

    def _write(self, ae_id: UUID) -> None:
        chance, version, now = self._log.chance, self._next(ae_id), self._log.now
        events: tuple[Event, ...] = (
            AEFollowedUp(ae_id=ae_id, ae_version=version, info_received_at=now, text=SEALED),
            AECoded(ae_id=ae_id, ae_version=version, meddra_version="29.0", llt_code="10037660", pt_code="10037660"),
            AECorrected(
                ae_id=ae_id, ae_version=version, field="awareAt", new_value=format_instant(self._past()), reason=SEALED
            ),
        )
        self._commit(chance.choice(events))

    def _void(self, ae_id: UUID) -> None:
        code = AeVoidReason.ENTERED_IN_ERROR
        asked = AEVoidRequested(ae_id=ae_id, ae_version=self._next(ae_id), reason_code=code, reason_text=SEALED)
        self._commit(asked)
        void = AEVoided(
            ae_id=ae_id, ae_version=self._next(ae_id), reason_code=code, reason_text=SEALED, co_signer="dr-wu"
        )
        self._commit(void)
        del self._ae[ae_id]

    def _assess(self) -> None:
        chance, at = self._log.chance, self._past()
        asked = AEAssessmentDone(at=at, any_new=chance.choice(list(YesNo)), visit_code=chance.choice((None, "D7")))
        alive = SurvivalStatusRecorded(
            at=at,
            alive=chance.choice((VitalStatus.Y, VitalStatus.UNKNOWN)),
            transplant=TransplantStatus.NONE,
            source=SurvivalSource.PHONE,
        )
        lost, found = LostToFollowUp(last_contact_at=at), ContactRegained(at=at)
        transplant = TransplantDone(transplant_at=self._day())
        (event,) = chance.choices((asked, alive, lost, found, transplant), (4, 4, 1, 1, 1))
        self._assessments.append(self._commit(event))
        if chance.random() < 0.3:
            event_id = self._assessments.pop(chance.randrange(len(self._assessments)))
            reason = VoidReason.WRONG_PARTICIPANT
            self._commit(AssessmentVoided(id=event_id, reason_code=reason, reason_text=SEALED))
        elif chance.random() < 0.4 and isinstance(event, AEAssessmentDone | SurvivalStatusRecorded | ContactRegained):
            text = format_instant(self._past())
            self._commit(AssessmentCorrected(id=self._assessments[-1], field="at", new_value=text, reason=SEALED))

    def _record(self) -> None:
        """A medication, a procedure, a baseline condition or a device deficiency."""
        log, identity = self._log, self._log.uuid()
        medication = MedicationRecorded(
            medication_id=identity, verbatim=SEALED, started_at=self._day(9), therapeutic_anticoagulant=True
        )
        procedure = ProcedureRecorded(
            procedure_id=identity, kind=log.chance.choice(list(ProcedureKind)), started_at=self._day(9)
        )
        condition = BaselineConditionRecorded(
            baseline_condition_id=identity, code="OTHER", verbatim=SEALED, onset=self._day(30), grade=2
        )
        session_id = self._sessions[0] if self._sessions else log.uuid()
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
        self._commit(event)
        self._mendable.append(mend)

    def _mend_record(self) -> None:
        if not self._mendable:
            return
        chance = self._log.chance
        mend = self._mendable.pop(chance.randrange(len(self._mendable)))
        correction = {"id": mend.identity, "field": mend.field, "newValue": mend.text, "reason": SEALED.payload()}
        self._commit(mend.corrected.from_payload(correction))
        if chance.random() < 0.4:
            void = {"id": mend.identity, "reasonCode": "ENTERED_IN_ERROR", "reasonText": SEALED.payload()}
            self._commit(mend.voided.from_payload(void))

    def _submit(self) -> None:
        if not self._ae:
            return
        log, ae_id = self._log, self._log.chance.choice(list(self._ae))
        identity = log.uuid()
        event = log.chance.choice(
            (
                SponsorNotified(ae_id=ae_id, notified_at=self._past()),
                NarrativeWritten(ae_id=ae_id, narrative=SEALED, language=NarrativeLanguage.ENGLISH),
                SubmissionRecorded(
                    submission_id=identity,
                    ae_id=ae_id,
                    to=Recipient.EC,
                    kind=SubmissionKind.INITIAL,
                    submitted_at=self._past(),
                ),
            )
        )
        self._commit(event, role="SPONSOR")
        if isinstance(event, SubmissionRecorded):
            self._mendable.append(_Mend(identity, SubmissionCorrected, "reference", "EC-7", SubmissionVoided))

    def _query(self) -> None:
        """An answer to a query that is open, perhaps, and its closure."""
        if not self._results:
            return
        rule = self._log.chance.choice(("LAB-02", "LAB-04"))
        query_id = derived_id(rule, self.subject_id, self._log.chance.choice(self._results))
        self._commit(QueryAnswered(query_id=query_id, text=SEALED), role="COORDINATOR")
        if self._log.chance.random() < 0.5:
            self._commit(QueryClosed(query_id=query_id, reason=SEALED, rule_version="1"), role="MONITOR")

    def _end(self) -> None:
        chance, now = self._log.chance, self._log.now
        if self._dead:
            self._dead = False
            self._commit(DeathRecordCorrected(revived=False, death_at=self._day(1), reason=SEALED))
            self._commit(DeathRecordCorrected(revived=True, reason=SEALED))
            return
        match chance.randrange(4):
            case 0:
                self._dead = True
                self._commit(ParticipantDied(death_at=self._day(1), aware_at=now))
            case 1:
                withdrew = ParticipantWithdrew(
                    withdrawn_at=now, scope=chance.choice(list(WithdrawalScope)), vital_status_allowed=False
                )
                event_id = self._commit(withdrew)
                if chance.random() < 0.5:
                    reason = VoidReason.ENTERED_IN_ERROR
                    self._commit(AssessmentVoided(id=event_id, reason_code=reason, reason_text=SEALED))
            case 2:
                self._commit(ConsentRecorded(site_id="BFH", version="2", given_at=now, health_data_consent=True))
            case _ if chance.random() < 0.2:
                self._commit(ConsentWithdrawn(withdrawn_at=now))
