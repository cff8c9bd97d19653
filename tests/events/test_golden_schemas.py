"""The golden JSON Schemas: whoever has a bundle in thirty years reads every event by them (RET-05)."""

import json
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from golden import SAMPLES
from golden_schemas import SCHEMAS, files_of, last, schema, shape, sums
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import read
from hepatrail_events.families import EVENT_TYPES

_KINDS = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}
_SAMPLES = sorted(path.name for path in SAMPLES.glob("*.json"))


def faults(value: Any, rule: dict[str, Any], root: dict[str, Any]) -> list[str]:
    """Why a value is not what a schema says; of JSON Schema 2020-12 what these schemas use, and nothing else."""
    unknown = rule.keys() - _CHECKED - {"$schema", "$defs", "title", "description", "default"}
    assert not unknown, f"this reader does not know {unknown}"
    if "$ref" in rule:
        return faults(value, root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root)
    found = []
    if "anyOf" in rule and all(faults(value, each, root) for each in rule["anyOf"]):
        found.append(f"{value!r} is none of {rule['anyOf']}")
    kind = rule.get("type")
    if kind is not None and (not isinstance(value, _KINDS[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [f"{value!r} is no {kind}"]
    if "enum" in rule and value not in rule["enum"]:
        found.append(f"{value!r} is not one of {rule['enum']}")
    match value:
        case str():
            found += _text_faults(value, rule)
        case bool():
            pass
        case int():
            low, above, high = (rule.get(each) for each in ("minimum", "exclusiveMinimum", "maximum"))
            if (low is not None and value < low) or (above is not None and value <= above):
                found.append(f"{value} is too small")
            if high is not None and value > high:
                found.append(f"{value} is too large")
        case list():
            if not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value)):
                found.append(f"{len(value)} items")
            found += [fault for each in value for fault in faults(each, rule.get("items", {}), root)]
        case dict():
            found += _object_faults(value, rule, root)
    return found


_CHECKED = {
    "$ref", "anyOf", "type", "enum", "minimum", "exclusiveMinimum", "maximum", "minItems", "maxItems", "items",
    "properties", "required", "additionalProperties", "pattern", "minLength", "maxLength", "format",
}  # fmt: skip


def _text_faults(value: str, rule: dict[str, Any]) -> list[str]:
    found = []
    if "pattern" in rule and not re.search(rule["pattern"], value):
        found.append(f"{value!r} does not match {rule['pattern']}")
    if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)):
        found.append(f"{len(value)} characters")
    try:
        match rule.get("format"):
            case "uuid":
                UUID(value)
            case "date-time":
                datetime.fromisoformat(value)
            case None:
                pass
            case other:
                raise AssertionError(f"this reader does not know the format {other}")
    except ValueError:
        found.append(f"{value!r} is no {rule['format']}")
    return found


def _object_faults(value: dict[str, Any], rule: dict[str, Any], root: dict[str, Any]) -> list[str]:
    known = rule.get("properties", {})
    found = [f"{name} is missing" for name in rule.get("required", ()) if name not in value]
    if rule.get("additionalProperties") is False:
        found += [f"{name} is not known" for name in value.keys() - known.keys()]
    return found + [fault for name in value.keys() & known.keys() for fault in faults(value[name], known[name], root)]


@pytest.mark.parametrize("name", _SAMPLES)
def test_ret_05_every_event_version_has_its_schema_and_reads(name: str) -> None:
    raw = (SAMPLES / name).read_bytes()
    recorded = read(raw)
    kind, version = recorded.envelope.type, recorded.envelope.version
    wanted, data = last(kind, version), json.loads(raw)["data"]
    assert wanted["title"] == f"hepatrail.{kind}.v{version}"
    assert faults(data, wanted, wanted) == []
    # A schema that takes everything would show nothing.
    assert faults(data | {"unknownField": 1}, wanted, wanted) == ["unknownField is not known"]
    for required in wanted.get("required", ()):
        without = {field: value for field, value in data.items() if field != required}
        assert f"{required} is missing" in faults(without, wanted, wanted)


def test_a_schema_that_was_written_is_never_changed() -> None:
    written = {path.name: sha256_hex(path.read_bytes()) for path in SCHEMAS.glob("*.schema.json")}
    assert written == sums()


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_the_last_schema_is_that_of_the_program(name: str) -> None:
    kind = EVENT_TYPES[name]
    assert files_of(name, kind.VERSION), "run `python tests/golden_schemas.py`"
    assert shape(last(name, kind.VERSION)) == shape(schema(kind))


def test_the_shape_of_a_schema_is_without_its_words_but_with_every_name() -> None:
    one = {"title": "A", "properties": {"title": {"type": "string", "description": "what"}}, "anyOf": [{"title": "B"}]}
    assert shape(one) == {"properties": {"title": {"type": "string"}}, "anyOf": [{}]}
