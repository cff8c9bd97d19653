"""A client of server-sent events, as small as the protocol: `graphql-sse` in its mode of distinct connections."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx


@dataclass(frozen=True, slots=True)
class Sent:
    """An event: its name, its id, its data as JSON; a comment has no name."""

    name: str
    id: str | None
    data: Any


class EventSource:
    """One operation and what the server sends of it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_text()
        self._rest = ""

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, url: str, token: str, query: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> AsyncIterator[Self]:
        """Sends the operation."""
        asked = {
            "authorization": f"Bearer {token}",
            "accept": "text/event-stream",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        async with (
            httpx.AsyncClient(timeout=30) as client,
            client.stream("POST", url, json={"query": query, "variables": variables or {}}, headers=asked) as response,
        ):
            yield cls(response)

    async def sent(self, seconds: float = 5.0) -> Sent | None:
        """The next event or comment; None at the end of the stream."""
        async with asyncio.timeout(seconds):
            while "\n\n" not in self._rest:
                chunk = await anext(self._chunks, None)
                if chunk is None:
                    return None
                self._rest += chunk
        block, _, self._rest = self._rest.partition("\n\n")
        fields = dict(line.split(":", 1) for line in block.split("\n"))
        text = fields.get("data", "").strip()
        return Sent(
            fields.get("event", "").strip(), (fields.get("id") or "").strip() or None, json.loads(text or "null")
        )

    async def next(self, seconds: float = 5.0) -> Sent:
        """The next event of the name `next`."""
        while True:
            sent = await self.sent(seconds)
            assert sent is not None and sent.name in ("next", ""), sent
            if sent.name:
                return sent
