"""Whose turn it is to seal, and the one producer that may write seals.

The group `hepatrail-sealer` gives the one partition of `hepatrail.checkpoints` to one of its members; the others stand
by. The transactional id shuts out whoever had the turn before, and is taken on assignment only (ADR 3).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_events.transparency.seal import Seal
from hepatrail_infra.kafka_admin import CHECKPOINTS
from hepatrail_infra.kafka_clients import settings as client_settings
from hepatrail_infra.kafka_log import close_consumer, close_producer, make_producer
from hepatrail_infra.kafka_wire import FENCED_INSTANCE_ID, Wire
from hepatrail_services.audit.resume import RESUME, Resume

_log = logging.getLogger(__name__)

GROUP = "hepatrail-sealer"
TRANSACTIONAL_ID = "hepatrail-sealer"

_SESSION_MS = 10_000
_HEARTBEAT_MS = 500
_POLL_MS = 500
_REBALANCING = 27
_START_SECONDS = 30.0
_WRITE_SECONDS = 8.0
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Member:
    """Who this process is for the group: generation and member id of the last assignment."""

    generation: int
    member_id: str


class Turn:
    """One stay in the group: `work` runs from each assignment to the next rebalance, and is cancelled then."""

    def __init__(
        self,
        bootstrap: str,
        instance: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        before: Member | None = None,
    ) -> None:
        """`instance` is stable and unique among the sealers of a study; `before` is who this was in its last stay."""
        self._bootstrap = bootstrap
        self._instance = instance
        self._work = work
        self.member = before
        self._joined = False
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def joined(self) -> bool:
        """Whether the group has said whose turn it is."""
        return self._joined

    @property
    def mine(self) -> bool:
        """Whether it is this process's turn."""
        return self._task is not None

    async def run(self) -> None:
        """Stays until cancelled.

        Raises what `work` raises, StartRefused when another process took this instance's name, Unavailable when the
        group cannot be used.
        """
        if await self._heartbeat() == FENCED_INSTANCE_ID:
            # Joining again would oust the other, which would oust this one in turn.
            raise self._name_is_taken()
        consumer = self._consumer = AIOKafkaConsumer(
            **client_settings(self._bootstrap),
            group_id=GROUP,
            group_instance_id=self._instance,
            enable_auto_commit=False,
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            request_timeout_ms=_SESSION_MS + 5_000,
        )
        poll = None
        try:
            await consumer.start()
            consumer.subscribe([CHECKPOINTS], listener=_Listener(self))
            poll = asyncio.create_task(self._poll(consumer))
            await asyncio.wait([poll, self._ended], return_when=asyncio.FIRST_COMPLETED)
            if self._ended.done():
                self._ended.result()
            poll.result()
        except KafkaError as error:
            raise Unavailable(f"the group cannot be used: {error}") from error
        finally:
            await self._end_work()
            if poll is not None:
                poll.cancel()
                await asyncio.wait([poll])
            await close_consumer(consumer)
            if self._ended.done():
                self._ended.exception()

    async def confirm(self) -> None:
        """Raises Unavailable unless the group counts this process among its members now, StartRefused as `run`."""
        code = await self._heartbeat()
        if code == FENCED_INSTANCE_ID:
            raise self._name_is_taken()
        if code not in (0, _REBALANCING):
            raise Unavailable(f"the group no longer counts this process among its members (code {code})")

    async def _heartbeat(self) -> int:
        if self.member is None:
            return 0
        async with Wire(self._bootstrap) as wire:
            return await wire.heartbeat(GROUP, self.member.generation, self.member.member_id, self._instance)

    def _name_is_taken(self) -> StartRefused:
        return StartRefused(f"Another process runs as {self._instance}: each sealer needs a name of its own.")

    async def on_revoked(self) -> None:
        """A rebalance begins: it is nobody's turn until the next assignment."""
        await self._end_work()
        try:
            await self.confirm()
        except Unavailable as error:
            _log.warning("joining again: %s", error)
        except StartRefused as error:
            self._end(error)
            # Ends aiokafka's coordination; an ordinary exception is swallowed there, and it would oust the other.
            raise asyncio.CancelledError from error

    def on_assigned(self, partitions: set[TopicPartition]) -> None:
        """The group has said whose turn it is."""
        assert self._consumer is not None
        self._consumer.pause(*partitions)
        coordinator: Any = self._consumer._coordinator
        self._joined, self.member = True, Member(coordinator.generation, coordinator.member_id)
        if partitions:
            self._task = asyncio.create_task(self._confirmed_work())
            self._task.add_done_callback(self._work_ended)

    async def _confirmed_work(self) -> None:
        await self.confirm()
        await self._work()

    def _work_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        self._end(task.exception() or Unavailable("the sealing ended by itself"))

    async def _end_work(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        # The partition is paused: this only keeps the membership alive and shows the coordinator's errors.
        while True:
            await consumer.getmany(timeout_ms=_POLL_MS)

    def _end(self, error: BaseException) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)


class _Listener(ConsumerRebalanceListener):
    # aiokafka awaits what these return, though its own signatures say None.
    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, _revoked: set[TopicPartition]
    ) -> None:
        await self._turn.on_revoked()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: set[TopicPartition]
    ) -> None:
        self._turn.on_assigned(assigned)


async def until_settled(bootstrap: str) -> None:
    """Waits until no transaction is open on the seals: behind one, a committed seal would stay unseen.

    Raises Unavailable when that takes longer than 30 s.
    """
    place = TopicPartition(CHECKPOINTS, 0)
    try:
        async with Wire(bootstrap) as wire, asyncio.timeout(_START_SECONDS):
            while True:
                if await wire.stable_ends([place]) == await wire.ends([place]):
                    return
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise Unavailable(f"a transaction on the seals has been open for {_START_SECONDS:g} s") from None


class SealWriter:
    """Writes seals, one a transaction; after an error it is of no more use, and the topic says what was written."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    @classmethod
    async def open(cls, bootstrap: str) -> "SealWriter":
        """Shuts out whoever wrote until now; raises Unavailable."""
        producer = make_producer(bootstrap, TRANSACTIONAL_ID)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await producer.start()
                await producer.partitions_for(CHECKPOINTS)
        except (KafkaError, TimeoutError) as error:
            await close_producer(producer)
            raise Unavailable(f"the producer of {TRANSACTIONAL_ID} did not start: {error}") from error
        except BaseException:
            await close_producer(producer)
            raise
        return cls(producer)

    async def close(self) -> None:
        """Gives the producer up; an open transaction is ended by whoever writes next."""
        await close_producer(self._producer)

    async def write(self, seal: Seal, resume: Resume) -> None:
        """Writes a seal and the hints beside it; raises Unavailable, also when it is not known what came of it."""
        manager: Any = self._producer._txn_manager
        if manager.is_fatal_error():
            # aiokafka's own check is an assertion.
            raise Unavailable("the producer of seals was shut out")
        try:
            async with asyncio.timeout(_WRITE_SECONDS):
                await self._producer.begin_transaction()
                sent = await self._producer.send(
                    CHECKPOINTS, seal.raw(), key=seal.log.encode(), partition=0, headers=[(RESUME, resume.raw())]
                )
                # `commit_transaction` alone would commit even when the send has failed (DESIGN section 2, fact 2).
                await sent
                await self._producer.commit_transaction()
        except (KafkaError, TimeoutError) as error:
            raise Unavailable(f"seal {seal.seal} may not be written: {error}") from error
