"""What may be worked in now: whole commits, under a study that is known, past what was released."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hepatrail_events.codec import Recorded
from hepatrail_events.errors import InvalidEnvelope, InvalidMessage
from hepatrail_events.streams import NEVER_PARKED
from hepatrail_infra.kafka_admin import EVENTS, QUARANTINE
from hepatrail_infra.kafka_quarantine import Place, Released, read_quarantine
from hepatrail_projections.records import CommitGate, Incoming, RawRecord, content_of
from hepatrail_services.safety.commons import Commons

_log = logging.getLogger(__name__)
STUDY_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Admitted:
    """Events in the order of each partition, the records that were released, the last record of quarantine read."""

    events: tuple[Incoming, ...]
    freed: frozenset[Place]
    quarantine_read: int | None


class Intake:
    """Takes records as a reader hands them over; study and desk are folded as they come.

    A commit that was decided under a version of the study which is not read yet waits for it, and its partition with
    it: study and participants are read from different partitions. After `patience` seconds it counts as unreadable.
    """

    def __init__(self, commons: Commons, patience: float = STUDY_PATIENCE) -> None:
        self.released: set[Place] = set()
        self._commons = commons
        self._patience = patience
        self._gate = CommitGate()
        self._postponed: dict[int, tuple[float, list[Incoming]]] = {}

    def admit(self, records: Iterable[RawRecord]) -> Admitted:
        """What may be worked in, what waited before included. Raises Halted when study or desk cannot be read."""
        admitted = self._gate.admit(records)
        releases = [record for record in admitted if record.topic == QUARANTINE]
        freed = frozenset(place for each in releases if (place := released_place(each)) is not None)
        self.released |= freed
        events = self._ready([record for record in admitted if record.topic == EVENTS])
        return Admitted(events, freed, releases[-1].offset if releases else None)

    def change_source(self) -> None:
        """Forgets what was not admitted: another reader fetches it again."""
        self._gate = CommitGate()
        self._postponed.clear()

    def _ready(self, records: Sequence[RawRecord]) -> tuple[Incoming, ...]:
        arrived: dict[int, list[Incoming]] = {}
        for record in records:
            event = content_of(record)
            arrived.setdefault(record.partition, []).append(event)
            if event.stream in NEVER_PARKED:
                self._commons.fold(event, self.released)
        partitions = {**arrived, **self._postponed}
        return tuple(event for each in partitions for event in self._ready_of(each, arrived.get(each, [])))

    def _ready_of(self, partition: int, arrived: list[Incoming]) -> list[Incoming]:
        now = asyncio.get_running_loop().time()
        since, waiting = self._postponed.pop(partition, (now, []))
        events = [*waiting, *arrived]
        for number, event in enumerate(events):
            if not self._ahead(event):
                continue
            if now - since < self._patience:
                self._postponed[partition] = (since, events[number:])
                return events[:number]
            error = InvalidEnvelope("the event names a version of the study that the study does not have")
            events[number] = replace(event, content=error)
        return events

    def _ahead(self, event: Incoming) -> bool:
        content = event.content
        return (
            isinstance(content, Recorded)
            and event.stream not in NEVER_PARKED
            and content.envelope.studyseq > self._commons.study.version
        )


def released_place(record: RawRecord) -> Place | None:
    """The record that a record of the quarantine topic releases; what readers put there says nothing new."""
    try:
        entry = read_quarantine(record.value or b"")
    except InvalidMessage as error:
        _log.warning("quarantine record %d cannot be read: %s", record.offset, error)
        return None
    return Place(entry.topic, entry.partition, entry.offset) if isinstance(entry, Released) else None
