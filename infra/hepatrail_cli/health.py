"""Asking processes whether they do their work."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from hepatrail_cli.supervisor import ServeProcess
from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.process import last_error

READY_WITHIN = 60.0
_REFUSED = 2
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """What a health page said; `detail` is empty when it did not answer."""

    healthy: bool
    detail: Mapping[str, Any] = field(default_factory=dict)


async def ask(client: httpx.AsyncClient, page: str) -> Answer:
    """One health page; a process that does not answer within 2 s is unhealthy."""
    try:
        response = await client.get(page, timeout=2.0)
        body = response.json()
    except (httpx.HTTPError, ValueError) as error:
        return Answer(False, {"error": type(error).__name__})
    return Answer(response.status_code == httpx.codes.OK, body if isinstance(body, dict) else {})


async def ask_all(pages: Mapping[str, str]) -> dict[str, Answer]:
    """All health pages at once."""
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(*(ask(client, page) for page in pages.values()))
    return dict(zip(pages, answers, strict=True))


async def wait_until_ready(pages: Mapping[str, str], processes: Mapping[str, ServeProcess]) -> None:
    """Returns when every page is healthy; StartRefused when a process refuses its start or 60 s have passed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_WITHIN
    waiting = dict(pages)
    async with httpx.AsyncClient() as client:
        while waiting:
            for name, page in list(waiting.items()):
                refuse_with(processes[name], name)
                answer = await ask(client, page)
                if answer.healthy:
                    del waiting[name]
                elif loop.time() > deadline:
                    raise StartRefused(f"{name} was not ready within {READY_WITHIN:.0f} s: {dict(answer.detail)}.")
            await asyncio.sleep(_POLL)


def refuse_with(process: ServeProcess, name: str) -> None:
    """Raises the refusal of a process whose last run ended with one."""
    if process.code == _REFUSED:
        raise StartRefused(f"{name} refused to start: {last_error(process.log, 0, ('hepatrail: ',))}")
