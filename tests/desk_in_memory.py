"""A safety desk in memory, as the API's reader shows it; it answers late, or not at all, when the test says so."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid5

from hepatrail_events.commands import Actor
from hepatrail_events.errors import Unavailable
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.safety_desk import AlertAcknowledged, AlertEscalated
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_graphql.auth import Principal
from hepatrail_graphql.context import Context, Services
from hepatrail_graphql.desk_hub import DeskHub
from hepatrail_graphql.shared_answers import Delivery
from hepatrail_graphql.times import Times
from hepatrail_infra.sealing_keys import Keyring
from hepatrail_projections.alert import ANY_ALERT, AlertFilter, AlertRow
from hepatrail_projections.desk_reading import DeskEntry, DeskRead
from hepatrail_projections.meta import SafetyStatus
from hepatrail_projections.snapshots import Page

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SPACE = UUID(int=7)
FAST = Times(page_anyway=0.02, heartbeat=1_000.0)
"""Pages anyway so often that no test waits for it; no heartbeat comes between but for health."""


def alert_id(number: int) -> UUID:
    """The id of the alert of a number."""
    return uuid5(SPACE, str(number))


class Desk:
    """What is on the desk, and how much of it is projected: the reader, the notifications and the clock of a hub."""

    label = ""

    def __init__(self) -> None:
        self.entries: list[DeskEntry] = []
        self.alerts_raised: list[AlertRow] = []
        self.projected = 0
        self.away = False
        self.safety: SafetyStatus | None = None
        self.reads: list[int | None] = []
        self.pause: Callable[[], int] = lambda: 0
        self.connections = 1
        self._told: dict[str, int] = {}
        self._changed = asyncio.Event()

    # What happens.

    def raise_alert(self, *, site: str = "BFH", priority: str = "P1", subject: str = "S-01") -> AlertRow:
        """The next alert."""
        number, streamseq = len(self.alerts_raised) + 1, len(self.entries) + 1
        row = AlertRow(
            alert_id=alert_id(number),
            alert_seq=number,
            streamseq=streamseq,
            type="SAE_NEW",
            priority=priority,
            raised_at=NOW,
            recorded_at=NOW,
            subject_id=subject,
            site_id=site,
            ae_id=None,
            previous_alert_id=None,
            content={"commitId": str(alert_id(number)), "reporterId": "dr-li"},
            acknowledgements=[],
            acknowledged_at=None,
            acknowledged_by=None,
            escalations=[],
            deliveries=[],
            event_ids=(uuid5(SPACE, f"event {streamseq}"),),
        )
        self.alerts_raised.append(row)
        self._add(row, None)
        return row

    def acknowledge(self, number: int) -> None:
        """Somebody has seen an alert; from now on its row says so."""
        fact = AlertAcknowledged(alert_id=alert_id(number), by="officer", at=NOW)
        self._add(self.alerts_raised[number - 1], fact)

    def escalate(self, number: int, level: int = 1) -> None:
        """Nobody has seen an alert in time."""
        fact = AlertEscalated(alert_id=alert_id(number), level=level, late=False)
        self._add(self.alerts_raised[number - 1], fact)

    def something_else(self) -> None:
        """An event that concerns no officer, such as a delivery by e-mail."""
        self._add(None, None)

    def project(self, until: int | None = None) -> None:
        """The desk is projected up to a streamseq, or whole."""
        self.projected = len(self.entries) if until is None else max(self.projected, min(until, len(self.entries)))

    def notify(self, until: int | None = None) -> None:
        """Word of it arrives, or of less of it."""
        self._hear(SAFETY_DESK, self.projected if until is None else until)

    def notify_of_another(self) -> None:
        """Word arrives that a participant's stream was projected further."""
        self._hear("subject-S-01", self.version("subject-S-01") + 1)

    def reconnect(self) -> None:
        """Word begins to arrive again; what there was meanwhile is lost."""
        self.connections += 1
        self._wake()

    def _hear(self, stream: str, version: int) -> None:
        self._told[stream] = max(version, self.version(stream))
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _add(self, row: AlertRow | None, fact: Any) -> None:
        streamseq = len(self.entries) + 1
        self.entries.append(DeskEntry(streamseq, uuid5(SPACE, f"event {streamseq}"), NOW, row, fact))

    # What the hub and its subscribers ask.

    def now(self) -> datetime:
        """The time."""
        return NOW

    def version(self, stream: str) -> int:
        """The highest version that there was word of."""
        return self._told.get(stream, 0)

    async def wait_change(self, timeout: float) -> bool:  # noqa: ASYNC109
        """Waits for word."""
        changed = self._changed
        try:
            async with asyncio.timeout(timeout):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    async def desk_after(self, after: int | None, limit: int = 200) -> DeskRead:
        """A snapshot of what is projected when it is asked for, handed over later."""
        self.reads.append(after)
        await self._late()
        found = () if after is None else tuple(self.entries[after : min(self.projected, after + limit)])
        known = [row.alert_seq for row in self.alerts_raised if row.streamseq <= self.projected]
        read = DeskRead(found, self.projected, max(known, default=0), self.safety)
        await self._late()
        return read

    async def alerts(self, first: int, after: int | None = None, chosen: AlertFilter = ANY_ALERT) -> Page[AlertRow]:
        """The alerts as they are now; an acknowledged one is not open."""
        await self._late()
        seen = {
            each.fact.alert_id for each in self.entries[: self.projected] if isinstance(each.fact, AlertAcknowledged)
        }
        rows = [
            row
            for row in self.alerts_raised
            if row.streamseq <= self.projected
            and row.alert_seq > (after or 0)
            and (chosen.open is None or (row.alert_id not in seen) == chosen.open)
            and (chosen.priorities is None or row.priority in chosen.priorities)
            and (chosen.sites is None or row.site_id in chosen.sites)
        ]
        await self._late()
        return Page(tuple(rows[:first]), len(rows) > first)

    async def _late(self) -> None:
        for _ in range(self.pause()):
            await asyncio.sleep(0)
        if self.away:
            raise Unavailable("the test took Postgres away")


class _NoVault:
    async def keyring(self, kids: Any) -> Keyring:
        return Keyring({})

    async def healthy(self) -> bool:
        return True


class _LetsIn:
    async def check(self, principal: Principal) -> None:
        return None


def hub(desk: Desk, times: Times = FAST) -> DeskHub:
    """A hub over a desk."""
    return DeskHub(cast(Any, desk), desk, desk, times)


def context(desk: Desk, over: DeskHub, sites: Sequence[str] = (ALL_SITES,), times: Times = FAST) -> Context:
    """A connection of a safety officer."""
    services = Services(
        gateway=cast(Any, None),
        decisions=cast(Any, None),
        reader=cast(Any, desk),
        outcomes=cast(Any, None),
        notifications=desk,
        vault=_NoVault(),
        authenticator=cast(Any, _LetsIn()),
        access_log=cast(Any, None),
        clock=desk,
        times=times,
    )
    actor = Actor(id="officer", role=Role.SAFETY_OFFICER, org="site", sites=tuple(sites))
    ends = (NOW + timedelta(days=1)).timestamp()
    return Context(services, over, principal=Principal(actor, "token", ends))


def place(delivery: Delivery) -> int | None:
    """The streamseq of what is delivered; None for a heartbeat."""
    event = delivery.event
    kind = type(event).__name__
    if kind == "Heartbeat":
        return None
    return int(event.row.streamseq) if kind == "SaeAlert" else int(event.cursor.rpartition("@")[2])
