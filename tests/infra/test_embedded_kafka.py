"""A real Kafka starts by itself, keeps its data, and comes back whatever was killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import LOOPBACK
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.kafka_config import logging_text, properties_text, server_properties

SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from hepatrail_infra.embedded.kafka import EmbeddedKafka
async def main():
    server = EmbeddedKafka(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await server.wait()
asyncio.run(main())
"""
TOPIC = "facts"

# The client library has no types.
producer_of: Any = AIOKafkaProducer
consumer_of: Any = AIOKafkaConsumer
admin_of: Any = AIOKafkaAdminClient
new_topic: Any = NewTopic
config_resource: Any = ConfigResource


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hepatrail kafka ") as directory:
        yield Path(directory) / "data"


@pytest.fixture(scope="module")
async def server(home: Path) -> AsyncIterator[EmbeddedKafka]:
    server = EmbeddedKafka(home, properties={"message.max.bytes": "2000000"}, ready_within=40)
    yield server
    await server.stop()


def supervise(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(home)], stdout=subprocess.PIPE, text=True)


async def write(bootstrap: str, value: bytes) -> None:
    producer = producer_of(bootstrap_servers=bootstrap, acks="all", transactional_id="test")
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(TOPIC, value)
    finally:
        await producer.stop()


async def read(bootstrap: str, count: int) -> list[bytes]:
    consumer = consumer_of(bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(TOPIC, 0)])
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_a_first_start_whose_format_was_interrupted_begins_anew(server: EmbeddedKafka, home: Path) -> None:
    (home / "log.new").mkdir(parents=True)
    (home / "log.new" / "bootstrap.checkpoint").write_bytes(b"half")
    (home / "log").mkdir()
    bootstrap = await server.start()
    assert not (home / "log.new").exists()
    admin = admin_of(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([new_topic(TOPIC, 1, 1)])
    answers = await admin.describe_configs([config_resource(ConfigResourceType.BROKER, "1")])
    await admin.close()
    settings = {entry[0]: entry[1] for answer in answers for entry in answer.resources[0][4]}
    assert settings["message.max.bytes"] == "2000000"
    assert settings["auto.create.topics.enable"] == "false"
    assert (settings["offsets.topic.num.partitions"], settings["transaction.state.log.num.partitions"]) == ("4", "4")
    await write(bootstrap, b"one")


async def test_it_comes_back_on_its_port_after_kill(server: EmbeddedKafka) -> None:
    bootstrap = await server.start()
    await write(bootstrap, b"two")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert await server.wait() == -signal.SIGKILL
    assert await server.start() == bootstrap
    assert await read(bootstrap, 2) == [b"one", b"two"]
    await write(bootstrap, b"three")


async def test_it_listens_on_the_loopback_interface_only(server: EmbeddedKafka) -> None:
    await server.start()
    listening = [c for c in psutil.Process(server.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert len(listening) == 2
    assert {connection.laddr.ip.removeprefix("::ffff:") for connection in listening} == {LOOPBACK}


async def test_a_second_instance_is_refused_and_the_first_goes_on(server: EmbeddedKafka, home: Path) -> None:
    bootstrap = await server.start()
    with pytest.raises(StartRefused, match="is using the data directory"):
        await EmbeddedKafka(home).start()
    assert await read(bootstrap, 1) == [b"one"]


async def test_the_server_of_a_killed_supervisor_is_ended_and_a_new_one_started(
    server: EmbeddedKafka, home: Path
) -> None:
    bootstrap = await server.start()
    await server.stop()
    with supervise(home) as supervisor:
        assert supervisor.stdout is not None
        left_behind = int(supervisor.stdout.readline())
        supervisor.kill()
    orphan = psutil.Process(left_behind)
    assert orphan.is_running()
    assert await server.start() == bootstrap
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert await read(bootstrap, 3) == [b"one", b"two", b"three"]


async def test_its_log_tells_of_a_clean_shutdown(server: EmbeddedKafka, home: Path) -> None:
    await server.start()
    await server.stop()
    assert (home / "log" / ".kafka_cleanshutdown").exists()
    assert "App info kafka.server for 1 unregistered" in (home / "logs" / "kafka.log").read_text()


async def test_a_port_that_is_taken_is_refused(home: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        with pytest.raises(StartRefused, match="is taken by another program"):
            await EmbeddedKafka(home, other.getsockname()[1]).start()


async def test_a_start_that_fails_or_takes_too_long_cites_the_log(home: Path) -> None:
    broken = EmbeddedKafka(home, properties={"log.retention.check.interval.ms": "none"})
    with pytest.raises(StartRefused, match=r"ended with code 1 at its start: .*none.*\(log: .*kafka\.(log|out)\)"):
        await broken.start()
    assert broken.pid is None
    hasty = EmbeddedKafka(home, ready_within=0.2)
    with pytest.raises(StartRefused, match=r"not ready within 0.2 s: .*\(log: .*kafka\.(log|out)\)"):
        await hasty.start()
    assert hasty.pid is None


async def test_a_log_directory_without_its_identity_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "facts-0").mkdir()
    with pytest.raises(StartRefused, match=r"its meta\.properties is missing"):
        await EmbeddedKafka(tmp_path).start()
    assert (tmp_path / "log" / "facts-0").exists()
    with pytest.raises(StartRefused, match="comma"):
        await EmbeddedKafka(tmp_path / "a,b").start()


def test_properties_are_escaped_and_extra_ones_win() -> None:
    assert properties_text({"a": "back\\slash", "b": "é"}) == "a=back\\\\slash\nb=\\u00e9\n"
    settings = server_properties(Path("/data/log"), 1, 2, {"node.id": "7"})
    assert settings["node.id"] == "7"
    assert settings["log.dirs"] == "/data/log"
    assert "appender.file.strategy.max=5" in logging_text(Path("/data/logs"))
