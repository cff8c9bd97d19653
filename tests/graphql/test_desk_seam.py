"""Whatever happens in whatever order: a subscriber has everything behind its cursor, in order, once."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk_in_memory import Desk, context, hub, place
from hepatrail_events.safety_desk import AlertAcknowledged
from hepatrail_graphql import desk_feed, desk_hub
from hepatrail_graphql.alerts import AlertFilter
from hepatrail_graphql.desk_feed import DeskFeed
from hepatrail_graphql.enums import Priority
from hepatrail_graphql.errors import CallerError

PAGE, WINDOW = 3, 7
ENOUGH_SECONDS = 10.0

SITES, PRIORITIES = st.sampled_from(["BFH", "NFH"]), st.sampled_from(["P1", "P2"])
HAPPENINGS = st.one_of(
    st.tuples(st.just("raise"), SITES, PRIORITIES),
    st.tuples(st.sampled_from(["acknowledge", "escalate"]), st.integers(0, 30), st.none()),
    st.tuples(st.just("else"), st.none(), st.none()),
)
ASKED = st.one_of(st.sampled_from(["start", "now"]), st.integers(1, 40))
HAPPEN = st.tuples(st.just("happen"), st.lists(HAPPENINGS, min_size=1, max_size=5))
PROJECT = st.tuples(st.just("project"), st.integers(1, 6))
NOTIFY = st.tuples(st.just("notify"), st.none())
READ = st.tuples(st.just("read"), st.lists(st.integers(0, 6), min_size=4, max_size=4))
TURN = st.tuples(st.just("turn"), st.integers(1, 12))
AWAY = st.tuples(st.sampled_from(["away", "back"]), st.none())
JOIN = st.tuples(st.just("join"), st.tuples(ASKED, SITES, PRIORITIES))
STEPS = st.one_of(HAPPEN, PROJECT, NOTIFY, READ, TURN, AWAY, JOIN)


@contextmanager
def small_pages() -> Iterator[None]:
    """So small that a short history runs through pages, the window, and what lies behind it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(desk_hub, "PAGE", PAGE)
        patched.setattr(desk_feed, "PAGE", PAGE)
        patched.setattr(desk_hub, "WINDOW", WINDOW)
        patched.setattr(desk_hub, "_SPACING", 0.0)
        yield


@dataclass
class Subscriber:
    """One that reads as fast as the test lets it; the second of two sites and priorities stands for all."""

    after: str
    site: str | None = None
    priority: str | None = None
    received: list[int] = field(default_factory=list)
    may_read: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    reached: int = 0

    async def run(self, desk: Desk, over: Any) -> None:
        """Follows until it is cancelled; asks again while Postgres is away."""
        while True:
            try:
                await self._follow(desk, over)
            except CallerError as refused:
                assert (refused.extensions or {})["code"] == "UNAVAILABLE" and not self.received
                await asyncio.sleep(0)

    async def _follow(self, desk: Desk, over: Any) -> None:
        chosen = AlertFilter(priorities=None if self.priority is None else [Priority(self.priority)])
        at = context(desk, over, ["*"] if self.site is None else [self.site])
        async with aclosing(DeskFeed(at, chosen).follow(self.after)) as following:
            async for delivery in following:
                await self.may_read.acquire()
                streamseq = place(delivery)
                if streamseq is not None:
                    self.received.append(streamseq)

    def wants(self, entry: Any) -> bool:
        row = entry.alert
        return row is not None and self.site in (None, row.site_id) and self.priority in (None, row.priority)


