"""Being told that something was projected: LISTEN `hepatrail`, which reconnects by itself."""

import asyncio
import logging

from hepatrail_events.errors import InvalidEnvelope, Unavailable
from hepatrail_events.streams import Position
from hepatrail_infra.postgres import connection
from hepatrail_projections.table import Connection

CHANNEL = "hepatrail"
"""The channel; a payload is the position `<stream>@<version>`, one a touched stream and batch."""

_log = logging.getLogger(__name__)
_RETRY = 0.5
_PING = 5.0


class Notifications:
    """Wakes everybody who waits when a stream was projected further.

    A notification may be lost while Postgres is away: after every reconnect all waiters wake once, and they page
    from their cursors anyway.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._versions: dict[str, int] = {}
        self._connected = False
        self._connections = 0

    @property
    def connections(self) -> int:
        """How often the connection was made: with every further time, notifications may have been lost before."""
        return self._connections

    @property
    def connected(self) -> bool:
        """Whether notifications arrive at the moment."""
        return self._connected

    async def start(self) -> None:
        """Begins to listen; returns at once."""
        self._task = asyncio.create_task(self._listen(), name="notifications")

    async def stop(self) -> None:
        """Ends listening and wakes all waiters."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._wake()

    async def wait_change(self, timeout: float) -> bool:  # noqa: ASYNC109
        """Waits for the next change of any stream, at most `timeout` seconds; whether there was one."""
        changed = self._changed
        try:
            async with asyncio.timeout(timeout):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    def version(self, stream: str) -> int:
        """The highest version of a stream that was notified; 0 when none was."""
        return self._versions.get(stream, 0)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _receive(self, *arguments: object) -> None:
        try:
            position = Position.parse(str(arguments[-1]))
        except InvalidEnvelope:
            return  # another program's notification on the channel
        self._versions[position.stream] = max(position.version, self.version(position.stream))
        self._wake()

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except Unavailable as error:
                _log.warning("notifications are away: %s", error)
            finally:
                self._connected = False
            await asyncio.sleep(_RETRY)

    async def _listen_once(self) -> None:
        async with connection(self._dsn, name="listen") as link:
            ended = asyncio.Event()
            link.add_termination_listener(lambda _: ended.set())
            await link.add_listener(CHANNEL, self._receive)
            self._connected = True
            self._connections += 1
            self._wake()
            while not ended.is_set():
                await self._until_ping(ended)
                if not ended.is_set():
                    await link.execute("SELECT 1", timeout=_PING)
        raise Unavailable("the connection ended")

    async def _until_ping(self, ended: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(_PING):
                await ended.wait()
        except TimeoutError:
            return


async def notify(link: Connection, positions: list[Position]) -> None:
    """Sends the positions when the transaction commits."""
    if not positions:
        return
    await link.execute("SELECT pg_notify($1, each) FROM unnest($2::text[]) AS each", CHANNEL, list(map(str, positions)))
