"""The one reader of the safety desk in this process: it pages the desk and its health once for all subscribers.

While anybody follows, it reads when there is word that the desk was projected further, after every reconnect, before
which word may have been lost, and anyway every few seconds: that is also how health is seen to change. What it has read
last stays at hand; whoever is further behind pages for himself, by the same cursor.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from hepatrail_events.errors import Unavailable
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_graphql.desk_page import DeskPage
from hepatrail_graphql.health import DeskWatch, SafetyHealth, safety_health, unknown
from hepatrail_graphql.ports import Clock, Notifications, Reader
from hepatrail_graphql.times import Times
from hepatrail_projections.desk_reading import DeskRead

PAGE = 200
WINDOW = 1_000
"""Events of the desk that stay at hand, at least while there are so many."""
_SPACING = 0.005
"""Seconds between two readings, however often the desk is projected further."""

_log = logging.getLogger(__name__)


class _Word(NamedTuple):
    """What was heard of the desk so far: how often listening began, and the highest version."""

    connections: int
    version: int


class DeskHub:
    """Follows the desk while it has subscribers.

    `head` is the streamseq up to which the desk was read, `health` what a heartbeat says. `away`: Postgres could not
    be asked last.
    """

    def __init__(self, reader: Reader, notifications: Notifications, clock: Clock, times: Times) -> None:
        self._reader = reader
        self._notifications = notifications
        self._clock = clock
        self._times = times
        self._subscribers = 0
        self._following: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()
        self._forget()

    def _forget(self) -> None:
        self.head = 0
        self.health: SafetyHealth = unknown(None, self._clock.now())
        self.away = True
        self._pages: deque[DeskPage] = deque()
        self._watch = DeskWatch()
        self._known: SafetyHealth | None = None
        self._begun = self._done = 0
        self._news = asyncio.Event()

    @asynccontextmanager
    async def subscribed(self) -> AsyncIterator[None]:
        """Follows the desk for as long as this lasts; the first one begins it, the last one ends it."""
        self._subscribers += 1
        if self._following is None:
            self._forget()
            self._following = asyncio.create_task(self._follow(), name="safety-desk")
        try:
            yield
        finally:
            self._subscribers -= 1
            if self._subscribers == 0 and self._following is not None:
                following, self._following = self._following, None
                following.cancel()
                await asyncio.wait([following])

    @property
    def news(self) -> asyncio.Event:
        """Set when the desk goes on or health changes; take it before looking at what there is."""
        if self._following is not None and self._following.done():
            self._following.result()
        return self._news

    def page_after(self, streamseq: int) -> DeskPage | None:
        """The page at hand in which what follows a place stands; None behind the window, and at its end."""
        # From the end: hardly anybody is far from it, and there may be as many pages as events.
        for page in reversed(self._pages):
            if page.after <= streamseq:
                return page if streamseq < page.until else None
        return None

    async def look(self) -> None:
        """Reads on to the desk's end. Whoever calls while that is going on shares one reading with the others."""
        wanted = self._begun + 1
        async with self._reading:
            if self._done >= wanted:
                return
            self._begun += 1
            number, shown = self._begun, self.health.flags
            try:
                await self._read()
                self.away = False
            except Unavailable:
                _log.warning("the safety desk cannot be read for now")
                self.away, self.health = True, unknown(self._known, self._clock.now())
            self._done = number
            if self.health.flags != shown:
                self._tell()

    async def _follow(self) -> None:
        try:
            while True:
                # Before the reading, so that nobody sleeps over what comes while it goes on.
                heard = self._heard()
                await self.look()
                await asyncio.sleep(_SPACING)
                await self._rest(heard)
        finally:
            # A bug that ends this ends every subscription: silence must never look like peace.
            self._tell()

    async def _rest(self, heard: _Word) -> None:
        """Until there is reason to read again; `heard` is what had been heard when the last reading began."""
        now = asyncio.get_running_loop().time
        until = now() + self._times.page_anyway
        while not self._has_gone_on(heard) and (left := until - now()) > 0:
            changed = await self._notifications.wait_change(left)
            if changed and self.away:
                return  # Word of anything shows that Postgres may be asked again.

    def _heard(self) -> _Word:
        return _Word(self._notifications.connections, self._notifications.version(SAFETY_DESK))

    def _has_gone_on(self, heard: _Word) -> bool:
        """Whether there is word of more than was read, or may have been."""
        latest = self._heard()
        # Word that came before the reading was read for; word that came since may be of what the reading found anyway.
        return latest.connections != heard.connections or latest.version > max(heard.version, self.head)

    async def _read(self) -> None:
        if not self._pages:
            end = await self._reader.desk_after(None)
            self.head = max(self.head, end.desk_version - WINDOW)
        while True:
            read = await self._reader.desk_after(self.head, PAGE)
            if read.entries:
                self._take(read)
            if len(read.entries) < PAGE:
                break
        now, steady = self._clock.now(), asyncio.get_running_loop().time()
        self.health = self._known = safety_health(read, self._watch, self._times, now=now, steady=steady)

    def _take(self, read: DeskRead) -> None:
        until = read.entries[-1].streamseq
        self._pages.append(DeskPage(self.head, until, read.entries))
        self.head = until
        while len(self._pages) > 1 and self._pages[0].until <= until - WINDOW:
            self._pages.popleft()
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
