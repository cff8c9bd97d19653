"""`hepatrail watch`: SAE alerts on a terminal, as they arrive, over the same subscription as any client's."""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import typer
from rich.console import Console
from rich.text import Text

from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, run
from hepatrail_cli.stack_files import read_run
from hepatrail_cli.watch_keyboard import typed_lines
from hepatrail_cli.watch_lines import Known, caught_up, clock_text, is_healthy, lines, status_line
from hepatrail_events.errors import Unavailable
from hepatrail_events.roles import Role
from hepatrail_infra.clock import Clock, make_clock
from hepatrail_services.importers.api_client import Accepted, ApiClient, ApiError
from hepatrail_services.importers.api_subscription import subscribe

SILENCE_SECONDS = 45.0
"""The API sends a heartbeat each 20 s; without any message for so long the connection is taken for dead."""

TOKEN = "HEPATRAIL_TOKEN"  # noqa: S105
_PAUSE = 2.0
_CLOCKS_EVERY = 15.0
_HELP = "a number acknowledges that alert, with a remark behind it; c: running clocks; o: open alerts; q: end"
SUBSCRIPTION = """subscription Watch($after: String!) { saeAlerts(after: $after) { __typename
  ... on SaeAlert { cursor alertId alertSeq type priority subjectId recordedAt late detail acknowledgedAt
    verbatim { value state } }
  ... on AlertAcknowledged { cursor alertId by recordedAt stopping }
  ... on AlertEscalated { cursor alertId level late recordedAt }
  ... on Heartbeat { cursor lastSeq lagSeconds safetyHealthy schedulerHealthy } } }"""
CLOCKS = """query Clocks { reportingClocks(first: 50, filter: {statuses: [RUNNING, BREACHED]}) {
  edges { node { type subjectId dueAt status } } } }"""


@dataclass(frozen=True, slots=True)
class Place:
    """An API: its websocket, a token, and the clock that its time is told by."""

    url: str
    token: str
    clock: Clock

    @property
    def http(self) -> str:
        """The address of the same API for requests."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(scheme=parts.scheme.replace("ws", "http", 1)))

    @classmethod
    def local(cls, data_dir: Path, token: str) -> Self:
        """That of the running stack; StartRefused when there is none."""
        stack = read_run(data_dir)
        clock = make_clock(Path(stack["clock"]) if stack["clock"] else None)
        return cls(stack["websocket"], token or stack["tokens"][Role.SAFETY_OFFICER.value], clock)


def watch(
    after: Annotated[str, typer.Option(help="start, unacknowledged, now, or a cursor.")] = "unacknowledged",
    url: Annotated[str | None, typer.Option(help="wss:// address of the API; absent: the local stack's.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show SAE alerts as they arrive and acknowledge them by number. The token: HEPATRAIL_TOKEN, else the local one."""
    token = os.environ.get(TOKEN, "")
    run(_watch(after, Place.local(data_dir, token) if url is None else Place(url, token, make_clock(None))))


async def _watch(after: str, place: Place) -> None:
    async with ApiClient(place.http, place.token, patience=10.0) as api:
        watching = Watch(after, place, api, Console())
        tasks = [asyncio.create_task(watching.follow()), asyncio.create_task(watching.keep_clocks())]
        try:
            asking = asyncio.create_task(watching.answer())
            await asyncio.wait({*tasks, asking}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done() and not asking.result():
                # Nobody types: the alerts go on.
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            asking.cancel()
        finally:
            for task in tasks:
                task.cancel()
            done, _ = await asyncio.wait(tasks)
        for task in done:
            if not task.cancelled():
                task.result()


class Watch:
    """One person's view of the desk."""

    def __init__(self, after: str, place: Place, api: ApiClient, console: Console) -> None:
        self.known = Known()
        self._after = after
        self._place = place
        self._api = api
        self._console = console
        self._healthy = True
        self._connected = False
        self._clocks: list[Mapping[str, Any]] = []

    def foot(self) -> str:
        """The line below the prompt."""
        now = self._place.clock.now()
        return status_line(self._clocks, now, self.known, healthy=self._healthy, connected=self._connected)

    async def follow(self) -> None:
        """Shows what happens until cancelled; connects again by itself. Raises ApiError when it is not let in."""
        loop, lost = asyncio.get_running_loop(), None
        while True:
            try:
                await self._connection(None if lost is None else timedelta(seconds=loop.time() - lost))
            except (Unavailable, TimeoutError, StopAsyncIteration) as error:
                if self._connected or lost is None:
                    lost = loop.time()
                self._connected = False
                why = str(error) or "silence"
                self._console.print(Text(f"connection lost ({why}); again in {_PAUSE:.0f} s", "bold red"))
            await asyncio.sleep(_PAUSE)

    async def keep_clocks(self) -> None:
        """Asks for the running clocks again and again; what was known stays while the API is away."""
        while True:
            with suppress(Unavailable, ApiError):
                answer = await self._api.execute(CLOCKS)
                self._clocks = [edge["node"] for edge in answer["reportingClocks"]["edges"]]
            await asyncio.sleep(_CLOCKS_EVERY)

    async def answer(self) -> bool:
        """Does what is typed; True when the person wants to end, False when nobody types."""
        async for line in typed_lines(self.foot):
            word, _, remark = line.strip().partition(" ")
            if word == "q":
                return True
            self._console.print(await self._do(word, remark.strip()))
        return False

    async def _connection(self, away: timedelta | None) -> None:
        brought: Counter[str] = Counter()
        async with aclosing(
            subscribe(self._place.url, self._place.token, SUBSCRIPTION, {"after": self._after})
        ) as messages:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = (await anext(messages))["saeAlerts"]
                self.known.take(message)
                for line in lines(message, self._healthy, self.known):
                    self._console.print(line)
                self._healthy = is_healthy(message, self._healthy)
                if not self._connected and message["__typename"] == "Heartbeat":
                    # The first sign of life comes when everything that had happened was sent.
                    self._connected = True
                    self._console.print(caught_up(brought, message["lastSeq"], away))
                brought[message["__typename"]] += 1
                # The cursor of the last message shown: after a lost connection nothing is missed or doubled.
                self._after = message["cursor"]

    async def _do(self, word: str, remark: str) -> Text:
        if word.isdecimal():
            return await self._acknowledge(int(word), remark)
        if word == "c":
            now = self._place.clock.now()
            return Text("\n".join(clock_text(each, now) for each in self._clocks) or "no clock is running")
        if word == "o":
            return Text(", ".join(f"#{number}" for number in sorted(self.known.open)) or "no alert is open")
        return Text(_HELP)

    async def _acknowledge(self, number: int, remark: str) -> Text:
        alert_id = self.known.alert_id(number)
        if alert_id is None:
            return Text(f"#{number} was not shown here; begin with --after start to see every alert", "red")
        command = {"commandId": str(uuid4()), "alertId": alert_id} | ({"comment": remark} if remark else {})
        try:
            outcome = await self._api.send("acknowledgeSaeAlert", command)
        except (ApiError, Unavailable) as error:
            return Text(f"#{number} is not acknowledged: {error}", "bold red")
        if isinstance(outcome, Accepted):
            return Text(f"#{number}: recorded" if outcome.event_ids else f"#{number}: you had acknowledged it before")
        return Text(f"#{number} is not acknowledged: {outcome.message}", "bold red")
