"""Commands out, decisions back: how a gateway or a processor asks the deciders."""

import asyncio
import logging
from collections import defaultdict, deque
from contextlib import suppress
from uuid import UUID

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from hepatrail_events.codec import parse_object
from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.errors import InvalidMessage, Unavailable
from hepatrail_events.streams import STUDY
from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_admin import COMMANDS, DECISIONS, MAX_RECORD_BYTES, PARTITIONS
from hepatrail_infra.kafka_log import LogReader, Record, close_producer, make_producer, partition_of

_log = logging.getLogger(__name__)

_PAUSE = 0.2
_Key = tuple[str, UUID]


class CommandBus:
    """Sends commands and hands each decision to those who wait for it.

    Waiters are keyed by stream, id and body hash. Decisions are read from all partitions, without a group, from
    where they stood before the first command was sent; so a decision cannot be missed while the process lives.
    """

    def __init__(self, bootstrap: str, instance: str, clock: Clock) -> None:
        self._bootstrap = bootstrap
        self._instance = instance
        self._clock = clock
        self._reader = LogReader(bootstrap)
        self._producer: AIOKafkaProducer | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiters: dict[_Key, deque[tuple[str, asyncio.Future[Decision]]]] = defaultdict(deque)
        self.study_version = 0
        """Highest version of the study stream that was seen decided."""

    async def start(self) -> None:
        """Connects; raises Unavailable when Kafka is away."""
        await self._reader.start_at_end([TopicPartition(DECISIONS, partition) for partition in range(PARTITIONS)])
        producer = make_producer(self._bootstrap)
        try:
            await producer.start()
            await producer.partitions_for(COMMANDS)
        except KafkaError as error:
            await close_producer(producer)
            await self._reader.stop()
            raise Unavailable(f"Kafka does not answer: {error}") from error
        self._producer = producer
        self._reading = asyncio.create_task(self._read(), name=f"decisions for {self._instance}")

    async def stop(self) -> None:
        """Disconnects; whoever still waits learns that the answer is pending."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
            self._reading = None
        if self._producer is not None:
            await close_producer(self._producer)
            self._producer = None
        await self._reader.stop()
        for waiting in self._waiters.values():
            for _, future in waiting:
                future.cancel()
        self._waiters.clear()

    @property
    def alive(self) -> bool:
        """Whether decisions are being read; False after a failure that does not pass, which `check` raises."""
        return self._reading is not None and not self._reading.done()

    def check(self) -> None:
        """Raises what ended the reading of decisions (LogShorter, a bug); nothing while all is well."""
        if self._reading is not None and self._reading.done() and not self._reading.cancelled():
            self._reading.result()

    async def send(self, message: CommandMessage) -> None:
        """Sends a command and returns when Kafka has it; Unavailable when it was not taken."""
        try:
            await (await self._enqueue(message))
        except KafkaError as error:
            raise Unavailable(f"the command was not sent: {error}") from error

    async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision | None:  # noqa: ASYNC109
        """Sends a command and awaits its decision; None when that takes longer than `timeout` seconds.

        None means pending: the command may still be decided. Raises Unavailable when Kafka refused it.
        """
        self.check()
        key = (message.stream, message.commandid)
        answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        entry = (message.bodyhash, answer)
        self._waiters[key].append(entry)
        try:
            async with asyncio.timeout(timeout):
                delivery = await self._enqueue(message)
                delivery.add_done_callback(lambda sent: _pass_on(sent, answer))
                return await answer
        except TimeoutError:
            return None
        except asyncio.CancelledError:
            # The bus was stopped; anything else that cancels the caller must go on.
            if answer.cancelled() and self._producer is None:
                return None
            raise
        except KafkaError as error:
            raise Unavailable(f"the command was not sent: {error}") from error
        finally:
            self._forget(key, entry)

    async def _enqueue(self, message: CommandMessage) -> "asyncio.Future[object]":
        if self._producer is None:
            raise Unavailable("the command bus is not started")
        raw = message.raw()
        if len(raw) > MAX_RECORD_BYTES:
            raise Unavailable("the command is larger than a record may be")
        key = message.stream.encode()
        sent: asyncio.Future[object] = await self._producer.send(
            COMMANDS, raw, key=key, partition=partition_of(message.stream)
        )
        return sent

    def _forget(self, key: _Key, entry: tuple[str, asyncio.Future[Decision]]) -> None:
        waiting = self._waiters.get(key)
        if waiting is not None:
            with suppress(ValueError):
                waiting.remove(entry)
            if not waiting:
                del self._waiters[key]

    async def _read(self) -> None:
        while True:
            try:
                batches = await self._reader.getmany()
            except Unavailable:
                await asyncio.sleep(_PAUSE)
                continue
            for records in batches.values():
                for record in records:
                    self._take(record)

    def _take(self, record: Record) -> None:
        stream = (record.key or b"").decode("ascii", "replace")
        try:
            body = parse_object(record.value or b"")
            command_id = UUID(str(body.get("commandid")))
            if stream != STUDY and (stream, command_id) not in self._waiters:
                return
            decision = Decision.read(record.value or b"")
        except (InvalidMessage, ValueError):
            _log.error("decision that cannot be read at %d/%d", record.partition, record.offset)
            return
        if decision.stream == STUDY and decision.verdict is Verdict.ACCEPTED:
            self.study_version = max(self.study_version, decision.version)
        self._resolve(decision)

    def _resolve(self, decision: Decision) -> None:
        """Answers who waits for this body; and who waits with another one for an id that this decision binds."""
        for bodyhash, future in list(self._waiters.get((decision.stream, decision.commandid), ())):
            if future.done():
                continue
            if bodyhash == decision.bodyhash:
                future.set_result(decision)
                if not decision.binds and not decision.repeat:
                    # Each further try of the same command is decided anew, and gets its own answer.
                    break
            elif decision.binds:
                future.set_result(_conflict(decision, bodyhash))


def _pass_on(sent: "asyncio.Future[object]", answer: "asyncio.Future[Decision]") -> None:
    error = None if sent.cancelled() else sent.exception()
    if error is not None and not answer.done():
        answer.set_exception(Unavailable(f"the command was not sent: {error}"))


def _conflict(decision: Decision, bodyhash: str) -> Decision:
    """What the decider answers to another body under a known id."""
    return decision.model_copy(
        update={
            "bodyhash": bodyhash,
            "verdict": Verdict.REJECTED,
            "code": Code.CONFLICT,
            "rule": None,
            "field": None,
            "message": "This commandId was used before, for a command with another content.",
            "input": None,
            "eventids": (),
            "repeat": True,
        }
    )
