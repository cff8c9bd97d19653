"""The one reader of the desk: how often it reads, what it keeps, and that its silence is never taken for peace."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from desk_in_memory import FAST, NOW, Desk, context, hub, place
from hepatrail_events.errors import Unavailable
from hepatrail_graphql import desk_hub, desk_page
from hepatrail_graphql.alerts import AlertFilter
from hepatrail_graphql.context import Context
from hepatrail_graphql.desk_feed import DeskFeed
from hepatrail_graphql.errors import CallerError
from hepatrail_graphql.shared_answers import Delivery
from hepatrail_projections.meta import SafetyStatus

WELL = SafetyStatus(0, 0, NOW, NOW, safety_healthy=True, scheduler_healthy=True, parked=[], age_seconds=0.5)


def desk_of(count: int) -> Desk:
    """A desk with so many alerts, projected."""
    desk = Desk()
    for _ in range(count):
        desk.raise_alert()
    desk.project()
    desk.safety = WELL
    return desk


async def some(following: Any, count: int) -> list[Delivery]:
    """The next items."""
    async with asyncio.timeout(5):
        return [await anext(following) for _ in range(count)]


async def test_a_hundred_subscribers_read_as_often_as_one() -> None:
    desk = desk_of(50)
    over = hub(desk, replace(FAST, page_anyway=1_000.0))
    feeds = [DeskFeed(context(desk, over), None).follow("start") for _ in range(100)]
    try:
        first = await asyncio.gather(*[some(feed, 51) for feed in feeds])
        assert {tuple(map(place, each)) for each in first} == {(*range(1, 51), None)}
        before = len(desk.reads)
        waiting = [asyncio.create_task(some(feed, 1)) for feed in feeds]
        await asyncio.sleep(0.05)
        desk.raise_alert()
        desk.project()
        desk.notify()
        assert [place(*each) for each in await asyncio.gather(*waiting)] == [51] * 100
        assert len(desk.reads) - before <= 2
    finally:
        for feed in feeds:
            await feed.aclose()


async def test_a_reading_is_shared_only_by_those_who_asked_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, began, go_on = desk_of(1), asyncio.Event(), asyncio.Event()
    over = hub(desk)
    await over.look()
    original, desk.reads = desk.desk_after, []

    async def slow(after: int | None, limit: int = 200) -> Any:
        read = await original(after, limit)
        began.set()
        await go_on.wait()
        return read

    monkeypatch.setattr(desk, "desk_after", slow)
    early = asyncio.create_task(over.look())
    await began.wait()
    late = [asyncio.create_task(over.look()) for _ in range(10)]
    await asyncio.sleep(0)
    desk.raise_alert()
    desk.project()
    go_on.set()
    await asyncio.gather(early, *late)
    assert over.head == 2, "what was there when the late ones asked is read"
    assert len(desk.reads) == 2


async def test_nobody_is_read_for_when_nobody_follows() -> None:
    desk = desk_of(1)
    over = hub(desk)
    async with aclosing(DeskFeed(context(desk, over), None).follow("start")) as following:
        await some(following, 2)
    desk.reads.clear()
    await asyncio.sleep(0.1)
    assert desk.reads == []
    desk.raise_alert()
    desk.project()
    async with aclosing(DeskFeed(context(desk, over), None).follow("safety-desk@1")) as following:
        assert list(map(place, await some(following, 2))) == [2, None]


async def test_whoever_is_behind_the_window_reads_pages_and_never_single_alerts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk_hub, "WINDOW", 100)
    desk = desk_of(1_000)
    over = hub(desk, replace(FAST, page_anyway=1_000.0))
    async with aclosing(DeskFeed(context(desk, over), None).follow("start")) as following:
        assert [place(each) for each in await some(following, 1_000)] == list(range(1, 1_001))
    pages_of_the_past = [after for after in desk.reads if after is not None and after < 900]
    assert pages_of_the_past == [0, 200, 400, 600, 800]


async def test_what_stays_at_hand_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_hub, "WINDOW", 10)
    monkeypatch.setattr(desk_hub, "PAGE", 4)
    desk = desk_of(100)
    over = hub(desk)
    await over.look()
    assert over.page_after(0) is None
    assert [each for each in range(100) if over.page_after(each) is not None] == list(range(90, 100))
    for _ in range(50):
        desk.raise_alert()
        desk.project()
        await over.look()
    at_hand = [each for each in range(150) if over.page_after(each) is not None]
    assert at_hand == list(range(at_hand[0], 150))
    assert 10 <= len(at_hand) < 10 + 4


async def test_a_reading_that_broke_off_leaves_no_gap_among_the_pages_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_hub, "WINDOW", 10)
    monkeypatch.setattr(desk_hub, "PAGE", 4)
    desk = desk_of(30)
    over, answered = hub(desk), desk.desk_after

    async def breaks_off(after: int | None, limit: int = 200) -> Any:
        if after is not None and after >= 24:
            raise Unavailable("in the middle")
        return await answered(after, limit)

    monkeypatch.setattr(desk, "desk_after", breaks_off)
    await over.look()
    assert (over.head, over.away) == (24, True)
    monkeypatch.setattr(desk, "desk_after", answered)
    for _ in range(40):
        desk.raise_alert()
    desk.project()
    await over.look()
    for behind in range(70):
        page = over.page_after(behind)
        assert page is None or page.after <= behind < page.until
    assert over.head == 70
    async with aclosing(DeskFeed(context(desk, over), None).follow("safety-desk@22")) as following:
        assert [place(each) for each in await some(following, 48)] == list(range(23, 71))


async def test_a_bug_in_the_reading_ends_every_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(1)
    over = hub(desk)
    async with aclosing(DeskFeed(context(desk, over), None).follow("start")) as following:
        await some(following, 2)

        async def broken(*_: Any) -> Any:
            raise RuntimeError("a bug")

        monkeypatch.setattr(desk, "desk_after", broken)
        with pytest.raises(RuntimeError, match="a bug"):
            await some(following, 1)


async def test_an_alert_without_its_row_is_an_error_and_never_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `desk_reading` promises; here only that the feed does not swallow it."""
    desk = desk_of(1)

    async def torn(*_: Any) -> Any:
        raise KeyError("an alert has no row")

    monkeypatch.setattr(desk, "desk_after", torn)
    with pytest.raises(KeyError):
        await some(DeskFeed(context(desk, hub(desk)), None).follow("start"), 1)


