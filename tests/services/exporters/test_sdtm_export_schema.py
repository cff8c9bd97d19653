"""Every dataset of an export holds the published schema of Dataset-JSON v1.1, and what SDTM asks of variables."""

import importlib
import json
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from hepatrail_services.exporters.dataset_json import Form, Value, Variable
from hepatrail_services.exporters.domains import DOMAINS, Domain
from sdtm_export_course import END, course
from sdtm_export_rows import Tables, exported, files_of, rows_at, streams_of, table
from trial_history import history

SHARED = Path(__file__).resolve().parents[3] / "../shared/data/dataset_json"
EXAMPLES = ("dm", "ex", "lb", "ae", "ds", "sv", "rs")
"""The domains of the published example that are of this export, too."""
_DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")
_DTC = re.compile(r"^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{3})?)?)?)?)?$")


@cache
def _tables() -> Tables:
    return exported(*rows_at(streams_of(course().records), END))


def _reference(name: str) -> Any:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"{name} of the published schemas and examples (../shared/data/dataset_json) is not here")
    content = path.read_bytes()
    return json.loads(content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"))


def _validator(schema: dict[str, Any]) -> Any:
    pytest.importorskip("jsonschema", reason="the package jsonschema is not installed")
    return importlib.import_module("jsonschema").Draft201909Validator(schema)


def _errors(schema: dict[str, Any], content: Any) -> list[str]:
    return [f"{'/'.join(map(str, each.path))}: {each.message}" for each in _validator(schema).iter_errors(content)]


def _mended(schema: dict[str, Any]) -> dict[str, Any]:
    """The published schema of lines refers to definitions that it holds nested within another one."""
    metadata = schema["$defs"]["DatasetMetadata"]["properties"]
    nested = {**metadata["columns"]["items"], **metadata["sourceSystem"]}
    missing = {name: nested[name] for name in ("Column", "DataTypesEnum", "SourceSystem")}
    return {**schema, "$defs": {**schema["$defs"], **missing}}


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda each: each.stem)
def test_a_dataset_holds_the_published_schema(domain: Domain) -> None:
    schema = _reference("dataset.schema.json")
    content = json.loads(files_of(_tables(), Form.JSON)[f"{domain.stem}.json"])
    assert content["records"] == len(content["rows"]) > 0
    assert _errors(schema, content) == []
    del content["itemGroupOID"]
    assert _errors(schema, content) == [": 'itemGroupOID' is a required property"]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda each: each.stem)
def test_its_lines_hold_the_published_schema_of_lines(domain: Domain) -> None:
    schema = _mended(_reference("dataset-ndjson-schema.json"))
    head, *rows = map(json.loads, files_of(_tables(), Form.NDJSON)[f"{domain.stem}.ndjson"].splitlines())
    assert head["records"] == len(rows) > 0
    assert _errors(schema, head) == []
    assert _errors(schema["$defs"]["RowData"], {"rows": rows}) == []
    assert head.keys() <= schema["$defs"]["DatasetMetadata"]["properties"].keys()
    del head["records"]
    assert _errors(schema, head) != []


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda each: each.stem)
def test_the_same_is_held_without_the_schema(domain: Domain) -> None:
    content = json.loads(files_of(_tables(), Form.JSON)[f"{domain.stem}.json"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", content["datasetJSONCreationDateTime"])
    assert content["datasetJSONVersion"] == "1.1.0"
    assert content["itemGroupOID"] == f"IG.{content['name']}"
    assert content["name"] == domain.stem.upper()
    assert set(content["sourceSystem"]) == {"name", "version"}
    assert 0 < len(content["label"]) <= 40
    for column in content["columns"]:
        assert {"itemOID", "name", "label", "dataType"} <= column.keys()
        assert column["itemOID"] == f"IT.{content['name']}.{column['name']}"
        assert re.fullmatch(r"[A-Z][A-Z0-9]{0,7}", column["name"])
        assert 0 < len(column["label"]) <= 40
        assert column["dataType"] in ("string", "integer", "decimal", "datetime", "date")
        assert column.get("targetDataType") == ("decimal" if column["dataType"] == "decimal" else None)
        assert ("length" in column) == (column["dataType"] == "string")
    names = [column["name"] for column in content["columns"]]
    assert len(set(names)) == len(names)
    assert all(len(row) == len(names) for row in content["rows"])


def _fits(value: Value, variable: Variable) -> bool:
    match variable.data_type:
        case "string":
            assert variable.length is not None
            return isinstance(value, str) and len(value) <= variable.length
        case "integer":
            return value is None or type(value) is int
        case "decimal":
            return value is None or (isinstance(value, str) and bool(_DECIMAL.match(value)))
        case "date":
            return value == "" or date.fromisoformat(str(value)).isoformat() == value
        case "datetime":
            spec = "milliseconds" if "." in str(value) else "seconds"
            return value == "" or datetime.fromisoformat(str(value)).isoformat(timespec=spec) == value


@cache
def _any(seed: int) -> Tables:
    log = history(seed, subjects=3, steps=90)
    return exported(*rows_at(streams_of(log.records), log.now))


@pytest.mark.parametrize("tables", [_tables, *(partial(_any, seed) for seed in range(4))], ids=["course", *"0123"])
@pytest.mark.parametrize("domain", DOMAINS, ids=lambda each: each.stem)
def test_every_value_is_of_the_type_and_length_that_its_variable_states(
    domain: Domain, tables: Callable[[], Tables]
) -> None:
    variables = domain.dataset.variables
    for row in tables()[domain.dataset.name]:
        assert [each.name for each, value in zip(variables, row, strict=True) if not _fits(value, each)] == []
        dates = [
            (each.name, str(value)) for each, value in zip(variables, row, strict=True) if each.name.endswith("DTC")
        ]
        assert [(name, text) for name, text in dates if text and not _DTC.match(text)] == []


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda each: each.stem)
def test_the_keys_tell_the_rows_of_a_dataset_apart(domain: Domain) -> None:
    rows = table(_tables(), domain.dataset.name)
    keys = sorted((each for each in domain.dataset.variables if each.key), key=lambda each: each.key or 0)
    assert [each.key for each in keys] == list(range(1, len(keys) + 1))
    assert len({tuple(row[each.name] for each in keys) for row in rows}) == len(rows)
    if (number := f"{domain.dataset.name}SEQ") in rows[0]:
        assert len({(row["USUBJID"], row[number]) for row in rows}) == len(rows)


@pytest.mark.parametrize("domain", [each for each in DOMAINS if each.stem in EXAMPLES], ids=lambda each: each.stem)
def test_variables_that_the_published_example_has_too_are_named_alike(domain: Domain) -> None:
    example = {each["name"]: each["label"] for each in _reference(f"{domain.stem}.json")["columns"]}
    ours = {each.name: each.label for each in domain.dataset.variables}
    common = example.keys() & ours.keys()
    assert len(common) >= 5
    assert {name: ours[name] for name in common if ours[name] != example[name]} == {}
