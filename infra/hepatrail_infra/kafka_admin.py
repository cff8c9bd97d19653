"""The six topics: made with exactly the settings of DESIGN section 2, and held to them at every start."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_infra.kafka_clients import settings, shown

COMMANDS = "hepatrail.commands"
EVENTS = "hepatrail.events"
DECISIONS = "hepatrail.decisions"
ACCESS = "hepatrail.access"
QUARANTINE = "hepatrail.quarantine"
CHECKPOINTS = "hepatrail.checkpoints"

PARTITIONS = 12
"""Partitions of commands, events and decisions: frozen for life, because a stream's key must stay where it is."""

MAX_RECORD_BYTES = 1024 * 1024
"""The largest value that is written to any topic but quarantine, whose records hold others' bytes in base64."""

_BATCH_BYTES = 2 * MAX_RECORD_BYTES
_QUARANTINE_BYTES = 4 * MAX_RECORD_BYTES
_WEEK = 7 * 24 * 3600 * 1000
_FOR_EVER = -1
_EXISTS = 36
_PROMPT = 30.0


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic must be; `retention_ms` -1 is for ever, `synced` asks for an fsync an append on a single node."""

    name: str
    partitions: int
    retention_ms: int = _FOR_EVER
    synced: bool = False
    max_bytes: int = _BATCH_BYTES

    def settings(self, replication: int) -> dict[str, str]:
        """The topic's own configuration on a cluster of that replication."""
        settings = {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": str(_FOR_EVER),
            "min.insync.replicas": str(in_sync(replication)),
            "max.message.bytes": str(self.max_bytes),
            "unclean.leader.election.enable": "false",
        }
        if self.synced and replication == 1:
            # A lone node has no second copy: without it a power cut loses what Postgres has fsynced already.
            settings["flush.messages"] = "1"
        return settings


TOPICS: tuple[TopicSpec, ...] = (
    TopicSpec(COMMANDS, PARTITIONS, retention_ms=_WEEK),
    TopicSpec(EVENTS, PARTITIONS, synced=True),
    TopicSpec(DECISIONS, PARTITIONS, synced=True),
    TopicSpec(ACCESS, 1),
    TopicSpec(QUARANTINE, 1, max_bytes=_QUARANTINE_BYTES),
    TopicSpec(CHECKPOINTS, 1, synced=True),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a topic is: partitions, the fewest replicas of one of them, configuration."""

    partitions: int
    replicas: int
    settings: Mapping[str, str] = field(default_factory=dict)


def in_sync(replication: int) -> int:
    """`min.insync.replicas` for a number of replicas: 2 from three on, so that one node may be away."""
    return 2 if replication >= 3 else 1


def faults(spec: TopicSpec, found: Found, replication: int) -> Iterator[str]:
    """One sentence for each property of the topic that could lose or misplace records."""
    if found.partitions != spec.partitions:
        yield _fault(spec.name, "partitions", str(found.partitions), str(spec.partitions))
    if found.replicas < replication:
        yield _fault(spec.name, "replicas", str(found.replicas), str(replication))
    for name, wanted in spec.settings(replication).items():
        value = found.settings.get(name, "absent")
        if not _at_least_as_safe(name, value, wanted):
            yield _fault(spec.name, name, value, wanted)


def _fault(topic: str, setting: str, found: str, wanted: str) -> str:
    return f"Topic {topic}: {setting} is {found}, it must be {wanted}."


def _at_least_as_safe(name: str, value: str, wanted: str) -> bool:
    match name:
        case "min.insync.replicas" | "max.message.bytes":
            return value.isdigit() and int(value) >= int(wanted)
        case "retention.ms":
            return value == str(_FOR_EVER) or (wanted != str(_FOR_EVER) and value.isdigit() and int(value) >= _WEEK)
        case _:
            return value == wanted


async def ensure_topics(bootstrap: str, replication: int = 1) -> None:
    """Makes what is missing, then checks all six.

    Raises StartRefused naming topic, setting, found and wanted when a topic could lose or misplace records,
    Unavailable when Kafka does not answer within 30 s. Nothing that exists is changed.
    """
    admin = AIOKafkaAdminClient(**settings(bootstrap))
    try:
        async with asyncio.timeout(_PROMPT):
            await admin.start()
            await _create(admin, replication)
            await _check(admin, replication)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {shown(bootstrap)} does not answer: {error}") from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, replication: int) -> None:
    existing = set(await admin.list_topics())
    wanted = [spec for spec in TOPICS if spec.name not in existing]
    if not wanted:
        return
    response: Any = await admin.create_topics(
        [NewTopic(spec.name, spec.partitions, replication, topic_configs=spec.settings(replication)) for spec in wanted]
    )
    for name, code, message in response.topic_errors:
        if code not in (0, _EXISTS):
            raise StartRefused(f"Topic {name} could not be made: {message or code}.")


async def _check(admin: AIOKafkaAdminClient, replication: int) -> None:
    described = await _described(admin)
    problems = [fault for spec in TOPICS for fault in faults(spec, described[spec.name], replication)]
    if problems:
        raise StartRefused(" ".join(problems))


async def _described(admin: AIOKafkaAdminClient) -> dict[str, Found]:
    names = [spec.name for spec in TOPICS]
    while True:
        topics = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
        # A topic that was made just now takes a moment to reach every broker's metadata.
        if all(topics[name]["error_code"] == 0 and topics[name]["partitions"] for name in names):
            break
        await asyncio.sleep(0.05)
    settings: dict[str, dict[str, str]] = {}
    responses: list[Any] = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    for response in responses:
        for code, message, _, name, entries in response.resources:
            if code:
                raise StartRefused(f"The configuration of topic {name} cannot be read: {message or code}.")
            settings[name] = {entry[0]: entry[1] for entry in entries}
    return {
        name: Found(
            partitions=len(topics[name]["partitions"]),
            replicas=min(len(partition["replicas"]) for partition in topics[name]["partitions"]),
            settings=settings[name],
        )
        for name in names
    }
