"""`hepatrail watch`: SAE alerts on a terminal, as they arrive, over the same subscription as any client's."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, run
from hepatrail_cli.stack_files import read_run
from hepatrail_events.errors import Unavailable
from hepatrail_events.roles import Role
from hepatrail_services.importers.api_subscription import subscribe

SILENCE_SECONDS = 45.0
"""The API sends a heartbeat each 20 s; without any message for so long the connection is taken for dead."""

TOKEN = "HEPATRAIL_TOKEN"  # noqa: S105
_PAUSE = 2.0
_QUERY = """subscription Watch($after: String!) { saeAlerts(after: $after) { __typename
  ... on SaeAlert { cursor alertSeq type priority subjectId recordedAt verbatim { value state } }
  ... on AlertAcknowledged { cursor alertId by recordedAt }
  ... on AlertEscalated { cursor alertId level recordedAt }
  ... on Heartbeat { cursor lastSeq lagSeconds safetyHealthy schedulerHealthy } } }"""
_STYLES = {"P1": "bold white on red", "P2": "bold red", "P3": "yellow"}


def watch(
    after: Annotated[str, typer.Option(help="start, unacknowledged, now, or a cursor.")] = "unacknowledged",
    url: Annotated[str | None, typer.Option(help="wss:// address of the API; absent: the local stack's.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show SAE alerts as they arrive. The token: HEPATRAIL_TOKEN, else the local stack's safety officer's."""
    token = os.environ.get(TOKEN, "")
    run(_watch(after, *(_local(data_dir, token) if url is None else (url, token))))


def _local(data_dir: Path, token: str) -> tuple[str, str]:
    stack = read_run(data_dir)
    return stack["websocket"], token or stack["tokens"][Role.SAFETY_OFFICER.value]


async def _watch(after: str, url: str, token: str) -> None:
    console = Console()
    healthy = True
    while True:
        try:
            async with aclosing(subscribe(url, token, _QUERY, {"after": after})) as messages:
                while True:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        message = (await anext(messages))["saeAlerts"]
                    # The cursor of the last message shown: after a lost connection nothing is missed or doubled.
                    after = message["cursor"]
                    for line in lines(message, healthy):
                        console.print(line)
                    healthy = is_healthy(message, healthy)
        except (Unavailable, TimeoutError, StopAsyncIteration) as error:
            console.print(Text(f"connection lost ({error or 'silence'}); again in {_PAUSE:.0f} s", "bold red"))
        await asyncio.sleep(_PAUSE)


def is_healthy(message: dict[str, Any], before: bool) -> bool:
    """What the last heartbeat said; other messages leave it."""
    if message["__typename"] != "Heartbeat":
        return before
    return bool(message["safetyHealthy"] and message["schedulerHealthy"])


def lines(message: dict[str, Any], was_healthy: bool) -> list[Text]:
    """What the terminal shows of a message; of heartbeats only a change of health."""
    match message["__typename"]:
        case "SaeAlert":
            verbatim = message["verbatim"] or {}
            text = verbatim.get("value") or verbatim.get("state") or ""
            priority, who = message["priority"], message["subjectId"] or "trial"
            what = f" #{message['alertSeq']} {message['type']} {who} {text} {message['recordedAt']}"
            return [Text.assemble((f" {priority} ", _STYLES.get(priority, "")), what)]
        case "AlertAcknowledged":
            return [Text(f"  acknowledged by {message['by']}: {message['alertId']} {message['recordedAt']}", "green")]
        case "AlertEscalated":
            return [Text(f"  escalated to level {message['level']}: {message['alertId']}", "bold magenta")]
    now = is_healthy(message, was_healthy)
    if now == was_healthy:
        return []
    if now:
        return [Text(f"healthy again, alerts up to #{message['lastSeq']}", "green")]
    return [Text("UNHEALTHY: alerts may be missing, find out why (hepatrail status)", "bold white on red")]
