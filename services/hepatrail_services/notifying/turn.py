"""Which of several processes speaks for all of them: the one that holds a lock in Postgres."""

import asyncio

import asyncpg

from hepatrail_events.errors import Unavailable
from hepatrail_infra.postgres import translate_errors

_SECONDS = 5.0
_SETTINGS = {"application_name": "hepatrail turn"}


class Turn:
    """While Postgres cannot be asked it is everybody's turn: told twice is better than told by nobody."""

    def __init__(self, dsn: str, name: str, patience: float = _SECONDS) -> None:
        """`name` is that of the lock; any role may hold it. `patience` are the seconds until Postgres must answer."""
        self._dsn = dsn
        self._name = name
        self._patience = patience
        self._connection: asyncpg.Connection | None = None
        self._asking = asyncio.Lock()

    async def mine(self) -> bool:
        """Whether it is this process'; it then stays so for as long as its connection lasts."""
        async with self._asking:
            # A connection that Postgres ended while nobody looked says nothing about Postgres now.
            for _ in range(1 if self._connection is None else 2):
                try:
                    return await self._take()
                except (Unavailable, asyncpg.PostgresError):
                    self.end()
            return True

    async def _take(self) -> bool:
        with translate_errors():
            if self._connection is None:
                self._connection = await asyncpg.connect(
                    self._dsn, timeout=self._patience, command_timeout=self._patience, server_settings=_SETTINGS
                )
            return bool(await self._connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", self._name))

    def end(self) -> None:
        """Lets another process have it."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
