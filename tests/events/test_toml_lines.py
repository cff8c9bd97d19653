"""Every key and every entry of a TOML document is found on its line."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from hepatrail_events.toml_lines import lines_of

DOCUMENT = '''\
# a comment with = and [brackets]
a = 1
b.c = "text # no comment"  # a comment
"quoted key" = 'literal "x" # [y]'

list = [1, 2,
  3, # three
  [4, 5],
]
points = [
    { code = "A", at = { minutes = 3 } },
    # between
    { code = "B, {C}", days = [1,
        2] },
]
long = """
a = 2
[not.a.table] "quoted" \\""" still
"""
raw = \'\'\'
x = 1
\'\'\'
when = 2026-03-10 08:30:00Z
empty = []
nothing = {}

[table]
d = true
  [table.inner]
  e = -1.5e3

[[many]]
f = 1
[many.below]
g = 2
[[many]]
f = 3
[[many.of]]
h = 4
[[many.of]]
h = "5"
'''
LINES = {
    ("a",): 2,
    ("b", "c"): 3,
    ("quoted key",): 4,
    ("list",): 6,
    ("list", 1): 6,
    ("list", 2): 7,
    ("list", 3, 1): 8,
    ("points",): 10,
    ("points", 0, "at", "minutes"): 11,
    ("points", 1): 13,
    ("points", 1, "code"): 13,
    ("points", 1, "days", 1): 14,
    ("long",): 16,
    ("raw",): 20,
    ("when",): 23,
    ("table", "d"): 28,
    ("table", "inner", "e"): 30,
    ("many", 0, "f"): 33,
    ("many", 0, "below", "g"): 35,
    ("many", 1, "f"): 37,
    ("many", 1, "of", 1, "h"): 41,
}


@pytest.mark.parametrize(("path", "line"), LINES.items())
def test_a_key_is_found_on_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert lines_of(DOCUMENT)[path] == line


def test_windows_line_ends_count_as_one() -> None:
    assert lines_of(DOCUMENT.replace("\n", "\r\n")) == lines_of(DOCUMENT)


@pytest.mark.parametrize(
    "text", [DOCUMENT, files("hepatrail_events").joinpath("data/cips_bal.toml").read_text()], ids=["all", "shipped"]
)
def test_exactly_what_the_standard_library_reads_has_a_line(text: str) -> None:
    assert lines_of(text).keys() == set(_paths(tomllib.loads(text)))


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(found for key, part in inside for found in _paths(part, (*path, key)))]