class Story:
    """A history told step by step; how late every answer of Postgres comes, the seed decides."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.desk = Desk()
        self.desk.pause = lambda: chance.choice((0, 0, 1, 3, 8))
        self.hub = hub(self.desk)
        self.subscribers: list[Subscriber] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def tell(self, steps: Sequence[tuple[str, Any]]) -> None:
        """Everything that the steps say, then a while in which Postgres is there and everybody reads."""
        for kind, what in steps:
            match kind:
                case "happen":
                    self.happen(what)
                case "project":
                    self.desk.project(self.desk.projected + what)
                case "notify":
                    self.desk.notify()
                case "away" | "back":
                    self.desk.away = kind == "away"
                case "join" if not self.desk.away and len(self.subscribers) < 4:
                    self.join(*what)
                case "read":
                    for each, count in zip(self.subscribers, what, strict=False):
                        for _ in range(count):
                            each.may_read.release()
                case "turn":
                    for _ in range(what):
                        await asyncio.sleep(0)
            await asyncio.sleep(0)
        await self.end()

    def happen(self, happenings: Sequence[tuple[str, Any, Any]]) -> None:
        for kind, first, second in happenings:
            raised = len(self.desk.alerts_raised)
            if kind == "raise" or (kind != "else" and raised == 0):
                self.desk.raise_alert(site=first if kind == "raise" else "BFH", priority=second or "P1")
            elif kind == "else":
                self.desk.something_else()
            else:
                getattr(self.desk, kind)(first % raised + 1)

    def join(self, after: str | int, site: str, priority: str) -> None:
        if isinstance(after, int):
            after = f"safety-desk@{after % self.desk.projected + 1}" if self.desk.projected else "start"
        self.add(Subscriber(after, None if site == "NFH" else site, None if priority == "P2" else priority))

    def add(self, joined: Subscriber) -> None:
        self.subscribers.append(joined)
        self.tasks.append(asyncio.create_task(joined.run(self.desk, self.hub)))

    async def end(self) -> None:
        self.desk.away = False
        # Whoever has asked is let in before anything more happens; then one last alert, by which everybody is known
        # to have caught up.
        await self.turns(60)
        self.desk.raise_alert(site="BFH", priority="P1")
        self.desk.project()
        for each in self.subscribers:
            for _ in range(10 * len(self.desk.entries) + 1_000):
                each.may_read.release()
        last = len(self.desk.entries)
        async with asyncio.timeout(ENOUGH_SECONDS):
            while not all(each.received[-1:] == [last] for each in self.subscribers):
                self.desk.notify()
                await asyncio.sleep(0)
        await self.turns(60)

    async def turns(self, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, min_size=8, max_size=60), st.integers(0, 2**32))
def test_nobody_misses_or_doubles_anything_where_the_past_becomes_live(steps: Any, seed: int) -> None:
    async def run() -> None:
        story = Story(seed)
        try:
            await story.tell(steps)
            for each in story.subscribers:
                expected = [entry.streamseq for entry in story.desk.entries if each.wants(entry)]
                if each.after == "now":
                    # From the moment on at which it was let in, everything.
                    assert each.received == expected[len(expected) - len(each.received) :]
                else:
                    behind = 0 if each.after == "start" else int(each.after.rpartition("@")[2])
                    assert each.received == [streamseq for streamseq in expected if streamseq > behind]
        finally:
            await story.leave()

    with small_pages():
        asyncio.run(run())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(HAPPENINGS, max_size=40),
    st.lists(st.one_of(HAPPEN, PROJECT, NOTIFY, READ, TURN), max_size=20),
    st.integers(0, 2**32),
)
def test_whoever_asks_for_what_is_open_has_each_open_alert_and_then_everything(
    before: Any, steps: Any, seed: int
) -> None:
    async def run() -> None:
        story = Story(seed)
        story.happen(before)
        story.desk.project()
        seen = {each.fact.alert_id for each in story.desk.entries if isinstance(each.fact, AlertAcknowledged)}
        still_open = [row.streamseq for row in story.desk.alerts_raised if row.alert_id not in seen]
        joined = Subscriber("unacknowledged")
        story.add(joined)
        try:
            await story.turns(60)
            for _ in before:
                joined.may_read.release()
            await story.turns(200)
            await story.tell(steps)
            live = [entry.streamseq for entry in story.desk.entries[len(before) :] if entry.alert is not None]
            assert joined.received == still_open + live
        finally:
            await story.leave()

    with small_pages():
        asyncio.run(run())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(HAPPENINGS, max_size=20),
    st.lists(st.one_of(HAPPEN, PROJECT, NOTIFY, READ), min_size=5, max_size=30),
    st.integers(0, 2**32),
)
def test_what_nobody_has_acknowledged_comes_once_whatever_happens_while_the_open_are_listed(
    before: Any, steps: Any, seed: int
) -> None:
    async def run() -> None:
        story = Story(seed)
        story.happen(before)
        story.desk.project()
        joined = Subscriber("unacknowledged")
        story.add(joined)
        try:
            await story.tell(steps)
            seen = {each.fact.alert_id for each in story.desk.entries if isinstance(each.fact, AlertAcknowledged)}
            never = [row.streamseq for row in story.desk.alerts_raised if row.alert_id not in seen]
            assert joined.received == sorted(set(joined.received)), "in order, once"
            assert [each for each in joined.received if each in never] == never
        finally:
            await story.leave()

    with small_pages():
        asyncio.run(run())
