"""The table `event` held to Kafka, row by row and column by column: a forged mirror shows, whatever its hashes say."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidMessage
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS
from hepatrail_projections.event import EVENT, EventRow, mirrored
from hepatrail_projections.table import Connection
from hepatrail_services.audit.problems import Problem, Problems
from hepatrail_services.audit.readable import readable_rows
from hepatrail_services.audit.source import LogSource

_AT_ONCE = 500
_NAMES = tuple(each.name for each in fields(EventRow))


async def check_mirror(
    source: LogSource, connection: Connection, schema: str, problems: Problems | None = None
) -> tuple[Problem, ...]:
    """What the mirror in `schema` has too few, too many or otherwise, as far as it is projected; at most 100 of all.

    All of them go to `problems` when it is given. Reads one snapshot of the mirror, by a cursor a partition. An
    event that is kept in quarantine, or that waits behind one, counts as mirrored when its bytes are there. Raises
    Unavailable.
    """
    found = Problems() if problems is None else problems
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for partition in range(PARTITIONS):
            await _Partition(source, connection, schema, partition, found).check()
        strays = f"SELECT {', '.join(_NAMES)} FROM {schema}.event WHERE partition NOT BETWEEN 0 AND {PARTITIONS - 1}"  # noqa: S608
        for record in await connection.fetch(f"{strays} ORDER BY partition, kafka_offset LIMIT {_AT_ONCE}"):
            row = EVENT.load(record)
            found.add(_problem("MIRROR_EXTRA", row.partition, row, "the log has no such partition"))
    return found.first()


class _Partition:
    """One partition of the log beside the rows that say they come from it."""

    def __init__(
        self, source: LogSource, connection: Connection, schema: str, partition: int, problems: Problems
    ) -> None:
        self._source, self._connection, self._schema = source, connection, schema
        self._partition, self._problems = partition, problems

    async def check(self) -> None:
        """Goes through both in the order of offsets."""
        until, beside = await self._projected_to(), await self._beside()
        mirror = self._mirror()
        row = await anext(mirror, None)
        async for offset, value in self._log(until):
            while row is not None and row.kafka_offset < offset:
                self._extra(row)
                row = await anext(mirror, None)
            if row is not None and row.kafka_offset == offset:
                self._compare(row, value)
                row = await anext(mirror, None)
            else:
                self._missing(offset, value, beside)
        while row is not None:
            self._extra(row)
            row = await anext(mirror, None)

    async def _log(self, until: int) -> AsyncIterator[tuple[int, bytes]]:
        """Offset and value of what the log holds before an offset; what cannot be read is named elsewhere."""
        async for rows in readable_rows(self._source, EVENTS, self._partition, Problems()):
            for offset, _, value in rows:
                if offset >= until:
                    return
                yield offset, value or b""

    async def _projected_to(self) -> int:
        sql = f"SELECT next_offset FROM {self._schema}.projection_offset WHERE topic = $1 AND partition = $2"  # noqa: S608
        return int(await self._connection.fetchval(sql, EVENTS, self._partition) or 0)

    async def _beside(self) -> dict[int, str]:
        """The hashes of what stands in quarantine, or waits behind it, by offset."""
        rows = await self._connection.fetch(
            f"SELECT kafka_offset, raw FROM {self._schema}.quarantine WHERE topic = $1 AND partition = $2 "  # noqa: S608
            f"UNION ALL SELECT kafka_offset, raw FROM {self._schema}.parked_event WHERE partition = $2",
            EVENTS,
            self._partition,
        )
        return {row["kafka_offset"]: sha256_hex(row["raw"]) for row in rows}

    async def _mirror(self) -> AsyncIterator[EventRow]:
        sql = (
            f"SELECT {', '.join(_NAMES)} FROM {self._schema}.event WHERE partition = $1 "  # noqa: S608
            "ORDER BY kafka_offset, stream, streamseq"
        )
        async for record in self._connection.cursor(sql, self._partition, prefetch=_AT_ONCE):
            yield EVENT.load(record)

    def _compare(self, row: EventRow, value: bytes) -> None:
        due = _row_of(value, self._partition, row.kafka_offset)
        if due is None:
            self._extra(row)
            return
        wrong = _differing(row, due)
        if wrong:
            message = f"{', '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} not what the log says"
            self._problems.add(_problem("MIRROR_DIFFERS", self._partition, due, message))

    def _missing(self, offset: int, value: bytes, beside: dict[int, str]) -> None:
        kept = beside.get(offset)
        if kept == sha256_hex(value):
            return
        due = _row_of(value, self._partition, offset)
        stream, seq = (None, None) if due is None else (due.stream, due.streamseq)
        what = "is not in the mirror" if kept is None else "stands in quarantine with other bytes"
        code = "MIRROR_MISSING" if kept is None else "MIRROR_DIFFERS"
        self._problems.add(Problem(code, EVENTS, self._partition, offset, stream, seq, f"the event {what}"))

    def _extra(self, row: EventRow) -> None:
        self._problems.add(_problem("MIRROR_EXTRA", self._partition, row, "the log has no such event at this place"))


def _row_of(value: bytes, partition: int, offset: int) -> EventRow | None:
    """The row that an event must have, whatever this program knows of its type; None for what cannot be read."""
    try:
        body = parse_object(value)
        envelope = Envelope.from_json(body)
    except InvalidMessage:
        return None
    return mirrored(envelope, body.get("data"), value, partition, offset)


def _differing(row: EventRow, due: EventRow) -> Sequence[str]:
    wrong = [name for name in _NAMES if name != "payload" and getattr(row, name) != getattr(due, name)]
    return [*wrong, "payload"] if not _same_json(row.payload, due.payload) else wrong


def _same_json(one: object, other: object) -> bool:
    try:
        return canonical_json(one) == canonical_json(other)
    except ValueError:
        return False


def _problem(code: str, partition: int, row: EventRow, message: str) -> Problem:
    return Problem(code, EVENTS, partition, row.kafka_offset, row.stream, row.streamseq, message)
