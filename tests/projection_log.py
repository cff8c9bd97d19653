"""A log in memory as deciders would write it, and random but lawful histories of a trial, for tests of projections."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaProducer

from hepatrail_events.adverse_events import (
    ActionTaken,
    AEGradeChanged,
    AEReported,
    AEResolved,
    AEUpgradedToSerious,
    Criterion,
    Outcome,
)
from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew, WithdrawalScope
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Link, record
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.enrolment import AdmissionType, ConsentRecorded, Indication, Sex, SubjectEnrolled
from hepatrail_events.envelope import Envelope
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    Measured,
    RejectReason,
)
from hepatrail_events.protocol import Protocol, content_hash, shipped_protocol
from hepatrail_events.safety_desk import AlertAcknowledged, AlertRaised, AlertType, Priority
from hepatrail_events.sessions import (
    AccessVein,
    EndReason,
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
    Side,
)
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import ProtocolPublished, SiteActivated
from hepatrail_events.types import PartialDate, Precision, SealedText
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Released, record_bytes

BEGIN = datetime(2026, 1, 5, 1, tzinfo=UTC)
SEALED = SealedText(kid="k", cid="c", path="reason", ct="AAAA")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record as a consumer hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class LogWriter:
    """Writes chained events; offsets skip one a commit, as a transaction's marker does."""

    seed: int = 1
    records: list[LogRecord] = field(default_factory=list)
    now: datetime = BEGIN
    _links: dict[str, Link] = field(default_factory=dict)
    _offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    _studyseq: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def uuid(self) -> UUID:
        """A random id that the seed decides."""
        return UUID(int=self.chance.getrandbits(128), version=4)

    def tick(self, minutes: float = 1) -> datetime:
        """Moves the clock on."""
        self.now += timedelta(minutes=minutes)
        return self.now

    def commit(
        self, stream: str, *events: Event, actor: str = "dr-li", role: str = "INVESTIGATOR", decide: bool = True
    ) -> list[LogRecord]:
        """The events of one commit and its decision."""
        commit_id, made = self.uuid(), []
        self.tick(0.1)
        for index, event in enumerate(events):
            link = self._links.get(stream, Link())
            envelope = Envelope(
                id=self.uuid(),
                type=type(event).type_name(),
                version=type(event).VERSION,
                stream=stream,
                streamseq=link.streamseq + 1,
                commitid=commit_id,
                commitindex=index,
                commitsize=len(events),
                prevhash=link.hash,
                receivedat=self.now,
                recordedat=self.now,
                actorid=actor,
                actorrole=role,
                actororg="Hospital",
                producer="hepatrail/test",
                studyseq=self._studyseq,
            )
            recorded = record(envelope, event)
            self._links[stream] = link.follow(recorded)
            if stream == STUDY:
                self._studyseq = envelope.streamseq
            made.append(self.raw(stream, recorded.raw, tuple(envelope.headers())))
        self._mark(EVENTS, partition_of(stream))
        if decide:
            self._decide(stream, commit_id, actor, role)
        return made

    def raw(self, stream: str, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> LogRecord:
        """Any bytes under a stream's key."""
        return self._add(EVENTS, partition_of(stream), stream.encode(), value, tuple(headers))

    def release(self, place: LogRecord, reason: str = "bytes of another program") -> LogRecord:
        """Somebody decides that a record is to be passed over."""
        stream = (place.key or b"").decode()
        entry = Released(
            topic=place.topic,
            stream=stream,
            partition=place.partition,
            offset=place.offset,
            reason=reason,
            by="admin",
            at=self.now,
        )
        return self._add(QUARANTINE, 0, place.key, record_bytes(entry), ())

    def skip_in_chain(self, stream: str, value: bytes) -> None:
        """Lets the next event follow the bytes, as a writer does that has counted them."""
        self._links[stream] = Link(self._links.get(stream, Link()).streamseq + 1, sha256_hex(value))

    def _decide(self, stream: str, command_id: UUID, actor: str, role: str) -> None:
        decision = Decision(
            commandid=command_id,
            commandtype="test",
            stream=stream,
            bodyhash="0" * 64,
            verdict=Verdict.ACCEPTED,
            version=self._links[stream].streamseq,
            recordedat=self.now,
            receivedat=self.now,
            actorid=actor,
            actorrole=role,
            studyseq=self._studyseq,
            producer="hepatrail/test",
        )
        self._add(DECISIONS, partition_of(stream), stream.encode(), decision.raw(), ())
        self._mark(DECISIONS, partition_of(stream))

    def _add(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes], ...]
    ) -> LogRecord:
        offset = self._offsets.get((topic, partition), 0)
        self._offsets[(topic, partition)] = offset + 1
        made = LogRecord(topic, partition, offset, key, value, headers)
        self.records.append(made)
        return made

    def _mark(self, topic: str, partition: int) -> None:
        self._offsets[(topic, partition)] = self._offsets.get((topic, partition), 0) + 1


async def produce(producer: AIOKafkaProducer, records: Iterable[LogRecord]) -> None:
    """Sends the records as they are, in one transaction."""
    async with producer.transaction():
        for each in records:
            await producer.send(
                each.topic, each.value, key=each.key, partition=each.partition, headers=list(each.headers)
            )


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


