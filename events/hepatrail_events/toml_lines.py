"""On which line of a TOML document each key and each entry of a list stands.

The standard library reads TOML without positions. This walks text that it has accepted, so that nothing here needs
to tell right from wrong: tables, lists of tables, inline tables, lists, dotted keys, all four kinds of string.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d[0-9:.+Zz-]*")
_SCALAR = re.compile(r"[^\s,\]}#]+")


def lines_of(text: str) -> Mapping[Path, int]:
    """The line, counted from 1, of every path in the document; `text` is valid TOML."""
    return _Walk(text.replace("\r\n", "\n")).document()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._tables: Counter[Path] = Counter()

    def document(self) -> Mapping[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Path:
        line, many = self._line(), self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        path: Path = ()
        keys = self._keys()
        self._at += 2 if many else 1
        for number, key in enumerate(keys, start=1):
            path = (*path, key)
            self._lines.setdefault(path, line)
            if many and number == len(keys):
                self._tables[path] += 1
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
                self._lines.setdefault(path, line)
        return path

    def _pair(self, table: Path) -> None:
        line, path = self._line(), table
        for key in self._keys():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            found = _BARE_KEY.match(self._text, self._at)
            keys.append(self._take(_BARE_KEY) if found else self._take(_STRING)[1:-1])
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        match self._text[self._at]:
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._take(_STRING)
            case _:
                dated = _DATE_AND_TIME.match(self._text, self._at)
                self._take(_DATE_AND_TIME if dated else _SCALAR)

    def _list(self, path: Path) -> None:
        number = 0
        self._at += 1
        while not self._ended("]"):
            self._lines[*path, number] = self._line()
            self._value((*path, number))
            number += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while not self._ended("}"):
            self._pair(path)

    def _ended(self, closing: str) -> bool:
        """Passes what separates entries; whether the list or table ends here."""
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)
        if self._text[self._at] != closing:
            return False
        self._at += 1
        return True

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found is not None, "the standard library has accepted this text"
        self._at = found.end()
        return found[0]
