"""AUD-02 at the broker: each credential tries everything, on a node that ran without passwords before."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import BrokerResponseError, GroupAuthorizationFailedError, TopicAuthorizationFailedError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.kafka_config import server_properties
from hepatrail_infra.kafka_acls import ACLS, PRINCIPALS, USERS, Operation, Resource, ensure_acls
from hepatrail_infra.kafka_admin import TOPICS, ensure_topics
from hepatrail_infra.kafka_clients import settings, shown, with_user
from hepatrail_infra.kafka_log import read_to_end
from hepatrail_infra.kafka_wire import Wire

ALL = {"commands", "events", "decisions", "access", "quarantine", "checkpoints"}
READS = {
    "decider": {"commands", "events", "decisions", "quarantine"},
    "projector": {"events", "decisions", "quarantine", "access", "checkpoints"},
    "safety": {"events", "decisions", "quarantine"},
    "sealer": {"events", "decisions", "access", "checkpoints"},
    "api": {"decisions", "access"},
    "tool": ALL,
    "auditor": ALL,
}
WRITES = {
    "decider": {"events", "decisions", "quarantine"},
    "projector": {"quarantine"},
    "safety": {"commands"},
    "sealer": {"checkpoints", "commands"},
    "api": {"commands", "access"},
    "tool": {"quarantine", "access", "commands"},
    "auditor": set[str](),
}
TRANSACTIONS = {"hepatrail-decider-0-of-1": "decider", "hepatrail-sealer": "sealer"}
USERS_OF_TEST = {name: secrets.token_hex(8) for name in USERS}
EVENTS = "hepatrail.events"
FACT = b'{"a":"fact"}'

# The client library has no types.
_admin: Any = AIOKafkaAdminClient
_client: Any = AIOKafkaClient

Attempt = Callable[[Any], Awaitable[list[int]]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secure-kafka")


@pytest.fixture(scope="module")
async def node(home: Path) -> AsyncIterator[EmbeddedKafka]:
    """A node whose directory was made, and filled, without passwords."""
    before = EmbeddedKafka(home)
    try:
        bootstrap = await before.start()
        await ensure_topics(bootstrap)
        await _produce(bootstrap, EVENTS)
        with pytest.raises(StartRefused, match="checks no permissions"):
            await ensure_acls(bootstrap)
    finally:
        await before.stop()
    secure = EmbeddedKafka(home, users=USERS_OF_TEST)
    try:
        yield secure
    finally:
        await secure.stop()


@pytest.fixture(scope="module")
async def admin(node: EmbeddedKafka) -> str:
    """The administrator's address, of a node whose rules are made."""
    address = await node.start()
    await ensure_topics(address)
    await ensure_acls(address)
    return address


@asynccontextmanager
async def _administering(address: str) -> AsyncIterator[Any]:
    client = _admin(**settings(address))
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def _produce(address: str, topic: str) -> None:
    producer = AIOKafkaProducer(**settings(address), retry_backoff_ms=10)
    await producer.start()
    try:
        await producer.send_and_wait(topic, FACT, key=b"study", partition=0)
    finally:
        await producer.stop()


async def _facts(address: str) -> list[bytes | None]:
    values: list[bytes | None] = []

    async def take(records: list[Any]) -> None:
        values.extend(record.value for record in records)

    await read_to_end(address, EVENTS, [0], {}, take)
    return values


async def _delete_records(client: Any) -> list[int]:
    try:
        await client.delete_records({TopicPartition(EVENTS, 0): RecordsToDelete(before_offset=1)})
    except BrokerResponseError as error:
        return [error.errno]
    return [0]


async def _delete_topic(client: Any) -> list[int]:
    return [row[1] for row in (await client.delete_topics([EVENTS])).topic_error_codes]


async def _alter(client: Any, kind: ConfigResourceType, name: str, configs: Mapping[str, str]) -> list[int]:
    answers = await client.alter_configs([ConfigResource(kind, name, dict(configs))])
    return [row[0] for answer in answers for row in answer.resources]


async def _shorten_retention(client: Any) -> list[int]:
    return await _alter(client, ConfigResourceType.TOPIC, EVENTS, {"retention.ms": "1"})


async def _compact(client: Any) -> list[int]:
    return await _alter(client, ConfigResourceType.TOPIC, EVENTS, {"cleanup.policy": "compact"})


async def _alter_broker(client: Any) -> list[int]:
    return await _alter(client, ConfigResourceType.BROKER, "1", {"log.cleaner.threads": "2"})


async def _more_partitions(client: Any) -> list[int]:
    try:
        await client.create_partitions({EVENTS: NewPartitions(24)})
    except BrokerResponseError as error:
        return [error.errno]
    return [0]


async def _create_topic(client: Any) -> list[int]:
    return [row[1] for row in (await client.create_topics([NewTopic("hepatrail.other", 1, 1)])).topic_errors]


async def _allow_oneself(client: Any) -> list[int]:
    rule = CreateAclsRequest(Resource.TOPIC, EVENTS, 3, "User:*", "*", Operation.ALL, 3)
    return [row[0] for row in (await client._client.send(1, rule)).creation_responses]


TOPIC_REFUSED, CLUSTER_REFUSED = 29, 31
ATTEMPTS: dict[str, tuple[Attempt, int]] = {
    "delete records": (_delete_records, TOPIC_REFUSED),
    "delete the topic": (_delete_topic, TOPIC_REFUSED),
    "shorten the retention": (_shorten_retention, TOPIC_REFUSED),
    "compact": (_compact, TOPIC_REFUSED),
    "add partitions": (_more_partitions, TOPIC_REFUSED),
    "make a topic": (_create_topic, TOPIC_REFUSED),
    "change the broker": (_alter_broker, CLUSTER_REFUSED),
    "allow oneself more": (_allow_oneself, CLUSTER_REFUSED),
}


