"""The whole stack with HEPATRAIL_SECURE=1: everything works, each process as itself, and nobody else is let in."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from desk_log import DeskLog
from hepatrail_cli.environment import PROCESSES
from hepatrail_events.errors import Unavailable
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_clients import parse, settings, with_user
from hepatrail_infra.kafka_wire import Wire
from logbook import committed
from stack import Stack, enrol, running_stack

SECURE = {"HEPATRAIL_SECURE": "1", "HEPATRAIL_SEAL_SECONDS": "2"}


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack(subjects=["SEC-1"], environment=SECURE) as running:
        yield running


async def _until(found: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(30):
        while not (value := await found()):
            await asyncio.sleep(0.2)
    return value


def _users(stack: Stack) -> dict[str, str]:
    users: dict[str, str] = json.loads((stack.data_dir / "secrets.json").read_text())["kafka_users"]
    return users


async def test_every_process_comes_to_kafka_as_itself(stack: Stack) -> None:
    told = {name: psutil.Process(stack.pid(name)).environ()["HEPATRAIL_KAFKA"] for name in PROCESSES}
    assert {name: parse(address).username for name, address in told.items()} == {name: name for name in PROCESSES}
    passwords = {parse(address).password for address in told.values()}
    assert passwords == {_users(stack)[name] for name in PROCESSES}
    assert len(passwords) == len(PROCESSES)
    assert parse(stack.ready["kafka"]).username == "auditor"


async def test_a_serious_event_raises_an_alert_and_a_seal_follows(stack: Stack) -> None:
    accepted = await stack.accept(
        "reportAdverseEvent",
        subjectId="SEC-1",
        code="LOCAL_BLEEDING",
        verbatim="bled",
        onset={"value": "2026-01-06", "precision": "DAY"},
        awareAt="2026-01-06T20:00:00Z",
        criteria=["HOSPITALISATION"],
        grade=3,
        gradeAt={"value": "2026-01-06", "precision": "DAY"},
        outcome="NOT_RECOVERED",
        actionTaken="NO_CHANGE",
        reporter="ward physician",
    )
    assert accepted["eventIds"]

    async def alerts() -> list[Any]:
        return (await DeskLog.read(stack.ready["kafka"])).of_kind("SaeAlert")

    async def seals() -> list[str]:
        found = [json.loads(record.value)["reason"] for record in await committed(stack.ready["kafka"], CHECKPOINTS)]
        return found if "ALERT" in found else []

    assert len(await _until(alerts)) == 1
    assert await _until(seals)


async def test_commands_of_an_operator_work(stack: Stack) -> None:
    async def healthy() -> bool:
        # A process that just had much to do says so until its next turn.
        status = await stack.command("status", "--json")
        return (status.returncode, json.loads(status.stdout)["problems"]) == (0, [])

    assert await _until(healthy)
    parked = await stack.command("quarantine", "list")
    assert (parked.returncode, parked.stdout) == (0, "Nothing is parked.\n")
    rebuilt = await stack.command("rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr


@pytest.mark.parametrize("listener", ["port", "controller.port"])
async def test_nobody_without_a_password_is_let_in(stack: Stack, listener: str) -> None:
    place = f"127.0.0.1:{(stack.data_dir / 'kafka' / listener).read_text().strip()}"
    for address in (place, with_user(place, "admin", "wrong"), with_user(place, "nobody", "")):
        with pytest.raises(Unavailable):
            await Wire(address, patience=1).start()


async def test_whom_the_ready_line_names_may_not_write(stack: Stack) -> None:
    producer = AIOKafkaProducer(**settings(stack.ready["kafka"]))
    await producer.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(EVENTS, b"{}", key=b"study")
    finally:
        await producer.stop()


async def test_kafka_comes_back_after_a_kill_with_its_users(stack: Stack) -> None:
    assert stack.kill("kafka")
    await asyncio.sleep(1)
    await enrol(stack, "SEC-2")


def test_passwords_stand_in_no_log_and_in_files_of_their_owner_only(stack: Stack) -> None:
    secrets = set(_users(stack).values())
    logs = [*(stack.data_dir / "logs").iterdir(), *(stack.data_dir / "kafka" / "logs").iterdir()]
    assert logs
    for log in logs:
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log.name
        assert "in the clear" not in text, log.name
    for process in [psutil.Process(stack.pid(name)) for name in ("kafka", *PROCESSES)]:
        assert not [secret for secret in secrets if secret in " ".join(process.cmdline())]
    assert (stack.data_dir / "kafka" / "server.properties").stat().st_mode & 0o777 == 0o600
    for file in stack.data_dir.rglob("*.json"):
        assert file.stat().st_mode & 0o777 == 0o600 or not [s for s in secrets if s in file.read_text()], file


async def test_who_forgets_the_setting_does_not_open_kafka(stack: Stack) -> None:
    """The last one, because it stops the stack: the command then starts the servers itself, as `up` would."""
    await stack.stop()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEPATRAIL_")}
    command = [sys.executable, "-m", "hepatrail_cli", "audit", "verify", "--data-dir", str(stack.data_dir)]
    verified = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, env=environment)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    properties = (stack.data_dir / "kafka" / "server.properties").read_text()
    assert "sasl.enabled.mechanisms" in properties and "StandardAuthorizer" in properties
