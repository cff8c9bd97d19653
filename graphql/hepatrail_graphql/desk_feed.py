"""Following the safety desk: pages from Postgres by cursor, woken by NOTIFY, and anyway every 5 s.

Nothing is kept between pages but the cursor, so nothing can be lost between them.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

from hepatrail_events.codec import Recorded
from hepatrail_events.errors import Unavailable
from hepatrail_events.safety_desk import AlertAcknowledged, AlertRaised
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_graphql.alerts import AlertFilter, row_filter
from hepatrail_graphql.auth import Refused
from hepatrail_graphql.authorize import may_see
from hepatrail_graphql.context import Context
from hepatrail_graphql.cursors import PAGE, read_desk_cursor
from hepatrail_graphql.errors import CallerError, unauthenticated, unavailable
from hepatrail_graphql.health import DeskWatch, SafetyHealth, safety_health, unknown
from hepatrail_graphql.waking import waking
from hepatrail_projections.alert import AlertRow
from hepatrail_projections.reading import StatusRead

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeskItem:
    """An alert, or with `recorded` what happened to it."""

    alert: AlertRow
    recorded: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life; everything up to `streamseq` of the desk was delivered."""

    streamseq: int
    health: SafetyHealth


async def still_allowed(context: Context) -> None:
    """UNAUTHENTICATED after the token's end, or within a minute of a withdrawal of access (ACC-04)."""
    if context.principal is None:
        raise unauthenticated("A bearer token is needed.")
    try:
        await context.services.authenticator.check(context.principal)
    except Refused as refused:
        raise unauthenticated(refused.message) from None


class DeskFeed:
    """One subscriber's way along the desk."""

    def __init__(self, context: Context, chosen: AlertFilter | None) -> None:
        self._context = context
        self._services = context.services
        self._filter = chosen
        self._matches = _matcher(context, chosen)
        self._watch = DeskWatch()
        self._health: SafetyHealth | None = None
        self._streamseq = 0

    async def follow(self, after: str) -> AsyncGenerator[DeskItem | Beat, None]:
        """Yields from `after` on, for ever; CURSOR_AHEAD, UNAUTHENTICATED or UNAVAILABLE end it."""
        times, loop = self._services.times, asyncio.get_running_loop()
        self._streamseq = await self._start(after)
        if after == "unacknowledged":
            async for open_alert in self._open(self._streamseq):
                yield open_alert
        beat_due, shown = loop.time(), None
        while True:
            async with waking(self._services.notifications, times.page_anyway) as woken:
                async for item in self._page():
                    yield item
                await still_allowed(self._context)
                health = await self._look()
                if loop.time() >= beat_due or health.flags != shown:
                    beat_due, shown = loop.time() + times.heartbeat, health.flags
                    yield Beat(self._streamseq, health)
                await woken(beat_due - loop.time())

    async def _start(self, after: str) -> int:
        if after == "start":
            return 0
        status = await self._services.reader.status()
        if after in ("unacknowledged", "now"):
            return status.desk_version
        streamseq = read_desk_cursor(after)
        health = self._judge(status)
        if streamseq > health.desk_version:
            safety = status.safety
            if safety is None or safety.age_seconds is None or safety.age_seconds > self._services.times.status_fresh:
                raise unavailable("The head of the safety desk")
            raise CallerError(
                "CURSOR_AHEAD", f"{after} lies behind the desk's end at {health.desk_version}.", field="after"
            )
        return streamseq

    async def _open(self, until: int) -> AsyncIterator[DeskItem]:
        """The open alerts up to a place on the desk, in order; what comes later is delivered live."""
        alert_seq, chosen = 0, row_filter(self._filter, self._context, open_only=True)
        while True:
            page = await self._services.reader.alerts(PAGE, alert_seq, chosen)
            for row in page.items:
                if row.streamseq <= until:
                    yield DeskItem(row)
            if not page.has_next:
                return
            alert_seq = page.items[-1].alert_seq

    async def _page(self) -> AsyncIterator[DeskItem]:
        while True:
            try:
                events = await self._services.reader.stream_events_after(SAFETY_DESK, self._streamseq, PAGE)
                items = [await self._item(recorded) for recorded in events]
            except Unavailable:
                _log.warning("the safety desk cannot be read for now")
                return
            for recorded, item in zip(events, items, strict=True):
                self._streamseq = recorded.envelope.streamseq
                if item is not None:
                    yield item
            if len(events) < PAGE:
                return

    async def _item(self, recorded: Recorded) -> DeskItem | None:
        match recorded.event:
            case AlertRaised(alert_id=alert_id):
                row = await self._services.reader.alert(alert_id)
                return None if row is None or not self._matches(row) else DeskItem(row)
            case AlertAcknowledged(alert_id=alert_id):
                row = await self._services.reader.alert(alert_id)
                return None if row is None or not self._matches(row) else DeskItem(row, recorded)
        return None

    async def _look(self) -> SafetyHealth:
        try:
            self._health = self._judge(await self._services.reader.status())
        except Unavailable:
            return unknown(self._health, self._services.clock.now())
        return self._health

    def _judge(self, status: StatusRead) -> SafetyHealth:
        steady = asyncio.get_running_loop().time()
        return safety_health(status, self._watch, self._services.times, now=self._services.clock.now(), steady=steady)


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