def _as(admin: str, principal: str) -> str:
    return with_user(shown(admin), principal, USERS_OF_TEST[principal])


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_aud_02_no_application_credential_changes_or_deletes_an_event(admin: str, principal: str) -> None:
    address = _as(admin, principal)
    async with _administering(address) as client:
        for name, (attempt, refusal) in ATTEMPTS.items():
            assert await attempt(client) == [refusal], f"{principal} was not refused to {name}"
    await ensure_topics(admin)
    assert (await _facts(admin))[0] == FACT


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_aud_02_a_credential_appends_where_its_work_is_and_nowhere_else(admin: str, principal: str) -> None:
    address = _as(admin, principal)
    for topic in sorted(ALL):
        if topic in WRITES[principal]:
            await _produce(address, f"hepatrail.{topic}")
        else:
            with pytest.raises(TopicAuthorizationFailedError):
                await _produce(address, f"hepatrail.{topic}")


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_a_credential_reads_where_its_work_is_and_nowhere_else(admin: str, principal: str) -> None:
    for topic in sorted(ALL):
        partition = TopicPartition(f"hepatrail.{topic}", 0)
        consumer = AIOKafkaConsumer(**settings(_as(admin, principal)), auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([partition])
            if topic in READS[principal]:
                await consumer.getmany(timeout_ms=100)
            else:
                with pytest.raises(TopicAuthorizationFailedError):
                    await consumer.getmany(timeout_ms=5_000)
        finally:
            await consumer.stop()


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_nobody_shuts_another_writer_out_or_moves_its_position(admin: str, principal: str) -> None:
    address = _as(admin, principal)
    async with Wire(address, patience=5) as wire:
        for transactional_id, owner in TRANSACTIONS.items():
            if owner == principal:
                await wire.fence(transactional_id)
            else:
                with pytest.raises(Unavailable, match="TransactionalIdAuthorizationFailed"):
                    await wire.fence(transactional_id)
    if principal != "decider":
        consumer = AIOKafkaConsumer(**settings(address), group_id="hepatrail-decider", enable_auto_commit=False)
        with pytest.raises(GroupAuthorizationFailedError):
            try:
                await consumer.start()
                place = TopicPartition("hepatrail.commands", 0)
                consumer.assign([place])
                await consumer.commit({place: 0})
            finally:
                await consumer.stop()


@pytest.mark.parametrize("principal", [*PRINCIPALS, "admin"])
async def test_aud_02_the_controllers_port_knows_the_broker_only(home: Path, admin: str, principal: str) -> None:
    port = (home / "controller.port").read_text().strip()
    assert not admin.endswith(port)
    with pytest.raises(Unavailable):
        await Wire(with_user(f"127.0.0.1:{port}", principal, USERS_OF_TEST[principal])).start()
    with pytest.raises(Unavailable):
        await Wire(f"127.0.0.1:{port}").start()


async def test_aud_02_no_credential_and_a_wrong_one_are_refused(admin: str) -> None:
    for address in (shown(admin), with_user(shown(admin), "admin", "wrong"), with_user(shown(admin), "*", "")):
        with pytest.raises(Unavailable) as refused:
            await ensure_topics(address)
        assert "wrong" not in str(refused.value)


async def test_only_an_administrator_makes_rules(admin: str) -> None:
    with pytest.raises(StartRefused, match="must name an administrator"):
        await ensure_acls(_as(admin, "tool"))


@pytest.mark.parametrize("principal", ["decider", "*"])
async def test_a_rule_too_many_is_refused_until_it_is_gone(admin: str, principal: str) -> None:
    rule = (Resource.TOPIC, "hepatrail.", 4, f"User:{principal}", "*", Operation.DELETE, 3)
    client = _client(**settings(admin))
    await client.bootstrap()
    try:
        await client.send(1, CreateAclsRequest(*rule))
        with pytest.raises(StartRefused, match=rf"User:\{principal}|User:{principal} the operation DELETE on TOPIC"):
            await ensure_acls(admin)
        await client.send(1, DeleteAclsRequest(*rule))
    finally:
        await client.close()
    await ensure_acls(admin)


def test_aud_02_what_is_allowed_is_what_the_table_says_and_never_a_change() -> None:
    topics = [acl for acl in ACLS if acl.resource is Resource.TOPIC]
    for operation, table in ((Operation.READ, READS), (Operation.WRITE, WRITES)):
        for principal in PRINCIPALS:
            granted = {acl.name for acl in topics if acl.principal == principal and operation in acl.operations}
            assert granted == {f"hepatrail.{topic}" for topic in table[principal]}, (principal, operation)
    changing = {Operation.ALL, Operation.CREATE, Operation.DELETE, Operation.ALTER, Operation.ALTER_CONFIGS}
    assert not [acl for acl in ACLS if acl.operations & changing]
    assert {acl.resource for acl in ACLS} == {Resource.TOPIC, Resource.GROUP, Resource.TRANSACTIONAL_ID}
    assert {spec.name for spec in TOPICS} == {f"hepatrail.{topic}" for topic in ALL}
    assert (for_code(TOPIC_REFUSED).__name__, for_code(CLUSTER_REFUSED).__name__) == (
        "TopicAuthorizationFailedError",
        "ClusterAuthorizationFailedError",
    )


def test_a_password_that_would_end_its_quotes_is_refused() -> None:
    users = {**USERS_OF_TEST, "api": 'x" user_evil="y'}
    with pytest.raises(StartRefused, match="letters and digits"):
        server_properties(Path("/data/log"), 1, 2, {}, users)
