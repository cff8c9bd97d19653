"""CDISC Dataset-JSON v1.1: one object (.json), one line a row (.ndjson), or such lines compressed (.dsjc).

The first line of NDJSON is the object without its rows. Compressed, it is those lines in a gzip or a zlib stream:
CDISC's own example is gzip, its text speaks of zlib; the first bytes tell which.
"""

import gzip
import json
import re
import reprlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hepatrail_services.importers.source_grid import FileBroken, Grid, check_columns_of, decimal_text

_VERSION = re.compile(r"^1\.1(\.(0|[1-9][0-9]*))?$")
"""The pattern of the published schema."""
_GZIP = b"\x1f\x8b"
_TEXTS = frozenset(("string", "date", "datetime", "time", "URI"))


class _Column(BaseModel):
    model_config = ConfigDict(frozen=True)

    item_oid: str = Field(alias="itemOID")
    name: str
    label: str
    data_type: str = Field(
        alias="dataType", pattern="^(string|integer|decimal|float|double|boolean|datetime|date|time|URI)$"
    )


class _Metadata(BaseModel):
    """What the published schema requires of a dataset; what else there is says nothing about its rows."""

    model_config = ConfigDict(frozen=True)

    created: str = Field(alias="datasetJSONCreationDateTime")
    item_group_oid: str = Field(alias="itemGroupOID")
    records: int = Field(ge=0, strict=True)
    name: str
    label: str
    columns: tuple[_Column, ...]


def read_json(path: Path) -> Grid:
    """The rows of a .json file; FileBroken names the row, the variable and the rule that is broken."""
    whole = _parsed(_utf8(path.read_bytes()), "the file")
    if not isinstance(whole, dict):
        raise FileBroken("it is no JSON object")
    rows = whole.get("rows", [])
    if not isinstance(rows, list):
        raise FileBroken("rows is no array")
    return _grid(whole, rows)


def read_ndjson(path: Path) -> Grid:
    """The rows of an .ndjson file, the same way."""
    return _lines(_utf8(path.read_bytes()))


def read_dsjc(path: Path) -> Grid:
    """The rows of a .dsjc file, the same way."""
    content = path.read_bytes()
    try:
        plain = gzip.decompress(content) if content.startswith(_GZIP) else zlib.decompress(content)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FileBroken(f"its compressed content is broken: {error}") from None
    return _lines(_utf8(plain))


def _lines(text: str) -> Grid:
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise FileBroken("it is empty")
    whole = _parsed(lines[0], "line 1")
    if not isinstance(whole, dict):
        raise FileBroken("line 1 is no JSON object with the dataset's metadata")
    return _grid(whole, [_parsed(line, f"row {number}") for number, line in enumerate(lines[1:], 1)])


def _utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileBroken(f"it is not in UTF-8: {error}") from None


def _parsed(text: str, place: str) -> Any:
    def constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is no value of JSON")

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=constant)
    except (ValueError, InvalidOperation, RecursionError) as error:
        raise FileBroken(f"{place} is no JSON: {error}") from None


def _grid(whole: Mapping[str, Any], rows: Sequence[Any]) -> Grid:
    metadata = _metadata(whole)
    columns = check_columns_of(column.name for column in metadata.columns)
    if metadata.records != len(rows):
        raise FileBroken(f"records is {metadata.records} and there are {len(rows)} rows")
    return Grid(metadata.name, columns, tuple(_texts(metadata.columns, rows)))


def _metadata(whole: Mapping[str, Any]) -> _Metadata:
    version = whole.get("datasetJSONVersion")
    if not isinstance(version, str) or not _VERSION.match(version):
        raise FileBroken(f"datasetJSONVersion is {version!r}, version 1.1 is read")
    try:
        return _Metadata.model_validate(whole)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FileBroken(f"{where}: {first['msg']}") from None


def _texts(columns: Sequence[_Column], rows: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    readers = [(column, _READERS[column.data_type]) for column in columns]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list):
            raise FileBroken(f"row {number} is no array")
        if len(row) != len(columns):
            raise FileBroken(f"row {number} has {len(row)} values and there are {len(columns)} columns")
        texts: list[str] = []
        for value, (column, read) in zip(row, readers, strict=True):
            text = "" if value is None else read(value)
            if text is None:
                stated = str(value) if isinstance(value, Decimal) else reprlib.repr(value)
                raise FileBroken(f"row {number}, {column.name}: {stated} is no value of type {column.data_type}")
            texts.append(text)
        yield tuple(texts)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return decimal_text(Decimal(value))


def _integer(value: Any) -> str | None:
    return _number(value) if not isinstance(value, Decimal) or value == value.to_integral_value() else None


def _decimal(value: Any) -> str | None:
    """A decimal travels as text, so that its digits stay; a number is taken as well."""
    if not isinstance(value, str):
        return _number(value)
    try:
        return value if not value or Decimal(value).is_finite() else None
    except InvalidOperation:
        return None


def _boolean(value: Any) -> str | None:
    return ("true" if value else "false") if isinstance(value, bool) else None


_READERS: Mapping[str, Callable[[Any], str | None]] = {
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(("float", "double"), _number),
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
}
