"""One batch worked out on top of the memory, before anything is written: pure, apart from what is read before.

Every decision depends on the log alone, event by event and stream by stream, so that it does not matter how the log
was cut into batches nor in which order its partitions were read.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Link, Recorded
from hepatrail_events.decisions import Decision
from hepatrail_events.errors import BrokenChain, InvalidMessage
from hepatrail_events.streams import NEVER_PARKED, SAFETY_DESK, STUDY, subject_of
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_quarantine import Place, Released, read_quarantine
from hepatrail_projections.decision import DecisionRow, decision_row
from hepatrail_projections.desk_view import DeskView, fold_desk
from hepatrail_projections.event import EventRow, event_row
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.memory import Memory
from hepatrail_projections.quarantine import PARKED, RELEASED, ParkedEventRow, QuarantineRow, ReleasedRow
from hepatrail_projections.records import Incoming, RawRecord, incoming
from hepatrail_projections.side_topics import SideTopics
from hepatrail_projections.stream_head import GENESIS_LINK, StreamHeadRow, follows_other, next_link, stands_in_chain
from hepatrail_projections.study_view import StudyView, fold_study
from hepatrail_projections.subject_view import empty_view, fold

UNREADABLE_IN_A_ROW = 5
"""So many unreadable records of a partition may follow each other; one more looks like a fault of this program."""


@dataclass(frozen=True, slots=True)
class Followed:
    """An event that continues its stream: the end of the chain after it, and the view that it leads to."""

    recorded: Recorded
    link: Link
    view: SubjectView | StudyView | DeskView


class Draft:
    """What a batch changes: rows to append, streams' new ends and views, what is parked and released.

    `hashes` are those of stored events that the batch brings a second time; `waiting` are the parked events of the
    streams that it may free.
    """

    def __init__(
        self,
        memory: Memory,
        hashes: Mapping[tuple[str, int], str],
        waiting: Mapping[str, list[Incoming]],
    ) -> None:
        self._memory = memory
        self._hashes = dict(hashes)
        self._waiting = {stream: list(events) for stream, events in waiting.items()}
        self.side = SideTopics(memory)
        self.study = memory.study
        self.desk = memory.desk
        self.views: dict[str, SubjectView] = {}
        self.heads: dict[str, StreamHeadRow] = {}
        self.parked: dict[str, QuarantineRow | None] = {}
        self.released: dict[Place, ReleasedRow] = {}
        self.events: list[EventRow] = []
        self.decisions: list[DecisionRow] = []
        self.quarantined: dict[Place, QuarantineRow] = {}
        self.readable_again: set[Place] = set()
        self.parked_events: dict[Place, ParkedEventRow] = {}
        self.unparked_events: set[Place] = set()
        self.unreadable_runs: dict[tuple[str, int], int] = {}

    def take(self, record: RawRecord, read: Incoming | None) -> None:
        """Works one record in; InvalidMessage halts: the study, the desk, or too many unreadable ones in a row."""
        place = Place(record.topic, record.partition, record.offset)
        if record.topic == EVENTS:
            self.side.add_leaf(record)
            self._take_event(read or incoming(place, record.key, record.value))
        elif record.topic == DECISIONS:
            self._take_decision(place, record)
        elif record.topic == QUARANTINE:
            self._take_quarantine(record)
        else:
            self._take_side(place, record)

    def retry(self, stream: str) -> None:
        """Reads a parked stream again from the record that parked it, then all that waits behind it."""
        row = self._parked(stream)
        if row is None:
            return
        self.parked[stream] = None
        place = Place(row.topic, row.partition, row.kafka_offset)
        self.readable_again.add(place)
        for each in (incoming(place, stream.encode(), row.raw), *self._waiting.pop(stream, ())):
            self.unparked_events.add(each.place)
            self.parked_events.pop(each.place, None)
            self._follow_or_park(stream, each)

    def head(self, stream: str) -> StreamHeadRow | None:
        """The end of a stream as this batch leaves it."""
        return self.heads.get(stream) or self._memory.heads.get(stream)

    def _take_event(self, event: Incoming) -> None:
        if event.stream is None:
            assert isinstance(event.content, InvalidMessage), "a record without stream cannot be read"
            readable = self._quarantine(event, event.content).status == RELEASED
        else:
            readable = self._follow_or_park(event.stream, event)
        self._count(event.place, readable=readable)

    def _follow_or_park(self, stream: str, event: Incoming) -> bool:
        """Works an event into its stream; whether it could be read or was released."""
        if self._parked(stream) is not None:
            self.parked_events[event.place] = ParkedEventRow(
                event.place.partition, event.place.offset, stream, event.raw
            )
            self.unparked_events.discard(event.place)
            self._waiting.setdefault(stream, []).append(event)
            return isinstance(event.content, Recorded)
        result = self._next(stream, event)
        if self._release(event.place) is not None:
            self._pass_over(stream, event, result)
        elif isinstance(result, InvalidMessage):
            self._park(stream, event, result)
            return False
        elif result is not None:
            self._append(stream, event, result)
        return True

    def _next(self, stream: str, event: Incoming) -> Followed | InvalidMessage | None:
        """The event as the next of its stream, None when it is a repetition, or why it cannot be."""
        recorded = event.content
        if isinstance(recorded, InvalidMessage):
            return recorded
        envelope = recorded.envelope
        try:
            head = self.head(stream)
            if head is not None and envelope.streamseq <= head.version and not follows_other(head, recorded):
                self._check_repetition(stream, recorded)
                return None
            link = next_link(head, recorded)
            return Followed(recorded, link, self._fold(stream, recorded))
        except InvalidMessage as error:
            return error

    def _check_repetition(self, stream: str, recorded: Recorded) -> None:
        known = self._hashes.get((stream, recorded.envelope.streamseq))
        if known != recorded.hash:
            raise BrokenChain(f"{stream}@{recorded.envelope.streamseq}: another event stands at this streamseq already")

    def _fold(self, stream: str, recorded: Recorded) -> SubjectView | StudyView | DeskView:
        if stream == STUDY:
            return fold_study(self.study, recorded)
        if stream == SAFETY_DESK:
            return fold_desk(self.desk, recorded)
        return fold(self._view(stream), recorded)

    def _view(self, stream: str) -> SubjectView:
        subject_id = subject_of(stream)
        assert subject_id is not None, "study and desk have views of their own"
        known = self._memory.subjects.get(subject_id)
        return self.views.get(subject_id) or (empty_view(subject_id) if known is None else known.view)

    def _append(self, stream: str, event: Incoming, followed: Followed) -> None:
        match followed.view:
            case StudyView() as view:
                self.study = view
            case DeskView() as view:
                self.desk = view
            case view:
                self.views[view.subject_id] = view
        envelope = followed.recorded.envelope
        self.heads[stream] = StreamHeadRow(stream, followed.link.streamseq, followed.link.hash)
        self._hashes[(stream, envelope.streamseq)] = followed.recorded.hash
        self.events.append(event_row(followed.recorded, event.place.partition, event.place.offset))

    def _pass_over(self, stream: str, event: Incoming, result: Followed | InvalidMessage | None) -> None:
        """A released record: the next event may follow it, or the one before it (as deciders hold it)."""
        before = self.head(stream)
        link = GENESIS_LINK if before is None else before.link
        skipped = Link(link.streamseq + 1, sha256_hex(event.raw))
        end, other = (skipped, link) if stands_in_chain(stream, link, event.raw) else (link, skipped)
        self.heads[stream] = StreamHeadRow(stream, end.streamseq, end.hash, other.streamseq, other.hash)
        error = result if isinstance(result, InvalidMessage) else InvalidMessage("it can be read")
        self._quarantine(event, error)

    def _park(self, stream: str, event: Incoming, error: InvalidMessage) -> None:
        if stream in NEVER_PARKED:
            place = event.place
            raise type(error)(f"the stream {stream} stops at {place.topic}/{place.partition}@{place.offset}: {error}")
        self.parked[stream] = self._quarantine(event, error)

    def _quarantine(self, event: Incoming, error: InvalidMessage) -> QuarantineRow:
        place, release = event.place, self._release(event.place)
        row = QuarantineRow(
            topic=place.topic,
            partition=place.partition,
            kafka_offset=place.offset,
            stream=event.stream,
            code=error.code,
            reason=str(error)[:1000],
            raw=event.raw,
            status=PARKED if release is None else RELEASED,
            released_by=None if release is None else release.released_by,
            released_reason=None if release is None else release.reason,
            released_at=None if release is None else release.released_at,
        )
        self.quarantined[place] = row
        self.readable_again.discard(place)
        return row

    def _count(self, place: Place, *, readable: bool) -> None:
        key = (place.topic, place.partition)
        run = 0 if readable else self._run(key) + 1
        self.unreadable_runs[key] = run
        if run > UNREADABLE_IN_A_ROW:
            raise InvalidMessage(
                f"{run} records in a row cannot be read, the last at {place.topic}/{place.partition}@{place.offset}"
            )

    def _run(self, key: tuple[str, int]) -> int:
        known = self.unreadable_runs.get(key)
        if known is not None:
            return known
        stored = self._memory.offsets.get(TopicPartition(*key))
        return 0 if stored is None else stored.unreadable_run

    def _take_decision(self, place: Place, record: RawRecord) -> None:
        raw = record.value or b""
        try:
            decision = Decision.read(raw)
        except InvalidMessage as error:
            row = self._quarantine(Incoming(place, None, raw, error), error)
            self._count(place, readable=row.status == RELEASED)
            return
        self._count(place, readable=True)
        self.decisions.append(decision_row(decision, place.partition, place.offset))

    def _take_side(self, place: Place, record: RawRecord) -> None:
        """A seal or an access record: no participant depends on it, so that what cannot be read never halts."""
        try:
            self.side.take(record)
        except InvalidMessage as error:
            self._quarantine(Incoming(place, None, record.value or b"", error), error)

    def _take_quarantine(self, record: RawRecord) -> None:
        """A release; what readers put there themselves says nothing new, nor does what nobody can read."""
        try:
            entry = read_quarantine(record.value or b"")
        except InvalidMessage:
            return
        if not isinstance(entry, Released):
            return
        place = Place(entry.topic, entry.partition, entry.offset)
        if self._release(place) is not None:
            return
        self.released[place] = ReleasedRow(
            entry.topic, entry.partition, entry.offset, entry.stream, entry.reason, entry.by, entry.at
        )
        self._free(place)

    def _free(self, place: Place) -> None:
        """Goes on with the stream that the record parked, when it was read already."""
        for stream in {**self._memory.parked, **self.parked}:
            row = self._parked(stream)
            if row is not None and Place(row.topic, row.partition, row.kafka_offset) == place:
                self.retry(stream)
                return

    def _parked(self, stream: str) -> QuarantineRow | None:
        return self.parked[stream] if stream in self.parked else self._memory.parked.get(stream)

    def _release(self, place: Place) -> ReleasedRow | None:
        return self.released.get(place) or self._memory.released.get(place)
