"""A part of the scheduler's work that comes again and again: when it was last done, and what was refused in it."""

import asyncio
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from hepatrail_events.decisions import Code
from hepatrail_services.command import Command
from hepatrail_services.safety.sending import CommandRefused, Sender

_log = logging.getLogger(__name__)
_SILENT_SECONDS = 10.0


class Outcome(Enum):
    """What became of a command: accepted or known to be done; ruled out by the domain; refused, which shows."""

    DONE = 1
    RULED_OUT = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class _Refusal:
    why: str
    again_at: float


class Rounds:
    """Sends what a round finds due; what is refused does not stop the round and is known until it is due no more."""

    def __init__(self, sender: Sender, retry_seconds: float) -> None:
        self.done_to: datetime | None = None
        """The instant until which everything due was sent, or is refused; None before the first round."""
        self._sender = sender
        self._retry_seconds = retry_seconds
        self._refused: dict[UUID | str, _Refusal] = {}
        self._met: set[UUID | str] = set()
        self._ended: float | None = None

    @contextmanager
    def round(self, to: datetime) -> Iterator[None]:
        """One round, which ends when everything due until `to` was sent."""
        self._met.clear()
        yield
        self._refused = {key: refusal for key, refusal in self._refused.items() if key in self._met}
        self.done_to = to if self.done_to is None else max(self.done_to, to)
        self._ended = asyncio.get_running_loop().time()

    async def send(self, command: Command) -> Outcome:
        """Sends a command, unless it was refused a moment ago."""
        key = command.command_id
        earlier = self._refused.get(key)
        self._met.add(key)
        if earlier is not None and asyncio.get_running_loop().time() < earlier.again_at:
            return Outcome.REFUSED
        try:
            await self._sender.put(command, None)
        except CommandRefused as refused:
            if refused.code is Code.RULE:
                return Outcome.RULED_OUT
            self.fail(key, str(refused), may_pass=refused.may_pass)
            return Outcome.REFUSED
        self._refused.pop(key, None)
        return Outcome.DONE

    def fail(self, key: UUID | str, why: str, *, may_pass: bool = False) -> None:
        """Something could not be done and shows until a round does not meet it any more."""
        self._met.add(key)
        if key not in self._refused:
            _log.error("the scheduler cannot go on with one of its duties: %s", why)
        wait = self._retry_seconds if may_pass else math.inf
        self._refused[key] = _Refusal(why, asyncio.get_running_loop().time() + wait)

    def trouble(self) -> str | None:
        """What is wrong, in a sentence: something is refused, or no round has ended for 10 s."""
        if self._refused:
            first = next(iter(self._refused.values()))
            return f"{len(self._refused)} commands are refused, the first: {first.why}"
        if self._ended is None or asyncio.get_running_loop().time() - self._ended > _SILENT_SECONDS:
            return "No round has ended for 10 s."
        return None
