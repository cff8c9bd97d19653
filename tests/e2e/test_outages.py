"""Kafka or Postgres away for 30 seconds, both of the operator's own: commands wait, nothing is lost, all catches up."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from logbook import Logbook
from stack import Stack, enrol

AWAY = 30.0


@dataclass
class Operated:
    """A stack on servers that are not its own."""

    stack: Stack
    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres


@pytest.fixture(scope="module")
async def operated() -> AsyncIterator[Operated]:
    with tempfile.TemporaryDirectory() as directory:
        kafka = EmbeddedKafka(Path(directory) / "kafka")
        postgres = EmbeddedPostgres(Path(directory) / "postgres")
        environment = {"HEPATRAIL_KAFKA": await kafka.start(), "HEPATRAIL_POSTGRES": await postgres.start()}
        stack = Stack(Path(directory) / "data", environment=environment)
        try:
            await stack.start()
            await stack.accept("activateSite", "ADMIN", siteId="BFH", approvalRef="EC-2026-01")
            yield Operated(stack, kafka, postgres)
        finally:
            await stack.stop()
            await kafka.stop()
            await postgres.stop()


async def _observe(stack: Stack, subject: str, number: int) -> str:
    accepted = await stack.accept(
        "recordObservations",
        subjectId=subject,
        assessedAt=f"2026-01-06T08:{number:02d}:00Z",
        rows=[{"code": "heart_rate", "value": str(60 + number), "unit": "/min"}],
    )
    return str(accepted["commandId"])


async def _sees(stack: Stack, subject: str, version: int) -> None:
    query = "query($id: ID!) { subject(id: $id) { version } }"
    async with asyncio.timeout(60):
        while True:
            answer = await stack.answer(query, {"id": subject})
            if answer is not None and answer["subject"] == {"version": version}:
                return
            await asyncio.sleep(0.5)


async def test_ret_04_commands_during_thirty_seconds_without_kafka_are_decided_once_when_it_is_back(
    operated: Operated,
) -> None:
    await enrol(operated.stack, "OUT-KAFKA")
    await operated.kafka.stop()
    waiting = [asyncio.create_task(_observe(operated.stack, "OUT-KAFKA", number)) for number in range(5)]
    await asyncio.sleep(AWAY)
    assert not any(task.done() for task in waiting)
    await operated.kafka.start()
    commands = await asyncio.gather(*waiting)

    commits = (await Logbook.read(operated.stack.ready["kafka"])).by_command()
    assert [len(commits[command]) for command in commands] == [1] * 5
    await _sees(operated.stack, "OUT-KAFKA", 7)


async def test_ret_04_commands_during_thirty_seconds_without_postgres_are_in_the_log_and_projected_later(
    operated: Operated,
) -> None:
    await enrol(operated.stack, "OUT-PG")
    await operated.postgres.stop()
    waiting = [asyncio.create_task(_observe(operated.stack, "OUT-PG", number)) for number in range(5)]
    await asyncio.sleep(AWAY)
    await operated.postgres.start()
    commands = await asyncio.gather(*waiting)

    commits = (await Logbook.read(operated.stack.ready["kafka"])).by_command()
    assert [len(commits[command]) for command in commands] == [1] * 5
    await _sees(operated.stack, "OUT-PG", 7)
