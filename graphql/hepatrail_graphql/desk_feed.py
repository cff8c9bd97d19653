"""One subscriber's way along the safety desk: what was before from Postgres, then what the hub reads, by one cursor.

Nothing is kept between pages but the place up to which everything was delivered. Every page says which places it
covers, whoever has read it, so that nothing can be lost or doubled where one page follows another.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import suppress

from hepatrail_events.errors import Unavailable
from hepatrail_graphql.alerts import AlertFilter, row_filter
from hepatrail_graphql.auth import Refused
from hepatrail_graphql.authorize import may_see, reads_sealed_text
from hepatrail_graphql.context import Context
from hepatrail_graphql.cursors import desk_cursor, read_desk_cursor
from hepatrail_graphql.desk_events import Told, heartbeat, told
from hepatrail_graphql.desk_hub import PAGE
from hepatrail_graphql.desk_page import DeskPage
from hepatrail_graphql.errors import CallerError, bad_input, unauthenticated, unavailable
from hepatrail_graphql.shared_answers import Delivery, Shared
from hepatrail_projections.alert import AlertRow
from hepatrail_projections.desk_reading import DeskEntry

_log = logging.getLogger(__name__)


async def still_allowed(context: Context) -> None:
    """UNAUTHENTICATED after the token's end, or within a minute of a withdrawal of access (ACC-04)."""
    if context.principal is None:
        raise unauthenticated("A bearer token is needed.")
    try:
        await context.services.authenticator.check(context.principal)
    except Refused as refused:
        raise unauthenticated(refused.message) from None


class DeskFeed:
    """Where one subscriber is; `context.reached` says so to the connection.

    An item counts as handed over when the next one is asked for: whoever sends them must ask for no more before.
    """

    def __init__(self, context: Context, chosen: AlertFilter | None) -> None:
        self._context = context
        self._desk = context.desk
        self._reader = context.services.reader
        self._times = context.services.times
        self._filter = chosen
        self._matches = _matcher(context, chosen)
        self._may_read = reads_sealed_text(context.actor)
        self._streamseq = 0
        self._beat_due = self._check_due = 0.0
        self._flags: tuple[bool, bool] | None = None

    async def follow(self, after: str) -> AsyncGenerator[Delivery, None]:
        """Yields from `after` on, for ever; CURSOR_AHEAD, UNAUTHENTICATED or UNAVAILABLE end it."""
        if self._filter is not None and self._filter.open is not None:
            raise bad_input('open chooses from a list; subscribe after "unacknowledged".', field="open", rule="list")
        now = asyncio.get_running_loop().time
        try:
            async with self._desk.subscribed():
                # The desk may have been read a while ago, or never yet.
                await self._desk.look()
                self._beat_due, self._check_due = now() + self._times.heartbeat, now() + self._times.page_anyway
                if after == "unacknowledged":
                    async for each in self._open(self._known_head()):
                        yield each
                else:
                    self._at(self._start(after))
                while True:
                    news = self._desk.news
                    while (page := await self._next_page()) is not None:
                        async for each in self._through(page):
                            yield each
                    await still_allowed(self._context)
                    if self._beat_is_due() or self._desk.health.flags != self._flags:
                        yield self._beat()
                    await _wait(news, min(self._beat_due - now(), self._times.page_anyway))
        finally:
            self._context.reached.pop(self, None)

    def _known_head(self) -> int:
        if self._desk.away:
            raise unavailable("The safety desk")
        return self._desk.head

    def _start(self, after: str) -> int:
        if after == "start":
            return 0
        if after == "now":
            return self._known_head()
        streamseq, end = read_desk_cursor(after), max(self._known_head(), self._desk.health.desk_version)
        if streamseq > end:
            if not self._desk.health.fresh:
                raise unavailable("The head of the safety desk")
            raise CallerError("CURSOR_AHEAD", f"{after} lies behind the desk's end at {end}.", field="after")
        return streamseq

    async def _open(self, until: int) -> AsyncIterator[Delivery]:
        """The open alerts up to a place on the desk, in order; what comes later is delivered as it follows there.

        A cursor among them is one like any other: everything open before it was delivered.
        """
        alert_seq, chosen = 0, row_filter(self._filter, self._context, open_only=True)
        while True:
            found = await self._reader.alerts(PAGE, alert_seq, chosen)
            rows = [row for row in found.items if row.streamseq <= until]
            entries = [DeskEntry(row.streamseq, row.event_ids[0], row.recorded_at, row) for row in rows]
            if entries:
                async for each in self._through(DeskPage(self._streamseq, entries[-1].streamseq, entries)):
                    yield each
            if not found.has_next:
                self._at(until)
                return
            alert_seq = found.items[-1].alert_seq

    async def _next_page(self) -> DeskPage | None:
        """What follows, as far as the desk was read; None: nothing does, or Postgres is away."""
        if self._streamseq >= self._desk.head:
            return None
        page = self._desk.page_after(self._streamseq)
        if page is not None:
            return page
        try:
            read = await self._reader.desk_after(self._streamseq, PAGE)
        except Unavailable:
            _log.warning("the safety desk cannot be read for now")
            return None
        if not read.entries:
            return None
        wanted = [entry for entry in read.entries if self._wants(entry)]
        return DeskPage(self._streamseq, read.entries[-1].streamseq, wanted)

    async def _through(self, page: DeskPage) -> AsyncIterator[Delivery]:
        """What the subscriber is to have of a page, and signs of life while that takes long."""
        places = [
            place
            for place, entry in enumerate(page.entries)
            if entry.streamseq > self._streamseq and self._wants(entry)
        ]
        shown = await page.shown(self._told, may_read=self._may_read) if places else Shared(())
        now = asyncio.get_running_loop().time
        for place in places:
            self._context.offered = desk_cursor(page.entries[place].streamseq)
            yield Delivery(shown, place)
            self._at(page.entries[place].streamseq)
            if now() >= self._check_due:
                # A page to a slow client may take minutes.
                await still_allowed(self._context)
                self._check_due = now() + self._times.page_anyway
            if self._beat_is_due():
                yield self._beat()
        self._at(page.until)

    def _at(self, streamseq: int) -> None:
        self._streamseq = self._context.reached[self] = streamseq

    def _beat_is_due(self) -> bool:
        return asyncio.get_running_loop().time() >= self._beat_due

    def _beat(self) -> Delivery:
        health = self._desk.health
        self._beat_due = asyncio.get_running_loop().time() + self._times.heartbeat
        self._flags, self._context.offered = health.flags, desk_cursor(self._streamseq)
        return Delivery(Shared([heartbeat(self._streamseq, health)]), 0)

    def _wants(self, entry: DeskEntry) -> bool:
        return entry.alert is not None and self._matches(entry.alert)

    async def _told(self, entries: Sequence[DeskEntry]) -> Sequence[Told]:
        return await told(entries, self._context.services.vault, may_read=self._may_read)


async def _wait(news: asyncio.Event, patience: float) -> None:
    if patience > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await news.wait()


def _matcher(context: Context, chosen: AlertFilter | None) -> Callable[[AlertRow], bool]:
    """Whether an alert is one that the subscriber asked for and may see."""
    wanted, actor = row_filter(chosen, context), context.actor

    def matches(row: AlertRow) -> bool:
        return (
            may_see(actor, row.site_id)
            and (wanted.priorities is None or row.priority in wanted.priorities)
            and (wanted.types is None or row.type in wanted.types)
            and wanted.subject_id in (None, row.subject_id)
            and wanted.ae_id in (None, row.ae_id)
        )

    return matches
