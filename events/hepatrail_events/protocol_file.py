"""A protocol as a TOML file: what an operator edits, checks and publishes (`compliance.md` DAT-07).

A file is only the way to a publication: processes take every version from the log. Keys are written in snake_case,
as in `data/cips_bal.toml`; the names that the log uses (`plannedN`) are taken too.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic.alias_generators import to_camel, to_snake

from hepatrail_events.errors import StartRefused
from hepatrail_events.protocol import Protocol
from hepatrail_events.protocol_checks import Fault, examine, render
from hepatrail_events.toml_lines import lines_of

_SHOWN = 100
_POSITION = re.compile(r" \(at line (\d+), column \d+\)$")


def read_protocol_file(path: Path) -> Protocol:
    """The protocol in the file; StartRefused names file, line and field of the first thing that is wrong."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise StartRefused(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise StartRefused(f"{path}: byte {error.start + 1} is no UTF-8.") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StartRefused(_syntax(path, text, str(error))) from None
    found = examine(document)
    if isinstance(found, Fault):
        raise StartRefused(_sentence(path, found, lines_of(text)))
    return found


def _syntax(path: Path, text: str, message: str) -> str:
    """The parser's own words, and the line itself: a field that cannot be parsed has no name yet."""
    position, lines = _POSITION.search(message), text.split("\n")
    line = int(position[1]) if position else len(lines)
    said = _POSITION.sub("", message).removesuffix(" (at end of document)")
    shown = lines[line - 1].strip()[:_SHOWN]
    return f"{path}, line {line}: {said}{f': {shown}' if shown else ''}."


def _sentence(path: Path, fault: Fault, lines: Mapping[tuple[str | int, ...], int]) -> str:
    field = render([to_snake(part) if isinstance(part, str) else part for part in fault.path])
    return f"{path}, line {_line(fault, lines)}: {field or 'the protocol'}: {fault.why}."


def _line(fault: Fault, lines: Mapping[tuple[str | int, ...], int]) -> int:
    """The line of the field, of what should hold it where it is missing, else the first."""
    alike = {_alike(path): line for path, line in lines.items()}
    where = fault.path
    holders = (where[:end] for end in range(len(where), 0, -1))
    return next((lines.get(path, alike[_alike(path)]) for path in holders if _alike(path) in alike), 1)


def _alike(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return tuple(to_camel(part) if isinstance(part, str) else part for part in path)
