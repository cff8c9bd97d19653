"""The access log `hepatrail.access` (AUD-07, AUD-11): refusals, logins, tokens, exports, reads of the trail.

One hash chain an API instance: `seq` counts without gaps, `prevhash` is the SHA-256 of the record before.
"""

import asyncio
import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import Field

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.commands import Actor
from hepatrail_events.envelope import GENESIS
from hepatrail_events.errors import InvalidMessage, Unavailable
from hepatrail_events.types import Fact, Instant, read_fact
from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_admin import ACCESS
from hepatrail_infra.kafka_log import LogReader, Record, close_producer, make_producer
from hepatrail_infra.kafka_wire import Wire

_log = logging.getLogger(__name__)

_PARTITION = TopicPartition(ACCESS, 0)
_WINDOW = 1000
_DELIVERY_SECONDS = 5.0


class Access(StrEnum):
    """What was done or tried."""

    COMMAND_REFUSED = "COMMAND_REFUSED"
    LOGIN = "LOGIN"
    LOGIN_FAILED = "LOGIN_FAILED"
    LOGOUT = "LOGOUT"
    TOKEN_ISSUED = "TOKEN_ISSUED"  # noqa: S105
    TOKEN_WITHDRAWN = "TOKEN_WITHDRAWN"  # noqa: S105
    ROLE_CHANGED = "ROLE_CHANGED"
    EXPORT = "EXPORT"
    IMPORT = "IMPORT"
    TRAIL_READ = "TRAIL_READ"
    ACCESS_READ = "ACCESS_READ"
    CHECKPOINT_ASKED = "CHECKPOINT_ASKED"


class AccessRecord(Fact):
    """One line of the access log; it holds no patient data: bodies appear by their hash only."""

    instance: str
    seq: int = Field(ge=1)
    prevhash: str = Field(pattern=r"^[0-9a-f]{64}$")
    at: Instant
    kind: Access
    actorid: str | None = None
    actorrole: str | None = None
    actororg: str | None = None
    command: str | None = None
    commandid: UUID | None = None
    code: str | None = None
    rule: str | None = None
    field: str | None = None
    bodyhash: str | None = None
    detail: dict[str, Any] | None = Field(default=None, description="What else belongs to this kind; no patient data")

    def raw(self) -> bytes:
        """The record's value."""
        return canonical_json(self.payload())

    @classmethod
    def read(cls, raw: bytes) -> "AccessRecord":
        """Reads a record's value; NotJson or InvalidEnvelope when it is none."""
        return read_fact(cls, parse_object(raw))


class AccessLog:
    """Writes the chain of one API instance and goes on with it after a restart."""

    def __init__(self, bootstrap: str, instance: str, clock: Clock) -> None:
        self._bootstrap = bootstrap
        self._instance = instance
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None
        self._seq = 0
        self._hash = GENESIS
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Connects and finds the end of its chain; raises Unavailable when Kafka is away."""
        await self._find_end()
        producer = make_producer(self._bootstrap)
        try:
            await producer.start()
        except KafkaError as error:
            await close_producer(producer)
            raise Unavailable(f"Kafka does not answer: {error}") from error
        self._producer = producer

    async def stop(self) -> None:
        """Delivers what was written and disconnects."""
        if self._producer is not None:
            await close_producer(self._producer, patience=_DELIVERY_SECONDS)
            self._producer = None

    async def refused(
        self,
        actor: Actor | None,
        command: str,
        *,
        code: str,
        rule: str | None = None,
        field: str | None = None,
        bodyhash: str | None = None,
        commandid: UUID | None = None,
    ) -> None:
        """A command was refused before it reached a decider: authority, shape, size, an identifier in free text."""
        await self.write(
            Access.COMMAND_REFUSED,
            actor,
            command=command[:80],
            commandid=commandid,
            code=code,
            rule=rule,
            field=field[:200] if field else None,
            bodyhash=bodyhash,
        )

    async def write(
        self, kind: Access, actor: Actor | None = None, *, detail: Mapping[str, Any] | None = None, **fields: Any
    ) -> None:
        """Appends a record. Raises Unavailable when Kafka has not taken it within 5 s; it is still delivered
        when Kafka comes back while this process lives."""
        async with self._turn:
            if self._producer is None:
                raise Unavailable("the access log is not started")
            record = AccessRecord(
                instance=self._instance,
                seq=self._seq + 1,
                prevhash=self._hash,
                at=self._clock.now(),
                kind=kind,
                actorid=actor.id if actor else None,
                actorrole=actor.role.value if actor else None,
                actororg=actor.org if actor else None,
                detail=dict(detail) if detail else None,
                **fields,
            )
            raw = record.raw()
            try:
                async with asyncio.timeout(_DELIVERY_SECONDS):
                    sent = await self._producer.send(ACCESS, raw, key=self._instance.encode(), partition=0)
            except (KafkaError, TimeoutError) as error:
                raise Unavailable(f"the access log cannot be written: {error}") from error
            self._seq, self._hash = record.seq, sha256_hex(raw)
        await _delivered(sent)

    async def _find_end(self) -> None:
        """Looks for this instance's last record from the end of the topic backwards, in growing steps."""
        async with Wire(self._bootstrap) as wire:
            first = (await wire.beginnings([_PARTITION]))[_PARTITION]
            end = (await wire.stable_ends([_PARTITION]))[_PARTITION]
        window = _WINDOW
        while True:
            start = max(first, end - window)
            last = await self._last_since(start)
            if last is not None:
                self._seq, self._hash = AccessRecord.read(last).seq, sha256_hex(last)
            if last is not None or start == first:
                return
            window *= 8

    async def _last_since(self, offset: int) -> bytes | None:
        key, last = self._instance.encode(), None

        async def take(records: list[Record]) -> None:
            nonlocal last
            for record in records:
                if record.key == key and _readable(record):
                    last = record.value

        reader = LogReader(self._bootstrap)
        try:
            await reader.start({_PARTITION: offset})
            await reader.read_to_end(take)
        finally:
            await reader.stop()
        return last


def _readable(record: Record) -> bool:
    try:
        AccessRecord.read(record.value or b"")
    except InvalidMessage as error:
        _log.error("access record %d cannot be read: %s", record.offset, error.code)
        return False
    return True


async def _delivered(sent: "asyncio.Future[Any]") -> None:
    try:
        # Shielded, so that a slow Kafka still gets the record.
        async with asyncio.timeout(_DELIVERY_SECONDS):
            await asyncio.shield(sent)
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(f"the access log cannot be written: {error}") from error
