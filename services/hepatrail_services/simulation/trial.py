"""The file of a simulated trial: JSON lines, a header first, then one command a line in the order of `at`.

    {"format": "hepatrail-trial/1", "seed": 7, "participants": 12, "siteId": "BFH",
     "begins": "2026-01-05T00:00:00.000Z"}
    {"at": "2026-01-05T02:10:00.000Z", "role": "COORDINATOR", "mutation": "recordConsent",
     "input": {"commandId": "...", "subjectId": "BFH-001", ...}, "expect": "ACCEPTED"}

`at` is when the person of that role enters the command; clinical times in `input` are never later. `expect` is
`ACCEPTED` or the id of the rule that must refuse the command ("SES-02"). Instants and dates are those of a trial
that begins at `begins`; `shifted` moves all of them by whole days, so that a player can begin when its clock stands.

The id of an event is made when it is recorded, so no file can know it: where a command names an event of an earlier
one (a correction of an assessment or of a grade does), the text `event:<commandId>/<index>` stands for the id of that
command's event number `index`, counted from 0, and the player puts the id in its place.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

import orjson
from pydantic import Field, ValidationError

from hepatrail_events.errors import StartRefused
from hepatrail_events.roles import Role
from hepatrail_events.types import Fact, Instant, SiteId, format_instant, parse_instant

ACCEPTED: Final = "ACCEPTED"
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
_MINUTE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\dZ$")
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$")
_EVENT = re.compile(r"^event:([0-9a-f-]{36})/(\d+)$")


class Header(Fact):
    """The first line: what the trial was made from."""

    format: Literal["hepatrail-trial/1"] = "hepatrail-trial/1"
    seed: int
    participants: int = Field(ge=1)
    site_id: SiteId
    begins: Instant


class TimedCommand(Fact):
    """One line: who enters which command when, and what must become of it."""

    at: Instant
    role: Role
    mutation: str = Field(pattern=r"^[a-z][A-Za-z]+$")
    input: dict[str, Any]
    expect: str = ACCEPTED


_Line = TypeVar("_Line", Header, TimedCommand)


@dataclass(frozen=True, slots=True)
class Trial:
    """A whole trial; `commands` are in the order of `at`."""

    header: Header
    commands: tuple[TimedCommand, ...]

    def shifted(self, days: int) -> "Trial":
        """The same trial, every instant and date `days` days later; command ids stay."""
        begins = self.header.begins + timedelta(days=days)
        moved = tuple(
            command.model_copy(
                update={"at": command.at + timedelta(days=days), "input": _shift(command.input, timedelta(days=days))}
            )
            for command in self.commands
        )
        return Trial(self.header.model_copy(update={"begins": begins}), moved)

    def beginning_after(self, instant: datetime) -> "Trial":
        """The trial shifted by the fewest whole days that let it begin at or after `instant` (aware)."""
        return self.shifted(max(0, -((self.header.begins - instant) // timedelta(days=1))))


def write_trial(path: Path, trial: Trial) -> None:
    """Writes the file; the same trial gives the same bytes."""
    lines = (orjson.dumps(fact.payload(), option=orjson.OPT_SORT_KEYS) for fact in (trial.header, *trial.commands))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(lines) + b"\n")


def read_trial(path: Path) -> Trial:
    """Reads a file; StartRefused names the first line that is not as described above."""
    try:
        first, *others = path.read_bytes().splitlines() or [b""]
    except OSError as error:
        raise StartRefused(f"The trial {path} cannot be read: {error.strerror}.") from None
    header = _line(Header, path, 1, first)
    commands = tuple(_line(TimedCommand, path, number, line) for number, line in enumerate(others, 2))
    if any(later.at < earlier.at for earlier, later in pairwise(commands)):
        raise StartRefused(f"The trial {path} is not in the order of `at`.")
    return Trial(header, commands)


def event_of(command_id: UUID, index: int = 0) -> str:
    """The text that stands for the id of an earlier command's event."""
    return f"event:{command_id}/{index}"


def with_event_ids(value: Any, known: Mapping[UUID, Sequence[UUID]]) -> Any:
    """An input with the ids of events in their places; LookupError where a command has no such event.

    `known` are the events of the accepted commands so far.
    """
    if isinstance(value, dict):
        return {key: with_event_ids(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [with_event_ids(item, known) for item in value]
    named = _EVENT.match(value) if isinstance(value, str) else None
    return str(known[UUID(named[1])][int(named[2])]) if named else value


def _line(kind: type[_Line], path: Path, number: int, line: bytes) -> _Line:
    try:
        return kind.model_validate(orjson.loads(line))
    except (orjson.JSONDecodeError, ValidationError) as error:
        reason = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise StartRefused(f"Line {number} of the trial {path} is wrong: {reason}.") from None


def _shift(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {key: _shift(item, by) for key, item in value.items()}
    if isinstance(value, list):
        return [_shift(item, by) for item in value]
    if not isinstance(value, str):
        return value
    if _INSTANT.match(value):
        return format_instant(parse_instant(value) + by)
    if _MINUTE.match(value):
        return (datetime.fromisoformat(value) + by).strftime("%Y-%m-%dT%H:%MZ")
    if _DAY.match(value):
        return (date.fromisoformat(value) + by).isoformat()
    return value