async def test_while_postgres_is_away_heartbeats_say_so_and_then_all_goes_on() -> None:
    desk = desk_of(2)
    over = hub(desk)
    async with aclosing(DeskFeed(context(desk, over), None).follow("start")) as following:
        *_, beat = await some(following, 3)
        assert beat.event.safety_healthy and beat.event.scheduler_healthy
        desk.away = True
        desk.raise_alert()
        desk.project()
        (beat,) = await some(following, 1)
        assert (beat.event.safety_healthy, beat.event.scheduler_healthy) == (False, False)
        assert (beat.event.cursor, beat.event.last_seq) == ("safety-desk@2", 2)
        desk.away = False
        alert, beat = await some(following, 2)
        assert place(alert) == 3
        assert beat.event.safety_healthy


async def test_a_page_that_takes_long_is_broken_by_signs_of_life() -> None:
    desk = desk_of(10)
    over = hub(desk)
    times = replace(FAST, heartbeat=0.05)
    seen: list[int | None] = []
    async with aclosing(DeskFeed(context(desk, over, times=times), None).follow("start")) as following:
        while None not in seen:
            seen += map(place, await some(following, 1))
            await asyncio.sleep(0.03)
    assert 1 < len(seen) < 10, "a slow reader need not have reached the end"


async def test_during_a_page_that_takes_long_access_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(10)
    at = context(desk, hub(desk), times=replace(FAST, page_anyway=0.05))
    checks: list[int] = []

    async def check(_principal: Any) -> None:
        checks.append(len(checks))

    monkeypatch.setattr(at.services.authenticator, "check", check)
    async with aclosing(DeskFeed(at, None).follow("start")) as following:
        for _ in range(9):
            await some(following, 1)
            await asyncio.sleep(0.03)
    assert len(checks) >= 3


async def test_the_connection_knows_up_to_where_each_subscription_was_served() -> None:
    desk = desk_of(5)
    at = context(desk, hub(desk))
    one, other = DeskFeed(at, None).follow("start"), DeskFeed(at, None).follow("safety-desk@3")
    known = [at.last_cursor]
    await some(one, 2)
    known.append(at.last_cursor)
    await some(other, 2)
    assert sorted(at.reached.values()) == [1, 4], "the last item of each is still on its way"
    known.append(at.last_cursor)
    await one.aclose()
    known.append(at.last_cursor)
    await other.aclose()
    known.append(at.last_cursor)
    assert known == [None, "safety-desk@1", "safety-desk@1", "safety-desk@4", None]


async def test_a_list_s_choice_of_what_is_open_is_refused_where_one_follows() -> None:
    desk = desk_of(1)
    with pytest.raises(CallerError, match="unacknowledged"):
        await some(DeskFeed(context(desk, hub(desk)), AlertFilter(open=True)).follow("start"), 1)


async def test_free_text_is_opened_once_for_all_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_page, "SHOWN_SECONDS", 0.1)
    desk = desk_of(3)
    over = hub(desk)
    asked: list[Any] = []

    def following() -> Any:
        at: Context = context(desk, over)
        vault = at.services.vault

        async def keyring(kids: Any) -> Any:
            asked.append(kids)
            return await type(vault).keyring(vault, kids)

        monkeypatch.setattr(vault, "keyring", keyring)
        return DeskFeed(at, None).follow("start")

    first = following()
    await some(first, 3)
    await asyncio.gather(*[some(following(), 3) for _ in range(5)])
    assert len(asked) == 1
    await asyncio.sleep(0.2)
    await some(following(), 3)
    assert len(asked) == 2, "a key may have been destroyed meanwhile"


def test_a_lagging_safety_process_is_unhealthy() -> None:
    async def run() -> tuple[bool, bool]:
        desk = desk_of(1)
        over = hub(desk)
        lagging = []
        for seconds in (30, 31):
            desk.safety = replace(WELL, processed_to=NOW - timedelta(seconds=seconds))
            await over.look()
            lagging.append(over.health.safety_healthy)
        return lagging[0], lagging[1]

    assert asyncio.run(run()) == (True, False)
