"""When the reader of the desk reads: at word of the desk and after a reconnect, anyway now and then, and else never."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk_in_memory import FAST, NOW, Desk, hub
from hepatrail_graphql import desk_hub
from hepatrail_graphql.desk_hub import DeskHub
from hepatrail_graphql.times import Times
from hepatrail_projections.meta import SafetyStatus

NEVER = replace(FAST, page_anyway=1_000.0)
"""Nothing is read but for a reason."""
ENOUGH_SECONDS = 5.0

AT_WORK = st.tuples(st.just("project and tell"), st.integers(1, 3))
UNHEARD = st.tuples(st.just("project unheard"), st.integers(1, 3))
STEPS = st.one_of(
    AT_WORK,
    UNHEARD,
    st.tuples(st.just("reconnect"), st.just(0)),
    st.tuples(st.just("late word"), st.integers(0, 20)),
    st.tuples(st.just("another stream"), st.just(0)),
    st.tuples(st.just("look"), st.just(0)),
    st.tuples(st.just("turn"), st.integers(0, 12)),
)


@asynccontextmanager
async def followed(desk: Desk, times: Times = NEVER) -> AsyncIterator[DeskHub]:
    """A hub that somebody follows, after its first reading."""
    over = hub(desk, times)
    async with over.subscribed():
        await over.look()
        await settled()
        yield over


async def settled() -> None:
    """The hub has done what there was to do, and rests."""
    await asyncio.sleep(0.03)
    for _ in range(20):
        await asyncio.sleep(0)


async def reached(over: DeskHub, head: int) -> None:
    """The hub has read so far."""
    async with asyncio.timeout(ENOUGH_SECONDS):
        while over.head != head:
            await asyncio.sleep(0.001)


def grown(desk: Desk, count: int = 1) -> None:
    """So many alerts more, projected."""
    for _ in range(count):
        desk.raise_alert()
    desk.project()


async def test_word_of_the_desk_is_read_for_at_once() -> None:
    desk = Desk()
    async with followed(desk) as over:
        grown(desk)
        desk.notify()
        await reached(over, 1)


async def test_word_of_other_streams_is_not_read_for() -> None:
    desk = Desk()
    async with followed(desk):
        desk.reads.clear()
        for _ in range(20):
            desk.notify_of_another()
            await asyncio.sleep(0.001)
        await settled()
        assert desk.reads == []


async def test_between_words_of_other_streams_word_of_the_desk_is_heard() -> None:
    desk = Desk()
    async with followed(desk) as over:
        for number in range(1, 6):
            desk.notify_of_another()
            grown(desk)
            desk.notify()
            desk.notify_of_another()
            await reached(over, number)


async def test_after_a_reconnect_the_desk_is_read_because_word_may_have_been_lost() -> None:
    desk = Desk()
    async with followed(desk) as over:
        grown(desk)
        await settled()
        assert over.head == 0, "nobody has said so"
        desk.reconnect()
        await reached(over, 1)


async def test_what_nobody_has_said_is_read_anyway_after_a_while() -> None:
    desk = Desk()
    async with followed(desk, replace(FAST, page_anyway=0.1)) as over:
        grown(desk)
        for _ in range(100):
            if over.head == 1:
                break
            desk.notify_of_another()
            await asyncio.sleep(0.01)
        assert over.head == 1, "words of other streams do not put it off"


@pytest.mark.parametrize("word", ["notify", "reconnect"])
async def test_word_that_comes_while_it_reads_is_not_slept_over(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    desk, began, go_on = Desk(), asyncio.Event(), asyncio.Event()
    grown(desk)
    original = desk.desk_after

    async def slow(after: int | None, limit: int = 200) -> Any:
        read = await original(after, limit)
        began.set()
        await go_on.wait()
        return read

    async with followed(desk) as over:
        monkeypatch.setattr(desk, "desk_after", slow)
        grown(desk)
        desk.notify()
        await began.wait()
        # The snapshot is taken; what follows is not in it.
        grown(desk)
        getattr(desk, word)()
        go_on.set()
        await reached(over, 3)


async def test_word_of_what_was_read_already_is_not_read_for_again() -> None:
    desk = Desk()
    grown(desk, 5)
    async with followed(desk) as over:
        assert over.head == 5
        desk.reads.clear()
        for version in range(1, 6):
            desk.notify(version)
            await asyncio.sleep(0.001)
        await settled()
        assert desk.reads == []


async def test_when_postgres_is_back_any_word_is_read_for() -> None:
    desk = Desk()
    async with followed(desk) as over:
        desk.away = True
        grown(desk)
        desk.notify()
        await settled()
        assert (over.away, over.head) == (True, 0)
        desk.away = False
        desk.notify_of_another()
        await reached(over, 1)
        assert not over.away


async def test_while_postgres_is_away_it_is_asked_no_more_often_than_there_is_word() -> None:
    desk = Desk()
    async with followed(desk):
        desk.away = True
        grown(desk)
        desk.notify()
        await settled()
        desk.reads.clear()
        await settled()
        assert desk.reads == []
        desk.notify_of_another()
        await settled()
        assert len(desk.reads) == 1


def status(version: int, age_seconds: float = 0.5) -> SafetyStatus:
    """What the safety process says of itself, being well."""
    return SafetyStatus(
        version, version, NOW, NOW, safety_healthy=True, scheduler_healthy=True, parked=[], age_seconds=age_seconds
    )


async def test_health_is_seen_to_change_without_word_of_the_desk() -> None:
    desk = Desk()
    desk.safety = status(0)
    async with followed(desk, replace(FAST, page_anyway=0.05)) as over:
        assert over.health.flags == (True, True)
        news = over.news
        desk.safety = status(0, age_seconds=11)
        async with asyncio.timeout(ENOUGH_SECONDS):
            await news.wait()
        assert over.health.flags == (False, False)
        news = over.news
        desk.safety = status(0)
        async with asyncio.timeout(ENOUGH_SECONDS):
            await news.wait()
        assert over.health.flags == (True, True)


async def test_rows_behind_the_desk_show_with_the_second_reading_and_until_they_have_caught_up() -> None:
    """`page_anyway` is the time that rows may be behind: the reading after the one that saw it first tells."""
    desk = Desk()
    grown(desk)
    desk.safety = status(1)
    async with followed(desk, replace(FAST, page_anyway=0.2, desk_behind=0.2)) as over:
        desk.raise_alert()
        desk.safety = status(2)
        desk.reads.clear()
        news = over.news
        async with asyncio.timeout(ENOUGH_SECONDS):
            await news.wait()
        assert not over.health.safety_healthy
        assert len(desk.reads) == 2
        desk.project()
        desk.notify()
        await reached(over, 2)
        await settled()
        assert over.health.safety_healthy


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40), st.lists(st.sampled_from([0, 0, 1, 3, 8]), min_size=1, max_size=20))
def test_whatever_is_said_or_lost_before_a_reconnect_is_read_without_paging_anyway(
    steps: Sequence[tuple[str, int]], pauses: Sequence[int]
) -> None:
    async def run() -> None:
        desk = Desk()
        desk.pause = lambda: pauses[len(desk.reads) % len(pauses)]
        unheard = False
        async with followed(desk) as over:
            for kind, number in steps:
                match kind:
                    case "project and tell" | "project unheard":
                        grown(desk, number)
                        if kind == "project and tell":
                            desk.notify()
                        # Of a projection that was told, everything before is told.
                        unheard = kind == "project unheard"
                    case "reconnect":
                        desk.reconnect()
                        unheard = False
                    case "late word":
                        desk.notify(min(number, desk.version("safety-desk")))
                    case "another stream":
                        desk.notify_of_another()
                    case "look":
                        await over.look()
                    case _:
                        for _ in range(number):
                            await asyncio.sleep(0)
            if unheard:
                desk.reconnect()
            await reached(over, len(desk.entries))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(desk_hub, "_SPACING", 0.0)
        asyncio.run(run())
