"""Thousands of alerts on the desk: a client is cut off in the middle of them, another does not read fast enough."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from desk_log import DeskLog
from desk_seeding import desk_system
from officers import Seen, node_officer, python_officer
from sae_reports import token_for
from stack import Stack

ALERTS = 5_000
WIDTH = 25
"""How often a wide question asks for the longest field, so that a few hundred alerts fill the socket's buffers."""
_LONGEST = " ".join(f"d{number}: detail" for number in range(WIDTH))
WIDE = f"""subscription($after: String!) {{ saeAlerts(after: $after) {{
  __typename
  ... on SaeAlert {{ cursor alertSeq {_LONGEST} }}
  ... on AlertAcknowledged {{ cursor }}
  ... on AlertEscalated {{ cursor }}
  ... on Heartbeat {{ cursor lastSeq }}
}} }}"""


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    with tempfile.TemporaryDirectory() as directory:
        running = await Stack(Path(directory) / "data").start()
        try:
            async with desk_system(running.ready["kafka"]) as system:
                await system.raise_many(ALERTS, detail="x" * 500)
            yield running
        finally:
            await running.stop()


def has(count: int) -> Callable[[Seen], bool]:
    """Whether a client holds so many alerts."""
    return lambda seen: len(seen.items) >= count


async def on_the_desk(stack: Stack) -> list[str]:
    """The places of what stands on the desk in Kafka."""
    desk = await DeskLog.read(stack.ready["kafka"])
    assert desk.numbers == list(range(1, len(desk.numbers) + 1))
    return desk.cursors


async def test_clients_that_lose_the_api_in_the_middle_of_5000_alerts_hold_each_of_them_once(stack: Stack) -> None:
    token = token_for(stack, "officer-a")
    async with (
        node_officer(stack.ready["websocket"], token) as socket,
        node_officer(stack.ready["graphql"], token, transport="sse") as events,
        python_officer(stack.ready["websocket"], token) as python,
    ):
        clients = (socket.seen, events.seen, python)
        # Killed twice, each time while all are on their way; the supervisor starts it again.
        for share in (0.2, 0.6):
            await asyncio.gather(*(seen.until(has(int(ALERTS * share)), 60) for seen in clients))
            stack.kill("api")
        async with desk_system(stack.ready["kafka"]) as system:
            await system.raise_many(50)
        for seen in clients:
            await seen.until(has(ALERTS + 50), 90)
            assert seen.connections >= 2
        places = await on_the_desk(stack)
        for seen in clients:
            assert seen.cursors == places
            assert seen.numbers == list(range(1, ALERTS + 51))


async def test_a_client_that_leaves_by_itself_resumes_from_any_cursor_in_the_middle(stack: Stack) -> None:
    token, places = token_for(stack, "officer-b"), await on_the_desk(stack)
    async with python_officer(stack.ready["websocket"], token) as first:
        await first.until(has(ALERTS // 2), 60)
        held = list(first.cursors)
    async with node_officer(stack.ready["websocket"], token, after=held[-1]) as second:
        await second.seen.until(has(len(places) - len(held)), 60)
        assert held + second.seen.cursors == places


async def left(stack: Stack) -> None:
    """Returns when the API has given a client up."""
    log = stack.data_dir / "logs" / "api.log"
    async with asyncio.timeout(60):
        while "slow client disconnected" not in log.read_text(errors="replace"):
            await asyncio.sleep(0.2)


async def test_a_slow_client_is_closed_with_its_last_cursor_and_resumes_without_a_gap(stack: Stack) -> None:
    token, places = token_for(stack, "officer-c"), await on_the_desk(stack)
    address = stack.ready["websocket"]
    async with node_officer(address, token, query=WIDE, resume=False, compress=False) as slow:
        await slow.seen.until(has(1))
        await slow.say("pause")
        # The server waits 10 s at full buffers, and as long again for its farewell to be taken.
        await left(stack)
        await slow.say("read")
        await slow.seen.until(lambda seen: seen.closed, 60)
        closed, held = slow.seen.closed[0], slow.seen.cursors
    assert closed["code"] == 4490, closed
    assert closed["reason"].startswith("SLOW_CLIENT safety-desk@")
    assert 0 < len(held) < len(places)
    assert held == places[: len(held)]
    # What was sent last may lie in no buffer any more; whoever resumes behind the reason's cursor asks for it again.
    cursor = closed["reason"].removeprefix("SLOW_CLIENT ")
    assert places.index(cursor) <= len(held)
    async with node_officer(address, token, query=WIDE, after=held[-1]) as again:
        await again.seen.until(has(len(places) - len(held)), 90)
        assert held + again.seen.cursors == places
