"""The quarantine topic as the projector writes it: raw bytes, position and reason; the same one may come again."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hepatrail_events.errors import CommandRejected, Unavailable
from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_admin import QUARANTINE
from hepatrail_infra.kafka_log import close_producer, make_producer
from hepatrail_infra.kafka_quarantine import Quarantined, Released, encode_raw, record_bytes
from hepatrail_projections.quarantine import PARKED, QuarantineRow


class QuarantineTopic:
    """Sends rows to the topic; connects when the first one comes."""

    def __init__(self, bootstrap: str, clock: Clock) -> None:
        self._bootstrap = bootstrap
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None

    async def put(self, rows: Sequence[QuarantineRow]) -> None:
        """Sends the rows and waits until Kafka has them; Unavailable when it is away."""
        try:
            producer = await self._connected()
            for row in rows:
                entry = Quarantined(
                    topic=row.topic,
                    partition=row.partition,
                    offset=row.kafka_offset,
                    stream=row.stream,
                    code=row.code,
                    reason=row.reason,
                    raw=encode_raw(row.raw),
                    at=self._clock.now(),
                )
                key = None if row.stream is None else row.stream.encode()
                await producer.send_and_wait(QUARANTINE, record_bytes(entry), key=key)
        except KafkaError as error:
            await self.close()
            raise Unavailable(f"the quarantine topic cannot be written: {error}") from error

    async def release(self, row: QuarantineRow, reason: str, by: str) -> None:
        """Decides that a parked record is to be passed over by every reader of the log, from now on and for ever.

        Raises CommandRejected when the record is not parked or names no stream, Unavailable when Kafka is away.
        """
        if row.status != PARKED or row.stream is None:
            raise CommandRejected("Only a record that parks a stream can be released.", field="position")
        entry = Released(
            topic=row.topic,
            stream=row.stream,
            partition=row.partition,
            offset=row.kafka_offset,
            reason=reason,
            by=by,
            at=self._clock.now(),
        )
        try:
            producer = await self._connected()
            await producer.send_and_wait(QUARANTINE, record_bytes(entry), key=row.stream.encode())
        except KafkaError as error:
            await self.close()
            raise Unavailable(f"the quarantine topic cannot be written: {error}") from error

    async def close(self) -> None:
        """Disconnects."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await close_producer(producer)

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = make_producer(self._bootstrap)
            try:
                await producer.start()
            except KafkaError:
                await close_producer(producer)
                raise
            self._producer = producer
        return self._producer
