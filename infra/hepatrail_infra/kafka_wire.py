"""Requests that aiokafka's consumers and producers do not send: fencing, ends of logs, a static member's heartbeat.

One client for short questions. Every question is repeated until it is answered or `patience` has passed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.api import Request, RequestStruct
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.group import HeartbeatResponse_v1
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.protocol.types import Int32, Schema, String

from hepatrail_events.errors import Unavailable
from hepatrail_infra.kafka_clients import settings

TRANSACTION_TIMEOUT_MS = 10_000
"""How long Kafka leaves a transaction open for its producer (DESIGN section 2, fact 5)."""

FENCED_INSTANCE_ID = 82
UNKNOWN_MEMBER_ID = 25

_EARLIEST, _LATEST = -2, -1
_UNCOMMITTED, _COMMITTED = 0, 1
_NO_OFFSET = -1
_PAUSE = 0.02
_PATIENCE = 30.0
# COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, CONCURRENT_TRANSACTIONS; and
# INVALID_PRODUCER_EPOCH, PRODUCER_FENCED (90, unknown to aiokafka): two initialisations of one id met.
_ASK_AGAIN = frozenset({14, 15, 16, 47, 51, 90})

_Answer = TypeVar("_Answer")


class _HeartbeatResponse(HeartbeatResponse_v1):
    API_VERSION = 3


class _HeartbeatRequestV3(RequestStruct):
    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = _HeartbeatResponse
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class _StaticHeartbeat(Request[_HeartbeatRequestV3]):
    """aiokafka's heartbeat names no group instance, and so cannot learn that another process took its place."""

    API_KEY = 12

    def __init__(self, group: str, generation: int, member: str, instance: str) -> None:
        self._fields = (group, generation, member, instance)

    def build(self, request_struct_class: type[_HeartbeatRequestV3]) -> _HeartbeatRequestV3:
        return request_struct_class(*self._fields)


class Wire:
    """A connection for questions to brokers and coordinators; raises Unavailable when `patience` runs out."""

    def __init__(self, bootstrap: str, patience: float = _PATIENCE) -> None:
        self._client = AIOKafkaClient(**settings(bootstrap), request_timeout_ms=10_000)
        self._patience = patience

    async def start(self) -> None:
        """Connects; Unavailable when no broker answers."""
        try:
            await self._client.bootstrap()
        except KafkaError as error:
            await self._client.close()
            raise Unavailable(f"Kafka does not answer: {error}") from error

    async def stop(self) -> None:
        """Disconnects."""
        await self._client.close()

    async def __aenter__(self) -> "Wire":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def fence(self, transactional_id: str) -> None:
        """Initialises the id: ends its open transaction and shuts out whoever held it until now."""
        request = InitProducerIdRequest(transactional_id, TRANSACTION_TIMEOUT_MS)

        async def ask() -> None:
            node = await self._client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
            response = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
            _raise_for(response.error_code, f"initialising {transactional_id}")

        await self._until_answered(ask)

    async def stable_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The last stable offset of each partition."""
        return await self._offsets(partitions, _LATEST, _COMMITTED)

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The high watermark of each partition."""
        return await self._offsets(partitions, _LATEST, _UNCOMMITTED)

    async def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset of each partition."""
        return await self._offsets(partitions, _EARLIEST, _UNCOMMITTED)

    async def committed(self, group: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int | None]:
        """The offsets that the group has committed; None where it has none."""
        request = OffsetFetchRequest(group, _by_topic(partitions))

        async def ask() -> dict[TopicPartition, int | None]:
            node = await self._client.coordinator_lookup(CoordinationType.GROUP, group)
            response = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
            _raise_for(response.error_code, f"reading the offsets of {group}")
            found: dict[TopicPartition, int | None] = {}
            for topic, rows in response.topics:
                for partition, offset, _, code in rows:
                    _raise_for(code, f"reading the offsets of {group}")
                    found[TopicPartition(topic, partition)] = None if offset == _NO_OFFSET else offset
            return found

        return await self._until_answered(ask)

    async def heartbeat(self, group: str, generation: int, member: str, instance: str) -> int:
        """A static member's heartbeat; the broker's error code, 0 when the membership stands."""

        async def ask() -> int:
            node = await self._client.coordinator_lookup(CoordinationType.GROUP, group)
            request = _StaticHeartbeat(group, generation, member, instance)
            response = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
            if response.error_code in _ASK_AGAIN:
                _raise_for(response.error_code, "heartbeat")
            return int(response.error_code)

        return await self._until_answered(ask)

    async def _offsets(
        self, partitions: Iterable[TopicPartition], at: int, isolation: int
    ) -> dict[TopicPartition, int]:
        asked = list(partitions)

        async def ask() -> dict[TopicPartition, int]:
            if any(self._client.cluster.leader_for_partition(tp) in (None, -1) for tp in asked):
                for topic in {tp.topic for tp in asked}:
                    await self._client.add_topic(topic)
            by_node: dict[int, list[TopicPartition]] = defaultdict(list)
            for tp in asked:
                leader = self._client.cluster.leader_for_partition(tp)
                if leader is None or leader == -1:
                    raise Unavailable(f"{tp.topic}/{tp.partition} has no leader")
                by_node[leader].append(tp)
            found: dict[TopicPartition, int] = {}
            for node, here in by_node.items():
                found.update(await self._offsets_at(node, here, at, isolation))
            return found

        return await self._until_answered(ask)

    async def _offsets_at(
        self, node: int, partitions: list[TopicPartition], at: int, isolation: int
    ) -> dict[TopicPartition, int]:
        topics = [(topic, [(partition, at) for partition in rows]) for topic, rows in _by_topic(partitions)]
        response = await self._client.send(node, OffsetRequest(-1, isolation, topics))
        found = {}
        for topic, rows in response.topics:
            for partition, code, _, offset in rows:
                _raise_for(code, f"reading the ends of {topic}/{partition}")
                found[TopicPartition(topic, partition)] = offset
        return found

    async def _until_answered(self, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            try:
                return await ask()
            except (KafkaError, Unavailable) as error:
                if isinstance(error, KafkaError) and not error.retriable:
                    raise Unavailable(str(error)) from error
                if asyncio.get_running_loop().time() > deadline:
                    raise Unavailable(f"Kafka gave no answer within {self._patience:g} s: {error}") from error
                if getattr(error, "invalid_metadata", False):
                    await self._client.force_metadata_update()
            await asyncio.sleep(_PAUSE)


def _raise_for(code: int, what: str) -> None:
    if code in _ASK_AGAIN:
        raise Unavailable(f"{what}: code {code}")
    if code:
        raise for_code(code)(what)


def _by_topic(partitions: Iterable[TopicPartition]) -> list[tuple[str, list[int]]]:
    topics: dict[str, list[int]] = defaultdict(list)
    for topic, partition in partitions:
        topics[topic].append(partition)
    return list(topics.items())
