"""Every event that was ever written can be read for ever: the golden files, and the list of families."""

import inspect
from pathlib import Path

import orjson
import pytest

import golden
import golden_payloads
import hepatrail_events
from builders import records
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import read, record
from hepatrail_events.event import Event
from hepatrail_events.families import EVENT_TYPES, FAMILIES

FILES = sorted(golden.SAMPLES.glob("*.json"))


def test_every_version_of_every_event_has_a_golden_file_and_nothing_else_has() -> None:
    wanted = {
        golden.file_of(name, version).name
        for name, kind in EVENT_TYPES.items()
        for version in range(1, kind.VERSION + 1)
    } | {
        golden.file_of(name, EVENT_TYPES[name].VERSION, number).name
        for name, payloads in golden_payloads.LATER.items()
        for number in range(1, len(payloads) + 1)
    }
    assert {path.name for path in FILES} == wanted


def test_no_golden_file_was_changed_or_removed() -> None:
    assert {path.name: sha256_hex(path.read_bytes()) for path in FILES} == golden.sums()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ret_05_a_golden_file_is_read_and_written_again_to_the_same_bytes(path: Path) -> None:
    recorded = read(path.read_bytes())
    assert (recorded.event.type_name(), recorded.hash) == (path.name.split(".")[0], golden.sums()[path.name])
    if recorded.envelope.version == recorded.event.VERSION:
        assert record(recorded.envelope, recorded.event).raw == path.read_bytes()


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_golden_files_of_the_current_version_show_every_field(name: str) -> None:
    kind = EVENT_TYPES[name]
    shown = set()
    for number in range(len(golden_payloads.payloads(name))):
        shown |= orjson.loads(golden.file_of(name, kind.VERSION, number).read_bytes())["data"].keys()
    assert {str(field.alias) for field in kind.model_fields.values()} == shown


@pytest.mark.parametrize("name", golden_payloads.LATER)
def test_a_field_that_joined_later_is_optional_and_missing_in_the_first_golden_file(name: str) -> None:
    kind = EVENT_TYPES[name]
    first = orjson.loads(golden.file_of(name, kind.VERSION).read_bytes())["data"]
    later = {field for payload in golden_payloads.LATER[name] for field in payload} - first.keys()
    assert later
    required = {str(field.alias) for field in kind.model_fields.values() if field.is_required()}
    assert later.isdisjoint(required)


def test_the_current_shapes_still_write_the_golden_bytes() -> None:
    for name, kind in EVENT_TYPES.items():
        for number in range(len(golden_payloads.payloads(name))):
            path = golden.file_of(name, kind.VERSION, number)
            assert golden.golden(name, number).raw == path.read_bytes(), path.name


def test_every_event_class_is_in_exactly_one_family() -> None:
    listed = [kind for family in FAMILIES.values() for kind in family]
    assert len(listed) == len(set(listed)) == len(EVENT_TYPES)
    for family, kinds in FAMILIES.items():
        module = __import__(f"{hepatrail_events.__name__}.{family}", fromlist=["_"])
        defined = {
            kind
            for _, kind in inspect.getmembers(module, inspect.isclass)
            if issubclass(kind, Event) and kind.__module__ == module.__name__ and not kind.__subclasses__()
        }
        assert defined == set(kinds), family


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_says_what_fact_it_is_and_takes_no_unknown_field(name: str) -> None:
    kind = EVENT_TYPES[name]
    assert kind.type_name() == name
    assert inspect.getdoc(kind) != inspect.getdoc(Event)
    assert kind.model_config["frozen"]
    assert kind.model_config["extra"] == "forbid"


def test_the_deficiency_is_named_as_in_the_reference_with_its_capitals() -> None:
    reported = records.deficiency()
    assert reported.payload()["couldHaveLedToSADE"] is True
    assert type(reported).from_payload(reported.payload()) == reported
    assert golden_payloads.PAYLOADS["DeviceDeficiencyReported"].keys() >= {"couldHaveLedToSADE", "linkedAeId"}