def history(seed: int, subjects: int = 3, steps: int = 60) -> LogWriter:
    """A random trial in which every kind of event of the slice may happen."""
    log = LogWriter(seed)
    publish(log)
    log.commit(STUDY, SiteActivated(site_id="BFH", approval_ref="EC-1"), role="ADMIN")
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
            publish(log, "2.0", log.now + timedelta(days=1), dose_tolerance="0.05", self_ack=True)
    return log


class _Player:
    """One participant who does something lawful each time."""

    def __init__(self, log: LogWriter, subject_id: str) -> None:
        self.subject_id = subject_id
        self._log = log
        self._stream = enrol(log, subject_id)
        self._open: SessionStarted | None = None
        self._ended: list[UUID] = []
        self._results: list[UUID] = []
        self._events: dict[UUID, int] = {}
        self._dead = False

    def act(self) -> AEReported | None:
        log, chance = self._log, self._log.chance
        deed = chance.choice(("labs", "labs", "session", "session", "ae", "change", "mend", "stop"))
        match deed:
            case "labs":
                self._labs()
            case "session":
                self._session()
            case "ae":
                serious = (Criterion.HOSPITALISATION,) if chance.random() < 0.4 else ()
                event = adverse_event(log, self._stream, criteria=serious, grade=chance.randint(1, 3))
                self._events[event.ae_id] = 1
                return event
            case "change":
                self._change()
            case "mend":
                self._mend()
            case _ if not self._dead and chance.random() < 0.1:
                self._stop()
        return None

    def _labs(self) -> None:
        chance = self._log.chance
        self._results += sample(
            self._log,
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
                result_id=self._log.uuid(),
                code="sodium",
                value="9000",
                unit="mmol/L",
                accepted=False,
                reject_reason=RejectReason.IMPLAUSIBLE,
            )
            self._log.commit(
                self._stream,
                LabResultsRecorded(
                    sample_id=self._log.uuid(),
                    collected_at=self._log.now.date(),
                    laboratory="Central",
                    results=(bad,),
                ),
            )

    def _session(self) -> None:
        log = self._log
        if self._open is None:
            self._open = start(log, self._stream, viable_cells=log.chance.randint(7, 14) * 10**9)
            return
        session_id = self._open.session_id
        log.commit(self._stream, SessionPaused(session_id=session_id, at=log.now, reason=SEALED))
        log.commit(self._stream, SessionResumed(session_id=session_id, at=log.tick(20)))
        log.tick(60)
        log.commit(self._stream, SessionEnded(session_id=session_id, ended_at=log.now, reason=EndReason.COMPLETED))
        self._ended.append(session_id)
        self._open = None

    def _change(self) -> None:
        if not self._events:
            return
        log = self._log
        ae_id = log.chance.choice(list(self._events))
        self._events[ae_id] += 1
        at = log.now - timedelta(days=log.chance.randint(0, 3))
        when = PartialDate(value=f"{at:%Y-%m-%d}", precision=Precision.DAY)
        version = self._events[ae_id]
        event: Event = AEGradeChanged(ae_id=ae_id, ae_version=version, to_grade=log.chance.randint(1, 4), grade_at=when)
        if log.chance.random() < 0.3:
            event = AEResolved(ae_id=ae_id, ae_version=version, outcome=Outcome.RECOVERED, end_at=when)
        elif log.chance.random() < 0.3:
            event = AEUpgradedToSerious(
                ae_id=ae_id,
                ae_version=version,
                criteria=(Criterion.MEDICALLY_IMPORTANT,),
                serious_since=when,
                aware_at=log.now,
            )
        log.commit(self._stream, event, role=log.chance.choice(("INVESTIGATOR", "SPONSOR")))

    def _mend(self) -> None:
        log = self._log
        if self._ended and log.chance.random() < 0.3:
            session_id = log.chance.choice(self._ended)
            log.commit(self._stream, SessionCorrected(id=session_id, field="weightKg", new_value="75", reason=SEALED))
            if log.chance.random() < 0.3:
                self._ended.remove(session_id)
                reason = VoidReason.ENTERED_IN_ERROR
                log.commit(self._stream, SessionVoided(id=session_id, reason_code=reason, reason_text=SEALED))
        elif self._results:
            result_id = self._results.pop(log.chance.randrange(len(self._results)))
            log.commit(
                self._stream,
                LabResultCorrected(id=result_id, field="value", new_value="2", reason=SEALED, accepted=True),
            )
            if log.chance.random() < 0.5:
                log.commit(
                    self._stream,
                    LabResultVoided(id=result_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED),
                )

    def _stop(self) -> None:
        log = self._log
        if log.chance.random() < 0.5:
            self._dead = True
            when = PartialDate(value=f"{log.now:%Y-%m-%d}", precision=Precision.DAY)
            log.commit(self._stream, ParticipantDied(death_at=when, aware_at=log.now))
            return
        log.commit(
            self._stream,
            ParticipantWithdrew(
                withdrawn_at=log.now, scope=WithdrawalScope.FOLLOW_UP, vital_status_allowed=True, reason=SEALED
            ),
        )
