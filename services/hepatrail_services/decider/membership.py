"""Membership of the decider's group: which lanes are ours. Commands are read elsewhere, by each lane for itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_infra.kafka_admin import COMMANDS
from hepatrail_infra.kafka_clients import settings
from hepatrail_infra.kafka_log import close_consumer
from hepatrail_infra.kafka_wire import FENCED_INSTANCE_ID, Wire
from hepatrail_services.decider.assignor import LaneAssignor
from hepatrail_services.decider.halted import LaneLost
from hepatrail_services.decider.lanes import Lane
from hepatrail_services.decider.setting import GROUP

_log = logging.getLogger(__name__)

_SESSION_MS = 10_000
_HEARTBEAT_MS = 500
_POLL_MS = 500
_REBALANCING = 27


@dataclass(frozen=True, slots=True)
class Member:
    """Who this process is for the group: generation and member id of the last assignment."""

    generation: int
    member_id: str


class Membership:
    """One stay in the group, from `run` to its end.

    `assigned` is called with the lanes of every new assignment, `revoked` before any rebalance; an exception of
    either ends `run`, although aiokafka swallows it (DESIGN section 2, fact 4).
    """

    def __init__(
        self,
        bootstrap: str,
        instance: str,
        layout: int,
        assigned: Callable[[tuple[Lane, ...]], Awaitable[None]],
        revoked: Callable[[], Awaitable[None]],
        before: Member | None = None,
    ) -> None:
        self.member = before
        self._bootstrap = bootstrap
        self._instance = instance
        self._assignor = LaneAssignor(layout)
        self._assigned = assigned
        self._revoked = revoked
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._consumer: AIOKafkaConsumer | None = None

    async def run(self) -> None:
        """Joins and stays a member until cancelled.

        Raises StartRefused when another process took this instance's name, Unavailable and KafkaError when the
        group's coordinator cannot be used, and whatever the callbacks raise.
        """
        await self.refuse_if_replaced()
        consumer = self._consumer = AIOKafkaConsumer(
            **settings(self._bootstrap),
            group_id=GROUP,
            group_instance_id=self._instance,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            request_timeout_ms=_SESSION_MS + 5_000,
        )
        try:
            await consumer.start()
            consumer.subscribe([COMMANDS], listener=_Listener(self))
            poll = asyncio.create_task(self._poll(consumer))
            try:
                await asyncio.wait([poll, self._failure], return_when=asyncio.FIRST_COMPLETED)
            finally:
                poll.cancel()
                await asyncio.wait([poll])
            if self._failure.done():
                self._failure.result()
            if not poll.cancelled():
                poll.result()
        finally:
            await close_consumer(consumer)

    async def confirm(self) -> None:
        """LaneLost unless the group counts this process among its members at this moment."""
        code = await self._heartbeat()
        if code is not None and code not in (0, _REBALANCING):
            raise LaneLost(f"the group no longer counts this process among its members (code {code})", fenced=True)

    async def refuse_if_replaced(self) -> None:
        """StartRefused when another process joined under this instance's name: joining again would oust it."""
        if await self._heartbeat() == FENCED_INSTANCE_ID:
            raise StartRefused(f"Another process runs as {self._instance}: each decider needs a name of its own.")

    async def on_revoked(self) -> None:
        """A rebalance begins: nothing is ours until the next assignment."""
        try:
            await self._revoked()
            await self.refuse_if_replaced()
        except Exception as error:
            self._fail(error)
            # Ends aiokafka's coordination; an ordinary exception is swallowed there, and it would join.
            raise asyncio.CancelledError from error

    async def on_assigned(self, partitions: set[TopicPartition]) -> None:
        """An assignment was made."""
        consumer = self._consumer
        assert consumer is not None
        consumer.pause(*partitions)
        coordinator: Any = consumer._coordinator
        self.member = Member(coordinator.generation, coordinator.member_id)
        try:
            await self._assigned(self._assignor.lanes())
        except Exception as error:
            self._fail(error)
            raise
        if self._assignor.for_another_layout():
            _log.warning("the assignment is left over from another layout; asking for a new one")
            coordinator.request_rejoin()

    async def _heartbeat(self) -> int | None:
        if self.member is None:
            return None
        async with Wire(self._bootstrap) as wire:
            return await wire.heartbeat(GROUP, self.member.generation, self.member.member_id, self._instance)

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        # All partitions are paused: this only keeps the membership alive and shows the coordinator's errors.
        while True:
            try:
                await consumer.getmany(timeout_ms=_POLL_MS)
            except KafkaError as error:
                raise Unavailable(f"the group cannot be used: {error}") from error

    def _fail(self, error: Exception) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)


class _Listener(ConsumerRebalanceListener):
    # aiokafka awaits what these return, though its own signatures say None.
    def __init__(self, membership: Membership) -> None:
        self._membership = membership

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, _revoked: set[TopicPartition]
    ) -> None:
        await self._membership.on_revoked()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: set[TopicPartition]
    ) -> None:
        await self._membership.on_assigned(assigned)
