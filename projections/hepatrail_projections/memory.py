"""What a projector remembers between batches: everything in it can be had again from the tables."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import TopicPartition

from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_of
from hepatrail_events.transparency.tiles import Growing
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.alert import AlertRow, alert_row
from hepatrail_projections.checkpoint_seal import last_seal_number
from hepatrail_projections.derive import SubjectRows, derive, stored_at
from hepatrail_projections.desk_view import EMPTY_DESK, DeskView, fold_desk
from hepatrail_projections.event import events_of, events_of_many
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.log_tile import last_tiles
from hepatrail_projections.offset import OffsetRow, offsets
from hepatrail_projections.quarantine import RELEASE, QuarantineRow, ReleasedRow, parked_records
from hepatrail_projections.stream_head import STREAM_HEAD, StreamHeadRow
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.table import Connection

_KEPT_SUBJECTS = 2_000


@dataclass(frozen=True, slots=True)
class Subject:
    """A participant as projected: the view, and the rows that the tables hold."""

    view: SubjectView
    rows: SubjectRows


@dataclass(slots=True)
class Memory:
    """The state of one schema as this projector wrote it last; `trees` by partition of the events."""

    study: StudyView = EMPTY_STUDY
    desk: DeskView = EMPTY_DESK
    alerts: dict[UUID, AlertRow] = field(default_factory=dict)
    heads: dict[str, StreamHeadRow | None] = field(default_factory=dict)
    subjects: OrderedDict[str, Subject] = field(default_factory=OrderedDict)
    parked: dict[str, QuarantineRow] = field(default_factory=dict)
    released: dict[Place, ReleasedRow] = field(default_factory=dict)
    offsets: dict[TopicPartition, OffsetRow] = field(default_factory=dict)
    trees: dict[int, Growing] = field(default_factory=dict)
    last_seal: int = 0

    @classmethod
    async def load(cls, connection: Connection) -> "Memory":
        """Reads what every batch needs; participants are read when a batch touches them."""
        memory = cls()
        for recorded in await events_of(connection, STUDY):
            memory.study = fold_study(memory.study, recorded)
        for recorded in await events_of(connection, SAFETY_DESK):
            memory.desk = fold_desk(memory.desk, recorded)
        memory.alerts = {key: alert_row(alert, memory.study) for key, alert in memory.desk.alerts.items()}
        memory.parked = {row.stream: row for row in await parked_records(connection, None) if row.stream is not None}
        for row in await RELEASE.where(connection, "true"):
            memory.released[Place(row.topic, row.partition, row.kafka_offset)] = row
        memory.offsets = {TopicPartition(row.topic, row.partition): row for row in await offsets(connection)}
        memory.trees = {partition: Growing(tiles) for partition, tiles in (await last_tiles(connection)).items()}
        memory.last_seal = await last_seal_number(connection)
        return memory

    async def load_streams(self, connection: Connection, streams: Iterable[str]) -> None:
        """Reads the heads of streams and the participants of these, as far as they are not remembered."""
        wanted = [stream for stream in streams if stream not in self.heads]
        if wanted:
            found = {row.stream: row for row in await STREAM_HEAD.where(connection, "stream = ANY ($1)", wanted)}
            self.heads.update((stream, found.get(stream)) for stream in wanted)
        await self.load_subjects(connection, streams)

    async def load_subjects(self, connection: Connection, streams: Iterable[str]) -> None:
        """Folds participants from the event table, as far as they are not remembered."""
        wanted = [
            stream
            for stream in streams
            if (subject := subject_of(stream)) is not None
            and subject not in self.subjects
            and (self.heads.get(stream) is not None or stream not in self.heads)
        ]
        if not wanted:
            return
        for stream, events in (await events_of_many(connection, wanted)).items():
            subject_id = subject_of(stream)
            assert subject_id is not None, "only participants' streams were asked for"
            view = fold_all(subject_id, events)
            self.subjects[subject_id] = Subject(view, derive(view, self.study, stored_at(view, self.study)))

    def keep(self, subjects: Mapping[str, Subject]) -> None:
        """Remembers participants, the ones touched last longest."""
        for subject_id, subject in subjects.items():
            self.subjects[subject_id] = subject
            self.subjects.move_to_end(subject_id)
        while len(self.subjects) > _KEPT_SUBJECTS:
            self.subjects.popitem(last=False)
