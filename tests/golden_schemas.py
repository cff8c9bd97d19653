"""The golden JSON Schemas: the shape of every event's data by name and version, kept for ever, in the package's data.

`python tests/golden_schemas.py` writes those that are missing and adds their hashes to SHA256SUMS; it never writes
over one. A field that joins an event later as optional raises no version (see `golden.py`): the schema with it is a
further file of the same version, `<event>.v<version>.<number>.schema.json`, and the last one of a version holds.
"""

import json
from importlib import resources
from pathlib import Path
from typing import Any

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.event import Event
from hepatrail_events.families import EVENT_TYPES

SCHEMAS = Path(str(resources.files("hepatrail_events"))) / "data" / "schemas"
SUMS = SCHEMAS / "SHA256SUMS"
_WORDS = frozenset({"title", "description"})


def schema(kind: type[Event]) -> dict[str, Any]:
    """The schema of an event's data (JSON Schema 2020-12), with its name in the log."""
    name = f"hepatrail.{kind.type_name()}.v{kind.VERSION}"
    made = kind.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": name}


def shape(value: Any) -> Any:
    """A schema without its words: what two schemas of one version may not differ in."""
    if isinstance(value, dict):
        # Under `properties` and `$defs` the names are the events' own, whatever they are.
        return {
            name: {own: shape(each) for own, each in part.items()} if name in ("properties", "$defs") else shape(part)
            for name, part in value.items()
            if name not in _WORDS
        }
    return [shape(each) for each in value] if isinstance(value, list) else value


def files_of(name: str, version: int) -> list[Path]:
    """The schemas of a version, the first one first."""
    first = SCHEMAS / f"{name}.v{version}.schema.json"
    later = SCHEMAS.glob(f"{name}.v{version}.*.schema.json")
    return [each for each in (first, *sorted(later, key=_number)) if each.exists()]


def last(name: str, version: int) -> dict[str, Any]:
    """The schema that holds for a version."""
    found: dict[str, Any] = json.loads(files_of(name, version)[-1].read_text("utf-8"))
    return found


def sums() -> dict[str, str]:
    """The recorded hash of every schema by its name, in the form of `sha256sum`."""
    lines = (line.split("  ") for line in SUMS.read_text("utf-8").splitlines())
    return {name: digest for digest, name in lines}


def write_missing() -> None:
    """Writes the schemas that are not there yet, and their hashes."""
    SCHEMAS.mkdir(exist_ok=True)
    known = sums() if SUMS.exists() else {}
    for name, kind in EVENT_TYPES.items():
        present, wanted = files_of(name, kind.VERSION), schema(kind)
        if present and shape(last(name, kind.VERSION)) == shape(wanted):
            continue
        number = f".{len(present)}" if present else ""
        path = SCHEMAS / f"{name}.v{kind.VERSION}{number}.schema.json"
        raw = json.dumps(wanted, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        path.write_bytes(raw)
        known[path.name] = sha256_hex(raw)
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(known.items())), "utf-8")


def _number(path: Path) -> int:
    return int(path.name.split(".")[2])


if __name__ == "__main__":
    write_missing()
