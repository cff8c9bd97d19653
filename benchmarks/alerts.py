"""How soon an officer sees a serious event, how fast one catches up, and what a thousand of them cost.

The whole stack runs as processes, as `hepatrail up` starts it. The peer of an alert's way, which takes two decisions
in a row, one row and one socket, is a single bare transaction of one record and its read, through the same Kafka.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.limits import Line
from benchmarks.measure import Ask, in_turn
from benchmarks.peers import bare_transaction, last_value
from benchmarks.subscribers import allow_sockets, measure_subscribers
from desk_seeding import desk_system
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_services.importers.api_client import ApiClient, Rejected
from hepatrail_services.importers.api_subscription import subscribe
from officers import ALERTS, python_officer
from sae_reports import report, token_for
from stack import Stack, enrol

SUBJECTS = tuple(f"BENCH-{number:02d}" for number in range(24))
CALLS = 300
LATENCY_LIMIT = 5.0
PAST = 10_000
RESUMED_A_SECOND = 2_000.0


async def measure_alerts() -> list[Line]:
    """The lines of the report about alerts."""
    allow_sockets()
    with tempfile.TemporaryDirectory() as directory:
        stack = await Stack(Path(directory) / "data").start()
        try:
            await stack.accept("activateSite", "ADMIN", siteId="BFH", approvalRef="EC-1")
            await asyncio.gather(*(enrol(stack, subject) for subject in SUBJECTS))
            return [*await _latency(stack), await _resumed(stack), *await measure_subscribers(stack)]
        finally:
            await stack.stop()


async def _latency(stack: Stack) -> list[Line]:
    kafka = stack.ready["kafka"]
    event = await last_value(kafka, EVENTS)
    async with _reporting(stack) as ask, bare_transaction(kafka, event) as transaction:
        ours, bare = await in_turn(ask, transaction, CALLS)
    name = "serious event sent, until its alert is on the socket"
    return [
        Line(f"{name}: median", str(ours), str(bare), ours.p50 / bare.p50, LATENCY_LIMIT),
        Line(f"{name}: 99 of 100", str(ours), str(bare), ours.p99 / bare.p99, LATENCY_LIMIT),
    ]


@asynccontextmanager
async def _reporting(stack: Stack) -> AsyncIterator[Ask]:
    """One call is a serious event, from the sending of its mutation until an officer's client holds its alert."""
    address, token = stack.ready["websocket"], token_for(stack, "officer-bench")
    async with (
        python_officer(address, token, after="now") as officer,
        ApiClient(stack.ready["graphql"], stack.ready["tokens"]["INVESTIGATOR"], patience=60) as site,
    ):
        await officer.until(lambda seen: seen.beats)

        async def ask(number: int) -> None:
            command = report(SUBJECTS[number % len(SUBJECTS)], datetime.now(UTC))
            sending = asyncio.create_task(site.send("reportAdverseEvent", command))
            await officer.until(lambda seen: seen.items and seen.items[-1].get("commitId") == command["commandId"])
            if isinstance(outcome := await sending, Rejected):
                raise RuntimeError(str(outcome))

        yield ask


async def _resumed(stack: Stack) -> Line:
    """One client that comes back to a desk with ten thousand alerts that it has not seen."""
    async with desk_system(stack.ready["kafka"]) as system:
        await system.raise_many(PAST)
        await _projected(stack, system.version)
    address, token = stack.ready["websocket"], token_for(stack, "officer-back")
    got, begin = 0, time.perf_counter()
    async with aclosing(subscribe(address, token, ALERTS, {"after": "start"})) as messages:
        async for message in messages:
            got += message["saeAlerts"]["__typename"] == "SaeAlert"
            if got == PAST:
                break
    rate = PAST / (time.perf_counter() - begin)
    name = f"alerts a second to a client that resumes over {PAST:,}"
    return Line(name, f"{rate:,.0f}/s", "-", rate, RESUMED_A_SECOND, at_most=False)


async def _projected(stack: Stack, version: int) -> None:
    query = "query($p: Position) { saeAlerts(first: 1, minPosition: $p) { edges { cursor } } }"
    async with asyncio.timeout(120):
        while await stack.answer(query, {"p": f"safety-desk@{version}"}) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
