"""A log in memory as deciders would write it, for tests of projections; `trial_history` fills it with whole trials."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaProducer

from hepatrail_events.adverse_events import (
    ActionTaken,
    AEReported,
    Outcome,
)
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Link, record
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.enrolment import AdmissionType, ConsentRecorded, Indication, Sex, SubjectEnrolled
from hepatrail_events.envelope import Envelope
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    LabResultsRecorded,
    Measured,
)
from hepatrail_events.protocol import Protocol, content_hash, shipped_protocol
from hepatrail_events.safety_desk import AlertAcknowledged, AlertRaised, AlertType, Priority
from hepatrail_events.sessions import (
    AccessVein,
    SessionStarted,
    Side,
)
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import ProtocolPublished
from hepatrail_events.types import PartialDate, Precision, SealedText
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
