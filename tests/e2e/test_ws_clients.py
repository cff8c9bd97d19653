"""Real clients of the running stack: they connect, resume, see each other, are ended, and are never left in silence.

The clients are those of the protocols' makers (`graphql-ws`, `graphql-sse`, on Node) and the Python one of the product.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hepatrail_events.roles import Role
from hepatrail_infra.clock import SimulatedClock
from officers import Seen, node_officer, python_officer
from sae_reports import report, token_for
from stack import Stack, running_stack

SUBJECT = "WS-01"
KINDS = ("graphql-ws", "graphql-sse", "python")


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack("--simulated-clock", subjects=[SUBJECT]) as running:
        yield running


@pytest.fixture(scope="module")
def clock(stack: Stack) -> SimulatedClock:
    return SimulatedClock(Path(stack.ready["clock"]))


@asynccontextmanager
async def officer(stack: Stack, kind: str, *, person: str = "officer-a", token: str = "", **options: Any) -> Any:
    """A client of one of the `KINDS`; what it has seen."""
    token = token or token_for(stack, person)
    if kind == "python":
        options.pop("resume", None)
        async with python_officer(stack.ready["websocket"], token, **options) as seen:
            yield seen
    else:
        transport, address = ("sse", "graphql") if kind == "graphql-sse" else ("ws", "websocket")
        async with node_officer(stack.ready[address], token, transport=transport, **options) as client:
            yield client.seen


async def report_sae(stack: Stack, clock: SimulatedClock, *criteria: str) -> str:
    """A serious adverse event; the id of its commit."""
    accepted = await stack.accept("reportAdverseEvent", **report(SUBJECT, clock.now(), *criteria))
    return str(accepted["commandId"])


def holds(commit: str) -> Callable[[Seen], bool]:
    """Whether a client has been told of the alert of a commit."""
    return lambda seen: any(each["commitId"] == commit for each in seen.alerts)


async def told(stack: Stack, seen: Seen, commit: str) -> dict[str, Any]:
    """The alert of a commit, once the client has it."""
    await seen.until(holds(commit))
    return next(each for each in seen.alerts if each["commitId"] == commit)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_is_told_of_a_serious_event_at_once_and_resumes_behind_its_cursor(
    stack: Stack, clock: SimulatedClock, kind: str
) -> None:
    async with officer(stack, kind, after="now") as seen:
        await seen.until(lambda now: now.beats)
        before = asyncio.get_running_loop().time()
        alert = await told(stack, seen, await report_sae(stack, clock))
        assert asyncio.get_running_loop().time() - before < 5.0
        assert (alert["type"], alert["priority"], alert["subjectId"]) == ("SAE_NEW", "P2", SUBJECT)
        assert alert["verbatim"] == {"value": "bled after line removal", "state": "CLEAR"}
        cursor = alert["cursor"]
    away = [await report_sae(stack, clock) for _ in range(3)]
    async with officer(stack, kind, after=cursor) as seen:
        await seen.until(lambda now: len(now.alerts) >= 3)
        assert [each["commitId"] for each in seen.alerts] == away
        first = alert["alertSeq"]
        assert seen.numbers == [first + 1, first + 2, first + 3]


async def test_every_kind_of_client_is_told_the_same_in_the_same_order(stack: Stack, clock: SimulatedClock) -> None:
    last = await report_sae(stack, clock)
    heard = []
    for kind in KINDS:
        async with officer(stack, kind) as seen:
            await seen.until(holds(last))
            heard.append(seen.items[: 1 + next(n for n, each in enumerate(seen.items) if each.get("commitId") == last)])
    assert heard[0] == heard[1] == heard[2]
    numbers = [each["alertSeq"] for each in heard[0] if each["__typename"] == "SaeAlert"]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_two_officers_see_each_other_s_acknowledgements_and_what_nobody_acknowledges_escalates(
    stack: Stack, clock: SimulatedClock
) -> None:
    async with (
        officer(stack, "graphql-ws", person="officer-a", after="now") as one,
        officer(stack, "python", person="officer-b", after="now") as other,
    ):
        for seen in (one, other):
            await seen.until(lambda now: now.beats)
        taken, left = [await report_sae(stack, clock, "LIFE_THREATENING") for _ in range(2)]
        alert, open_alert = await told(stack, one, taken), await told(stack, other, left)
        await stack.accept(
            "acknowledgeSaeAlert", "SAFETY_OFFICER", alertId=alert["alertId"], comment="seen, site called"
        )
        for seen in (one, other):
            await seen.until(lambda now: any(each["__typename"] == "AlertAcknowledged" for each in now.items))
            (acknowledged,) = (each for each in seen.items if each["__typename"] == "AlertAcknowledged")
            assert (acknowledged["alertId"], acknowledged["by"]) == (alert["alertId"], "safety-officer-1")
            assert acknowledged["comment"]["value"] == "seen, site called"

        clock.advance_to(clock.now() + timedelta(minutes=31))
        for seen in (one, other):
            await seen.until(lambda now: (open_alert["alertId"], 1) in levels(now))
        await asyncio.sleep(2)
        assert levels(one) == levels(other)
        assert alert["alertId"] not in {alert_id for alert_id, _ in levels(one)}
        assert levels(one).count((open_alert["alertId"], 1)) == 1


def levels(seen: Seen) -> list[tuple[str, int]]:
    """The escalations that a client was told of."""
    return [(each["alertId"], each["level"]) for each in seen.items if each["__typename"] == "AlertEscalated"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cursor_ahead_of_the_desk_is_refused(stack: Stack, kind: str) -> None:
    async with officer(stack, kind, after="safety-desk@1000000", resume=True) as seen:
        await seen.until(lambda now: now.errors)
        assert seen.errors[0]["code"] == "CURSOR_AHEAD"
        assert seen.items == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_subscription_ends_when_its_token_does(stack: Stack, kind: str) -> None:
    # The subscription is looked after every 5 s, so the end of the token is seen within that and a little more.
    token = token_for(stack, "brief-1", life=timedelta(seconds=4))
    async with officer(stack, kind, token=token, after="now") as seen:
        await seen.until(lambda now: now.beats)
        await seen.until(lambda now: now.errors, 30)
        assert seen.errors[0]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_subscription_ends_within_a_minute_of_the_withdrawal_of_access(stack: Stack, kind: str) -> None:
    person = f"leaver-{kind}"
    async with officer(stack, kind, person=person, after="now") as seen:
        await seen.until(lambda now: now.beats)
        await stack.accept("withdrawAccess", "ADMIN", tokenSubject=person, reason="left the trial")
        await seen.until(lambda now: now.errors, 60)
        assert seen.errors[0]["code"] == "UNAUTHENTICATED"


async def test_a_client_without_a_token_that_is_valid_is_not_let_in(stack: Stack) -> None:
    async with officer(stack, "graphql-ws", token="nonsense", resume=False) as seen:
        await seen.until(lambda now: now.closed)
        assert seen.closed[0]["code"] == 4403
    async with officer(stack, "graphql-sse", token="nonsense", resume=False) as seen:
        await seen.until(lambda now: now.errors)
        assert seen.errors[0]["code"] == "HTTP_401"


async def test_who_may_not_read_safety_data_is_refused(stack: Stack) -> None:
    for kind in KINDS:
        async with officer(stack, kind, token=token_for(stack, "lab-1", Role.LABORATORY)) as seen:
            await seen.until(lambda now: now.errors)
            assert seen.errors[0]["code"] == "FORBIDDEN"


async def stopped(stack: Stack) -> Callable[[], Awaitable[None]]:
    """SIGSTOP: the process is there and does nothing."""
    pid = stack.pid("safety")
    os.kill(pid, signal.SIGSTOP)

    async def heal() -> None:
        os.kill(pid, signal.SIGCONT)

    return heal


async def killed(stack: Stack) -> Callable[[], Awaitable[None]]:
    """SIGKILL as often as the supervisor starts it again."""

    async def again_and_again() -> None:
        while True:
            stack.kill("safety")
            await asyncio.sleep(0.1)

    killing = asyncio.create_task(again_and_again())

    async def heal() -> None:
        killing.cancel()
        await asyncio.wait([killing])

    return heal


@pytest.mark.parametrize("harm", [stopped, killed])
async def test_a_safety_process_that_is_gone_shows_in_the_heartbeat_within_thirty_seconds(
    stack: Stack, clock: SimulatedClock, harm: Callable[[Stack], Awaitable[Callable[[], Awaitable[None]]]]
) -> None:
    async with officer(stack, "graphql-ws", after="now") as seen:
        await seen.until(healthy, 60)
        heal = await harm(stack)
        try:
            await seen.until(unhealthy, 30)
            assert seen.beats[-1]["schedulerHealthy"] is False
            commit = await report_sae(stack, clock)
        finally:
            await heal()
        await told(stack, seen, commit)
        await seen.until(healthy, 60)


def healthy(seen: Seen) -> bool:
    """Whether the last heartbeat says so."""
    return bool(seen.beats) and seen.beats[-1]["safetyHealthy"] and seen.beats[-1]["schedulerHealthy"]


def unhealthy(seen: Seen) -> bool:
    """Whether the last heartbeat says so of the safety processor."""
    return bool(seen.beats) and not seen.beats[-1]["safetyHealthy"]
