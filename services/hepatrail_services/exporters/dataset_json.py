"""CDISC Dataset-JSON v1.1: a dataset with its metadata and rows, as one JSON object or as NDJSON. Pure.

The same rows and the same metadata give the same bytes: columns stand in the order in which they are written down,
nothing depends on the clock. Exact decimals are text (`dataType` and `targetDataType` decimal), as the standard has
it, so that no value passes through a binary fraction. A missing text is "", a missing number null.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, TypeAlias

import orjson

VERSION = "1.1.0"

Value: TypeAlias = str | int | None
Row: TypeAlias = tuple[Value, ...]
DataType: TypeAlias = Literal["string", "integer", "decimal", "datetime", "date"]
_NUMBERS = ("integer", "decimal")


class Form(StrEnum):
    """How a dataset is written; the value is the ending of its file."""

    JSON = "json"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class Variable:
    """A column: `length` in characters (strings only), `key` its place among the keys of the dataset."""

    name: str
    label: str
    data_type: DataType = "string"
    length: int | None = None
    key: int | None = None

    @property
    def missing(self) -> Value:
        """What stands where there is no value."""
        return None if self.data_type in _NUMBERS else ""

    def metadata(self, dataset: str) -> dict[str, Any]:
        """The column as the standard describes it."""
        told: dict[str, Any] = {
            "itemOID": f"IT.{dataset}.{self.name}",
            "name": self.name,
            "label": self.label,
            "dataType": self.data_type,
        }
        if self.data_type == "decimal":
            told["targetDataType"] = "decimal"
        if self.length is not None:
            told["length"] = self.length
        if self.key is not None:
            told["keySequence"] = self.key
        return told


@dataclass(frozen=True)
class Dataset:
    """A domain: its name, its label and the written list of its variables, in the order of the columns."""

    name: str
    label: str
    variables: tuple[Variable, ...]

    @cached_property
    def _columns(self) -> Mapping[str, Value]:
        return {each.name: each.missing for each in self.variables}

    def row(self, values: Mapping[str, Value]) -> Row:
        """The values in the order of the columns; KeyError for a value that no column holds."""
        columns = self._columns
        if unknown := values.keys() - columns.keys():
            raise KeyError(f"{self.name} has no {', '.join(sorted(unknown))}")
        return tuple(missing if (value := values.get(name)) is None else value for name, missing in columns.items())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where datasets come from.

    `created` (aware) is the instant for which they were made, not the clock's; `modified` (aware) that of the last
    event in them, None where there is none. `system` and `version` name the software, `metadata` the version of the
    metadata: protocol and terminology.
    """

    study: str
    created: datetime
    modified: datetime | None
    system: str
    version: str
    metadata: str


def header(dataset: Dataset, origin: Origin, records: int) -> dict[str, Any]:
    """The metadata of a dataset, everything but its rows."""
    told: dict[str, Any] = {
        "datasetJSONCreationDateTime": _instant(origin.created),
        "datasetJSONVersion": VERSION,
        "fileOID": f"{origin.study}/{origin.metadata}/{_instant(origin.created)}/{dataset.name.lower()}",
    }
    if origin.modified is not None:
        told["dbLastModifiedDateTime"] = _instant(origin.modified)
    return told | {
        "originator": origin.system,
        "sourceSystem": {"name": origin.system, "version": origin.version},
        "studyOID": origin.study,
        "metaDataVersionOID": origin.metadata,
        "itemGroupOID": f"IG.{dataset.name}",
        "records": records,
        "name": dataset.name,
        "label": dataset.label,
        "columns": [each.metadata(dataset.name) for each in dataset.variables],
    }


def line(row: Sequence[Value]) -> bytes:
    """One row as JSON, without the end of the line."""
    return orjson.dumps(row)


def document(head: Mapping[str, Any], lines: Iterable[bytes], form: Form) -> Iterator[bytes]:
    """The file piece by piece: `head` from `header`, `lines` from `line`; a row a line in both forms.

    The rows may come from a file, so that a large trial needs no more memory than a small one.
    """
    told = orjson.dumps(head)
    if form is Form.NDJSON:
        yield told + b"\n"
        for each in lines:
            yield each + b"\n"
        return
    yield told[:-1] + b',"rows":['
    before = b"\n"
    for each in lines:
        yield before + each
        before = b",\n"
    yield b"\n]}\n"


def written(dataset: Dataset, rows: Sequence[Row], origin: Origin, form: Form) -> bytes:
    """A whole dataset as the bytes of its file."""
    return b"".join(document(header(dataset, origin, len(rows)), map(line, rows), form))


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
