"""A sealer without Kafka: a log in memory, read as the process reads it, and the seals that it would write."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from aiokafka import TopicPartition

from hepatrail_events.streams import STUDY
from hepatrail_events.study import SealingKeyPublished
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import Seal, SealReason, open_seal
from hepatrail_infra.kafka_admin import ACCESS, EVENTS
from hepatrail_infra.kafka_log import Record
from hepatrail_services.access_log import Access, AccessRecord
from hepatrail_services.audit.resume import Resume
from hepatrail_services.audit.sealer import LastSeal, Sealer, after
from log_commits import adverse_event, alert, enrol, publish
from projection_log import LogRecord, LogWriter
from sealed_log import KEY

EVERY = 300.0
BEFORE = "0" * 64


@dataclass
class SealerWorld:
    """`written` are the seals with the hints beside them; `read` counts the records that the last start looked at."""

    log: LogWriter = field(default_factory=LogWriter)
    keys: Sequence[SigningKey] = (KEY,)
    written: list[tuple[Seal, Resume]] = field(default_factory=list)
    last: LastSeal | None = None
    read: int = 0
    _next: dict[TopicPartition, int] = field(default_factory=dict)
    _alerts: int = 0

    def __post_init__(self) -> None:
        publish(self.log)
        self.stream = enrol(self.log, "S-01")
        self.sealer = Sealer(self.keys, "hepatrail.test", "hepatrail/test", EVERY)

    def start(
        self, *keys: SigningKey, hints: Resume | None = None, since: float = 0.0, last: LastSeal | None = None
    ) -> None:
        """Starts anew behind the last seal; the sealer of before is forgotten."""
        self.keys = keys or self.keys
        self.sealer = Sealer(self.keys, "hepatrail.test", "hepatrail/test", EVERY)
        self.sealer.resume(last or self.last, hints, since)
        self._next = {place: offset or 0 for place, offset in self.sealer.positions.items()}
        self.read = self.take()
        self.sealer.check()

    def take(self, at: float = 0.0) -> int:
        """Everything that was written and not taken yet; how many records that are."""
        new: dict[TopicPartition, list[LogRecord]] = {}
        for record in self.log.records:
            place = TopicPartition(record.topic, record.partition)
            if record.topic in (EVENTS, ACCESS) and record.offset >= self._next.get(place, 0):
                new.setdefault(place, []).append(record)
        for place, records in new.items():
            self.sealer.take(place, cast("list[Record]", records), at)
            self._next[place] = records[-1].offset + 1
        return sum(map(len, new.values()))

    def look(self, at: float) -> SealReason | None:
        """Takes what is new and says why a seal is due."""
        self.take(at)
        return self.sealer.due(at)

    def seal(self, at: float = 0.0) -> Seal:
        """Makes the seal that is due."""
        reason = self.look(at)
        assert reason is not None
        return self.make(reason, at)

    def make(self, reason: SealReason, at: float) -> Seal:
        """Makes and writes a seal."""
        seal, resume = self.sealer.make(reason, self.log.now)
        self.last = after(seal, open_seal(seal, [key.public for key in self.keys]), self.last)
        self.sealer.sealed(self.last, at)
        self.written.append((seal, resume))
        return seal

    def raise_alert(self) -> None:
        """The desk raises an alert."""
        self._alerts += 1
        alert(self.log, self._alerts, adverse_event(self.log, self.stream), "S-01")

    def more(self) -> None:
        """One more event."""
        adverse_event(self.log, self.stream)

    def ask(self, name: str, *, ago: timedelta = timedelta()) -> str:
        """Somebody asks for a checkpoint; how the seal names that."""
        record = AccessRecord(
            instance=name, seq=1, prevhash=BEFORE, at=self.log.now - ago, kind=Access.CHECKPOINT_ASKED
        )
        self.log._add(ACCESS, 0, name.encode(), record.raw(), ())
        return f"{name}/1"


def name_key(world: SealerWorld, key: SigningKey) -> None:
    """The study names a key."""
    public = base64.b64encode(key.public).decode("ascii")
    world.log.commit(STUDY, SealingKeyPublished(public_key=public, reason="sealing"), role="SYSTEM")
