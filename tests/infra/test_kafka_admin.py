"""The topics are made as DESIGN says, and a policy that could lose events stops the start."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_infra.kafka_admin import (
    ACCESS,
    CHECKPOINTS,
    COMMANDS,
    DECISIONS,
    EVENTS,
    QUARANTINE,
    TOPICS,
    Found,
    TopicSpec,
    ensure_topics,
    faults,
)

SPECS = {spec.name: spec for spec in TOPICS}


@pytest.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


async def settings(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    body: Any = response
    return {entry[0]: entry[1] for entry in body.resources[0][4]}


async def deleted(admin: AIOKafkaAdminClient) -> None:
    """Deletes the access log and waits until it is gone."""
    await admin.delete_topics([ACCESS])
    for _ in range(200):
        if ACCESS not in await admin.list_topics():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the topic stays")


async def test_the_topics_are_made_once_with_their_settings(kafka: str, admin: AIOKafkaAdminClient) -> None:
    await ensure_topics(kafka)
    await ensure_topics(kafka)
    partitions = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics(list(SPECS))}
    assert partitions == {COMMANDS: 12, EVENTS: 12, DECISIONS: 12, ACCESS: 1, QUARANTINE: 1, CHECKPOINTS: 1}
    for topic in (EVENTS, DECISIONS, ACCESS, QUARANTINE, CHECKPOINTS):
        found = await settings(admin, topic)
        assert found["cleanup.policy"] == "delete"
        assert (found["retention.ms"], found["retention.bytes"]) == ("-1", "-1")
    assert (await settings(admin, COMMANDS))["retention.ms"] == str(7 * 24 * 3600 * 1000)
    assert (await settings(admin, EVENTS))["flush.messages"] == "1"
    assert (await settings(admin, DECISIONS))["flush.messages"] == "1"
    assert (await settings(admin, COMMANDS))["flush.messages"] != "1"


async def test_a_topic_made_by_other_hands_stops_the_start(kafka: str, admin: AIOKafkaAdminClient) -> None:
    await deleted(admin)
    await admin.create_topics([NewTopic(ACCESS, 2, 1, topic_configs={"cleanup.policy": "compact"})])
    with pytest.raises(StartRefused) as refused:
        await ensure_topics(kafka)
    assert f"Topic {ACCESS}: partitions is 2, it must be 1." in str(refused.value)
    assert f"Topic {ACCESS}: cleanup.policy is compact, it must be delete." in str(refused.value)
    await deleted(admin)


async def test_without_kafka_it_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await ensure_topics("127.0.0.1:9")


GOOD = dict(SPECS[EVENTS].settings(1))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact,delete"),
        ("retention.ms", "31536000000000"),
        ("retention.bytes", "1099511627776"),
        ("flush.messages", "9223372036854775807"),
        ("max.message.bytes", "1048588"),
        ("unclean.leader.election.enable", "true"),
    ],
)
def test_each_unsafe_setting_of_events_is_named_with_what_it_must_be(setting: str, value: str) -> None:
    found = list(faults(SPECS[EVENTS], Found(12, 1, {**GOOD, setting: value}), 1))
    assert found == [f"Topic {EVENTS}: {setting} is {value}, it must be {GOOD[setting]}."]


def test_what_is_safer_than_asked_is_fine() -> None:
    spec = SPECS[COMMANDS]
    safer = {**spec.settings(3), "retention.ms": "-1", "min.insync.replicas": "3", "max.message.bytes": "9999999"}
    assert list(faults(spec, Found(12, 5, safer), 3)) == []


def test_commands_may_not_be_kept_shorter_than_seven_days() -> None:
    spec = SPECS[COMMANDS]
    found = list(faults(spec, Found(12, 1, {**spec.settings(1), "retention.ms": "3600000"}), 1))
    assert found == [f"Topic {COMMANDS}: retention.ms is 3600000, it must be 604800000."]


@pytest.mark.parametrize("spec", TOPICS, ids=lambda spec: spec.name)
def test_a_cluster_needs_three_replicas_two_in_sync_and_no_flush(spec: TopicSpec) -> None:
    wanted = spec.settings(3)
    assert wanted["min.insync.replicas"] == "2"
    assert "flush.messages" not in wanted
    assert list(faults(spec, Found(spec.partitions, 3, wanted), 3)) == []
    lower = {**wanted, "min.insync.replicas": "1"}
    assert list(faults(spec, Found(spec.partitions, 2, lower), 3)) == [
        f"Topic {spec.name}: replicas is 2, it must be 3.",
        f"Topic {spec.name}: min.insync.replicas is 1, it must be 2.",
    ]
