"""What was recorded beside the events until a seal: decisions, quarantine, access. Each rule looks at the log alone."""

from collections.abc import Mapping, Sequence

import orjson

from hepatrail_events.codec import parse_object
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import subject_stream
from hepatrail_events.transparency.seal import Seal
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import ACCESS, DECISIONS, EVENTS, PARTITIONS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import read_quarantine
from hepatrail_services.audit.bundle.layout import ACCESS_FILE, QUARANTINE_FILE, decisions_file, to_line
from hepatrail_services.audit.bundle.writer import Spool
from hepatrail_services.audit.source import LogSource


class Beside:
    """Copies what belongs to the sealed events.

    `versions` are those of the sealed streams, `ends` the offset behind the last sealed event by partition.
    """

    def __init__(
        self, source: LogSource, spool: Spool, seal: Seal, versions: Mapping[str, int], ends: Sequence[int]
    ) -> None:
        self._source = source
        self._spool = spool
        self._at = format_instant(seal.at)
        self._versions = versions
        self._ends = ends

    async def decisions(self, subject_id: str | None) -> int:
        """All decisions, or those of a participant; how many.

        An accepted command belongs to its events, whatever the clocks of deciders and sealer said; any other decision
        to the seal's instant.
        """
        stream = None if subject_id is None else subject_stream(subject_id)
        partitions = range(PARTITIONS) if stream is None else [partition_of(stream)]
        count = 0
        for partition in partitions:
            with self._spool.lines(decisions_file(partition)) as write:
                async for rows in self._source.rows(DECISIONS, partition):
                    for _, key, value in rows:
                        if (stream is None or key == stream.encode()) and self._decided(value):
                            write(to_line(DECISIONS, key, value) + b"\n")
                            count += 1
        return count

    async def quarantine(self, subject_id: str | None) -> None:
        """What could not be read and what was released, of all streams or of a participant's.

        Without what concerns events behind the seal: they are not in the bundle.
        """
        only = None if subject_id is None else subject_stream(subject_id).encode()
        with self._spool.lines(QUARANTINE_FILE) as write:
            async for rows in self._source.rows(QUARANTINE, 0):
                for _, key, value in rows:
                    if only in (None, key) and self._until(value, "at") and self._sealed(value or b""):
                        write(to_line(QUARANTINE, key, value) + b"\n")

    async def access(self) -> int:
        """The chains of the access log, each up to its first record later than the seal; how many records."""
        ended, count = set[bytes | None](), 0
        with self._spool.lines(ACCESS_FILE) as write:
            async for rows in self._source.rows(ACCESS, 0):
                for _, key, value in rows:
                    if key in ended or not self._until(value, "at"):
                        ended.add(key)
                        continue
                    write(to_line(ACCESS, key, value) + b"\n")
                    count += 1
        return count

    def _decided(self, value: bytes | None) -> bool:
        try:
            body = parse_object(value or b"")
        except InvalidMessage:
            return False
        if body.get("verdict") == "ACCEPTED" and body.get("eventids") and not body.get("repeat"):
            return bool(body.get("version", 0) <= self._versions.get(str(body.get("stream")), 0))
        return str(body.get("recordedat")) <= self._at

    def _sealed(self, value: bytes) -> bool:
        """Whether a record of the quarantine is about something that the seal covers, or about no event."""
        try:
            entry = read_quarantine(value)
        except InvalidMessage:
            return True
        return entry.topic != EVENTS or entry.offset < self._ends[entry.partition]

    def _until(self, value: bytes | None, name: str) -> bool:
        try:
            return str(orjson.loads(value or b"")[name]) <= self._at
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return False
