"""Bytes of the log: what is read, what is refused and with which class of error, and the hash chain."""

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
import pytest

import golden
from builders import participant
from hepatrail_events import codec
from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.codec import Link, Recorded, parse_object, read, record
from hepatrail_events.enrolment import ConsentRecorded
from hepatrail_events.envelope import GENESIS
from hepatrail_events.errors import (
    BrokenChain,
    HepatrailError,
    InvalidEnvelope,
    InvalidMessage,
    InvalidPayload,
    NotJson,
    StreamGap,
    UnknownType,
    UnknownVersion,
)
from hepatrail_events.event import Event

RAW = golden.golden("ConsentRecorded").raw
ENVELOPE = golden.golden("ConsentRecorded").envelope


def _changed(**changes: Any) -> bytes:
    return canonical_json({name: part for name, part in (orjson.loads(RAW) | changes).items() if part is not None})


def _chained(seq: int, prevhash: str) -> Recorded:
    return read(_changed(streamseq=seq, prevhash=prevhash))


def test_a_record_is_read_back_as_it_was_written() -> None:
    written = golden.golden("ConsentRecorded")
    assert read(written.raw) == written
    assert written.hash == sha256_hex(written.raw)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"{", b"[]", b"1", b'"text"', b"null", b'{"a":NaN}', b'{"a":"\xff"}']
)
def test_bytes_that_are_no_json_object(raw: bytes) -> None:
    with pytest.raises(NotJson):
        read(raw)
    with pytest.raises(NotJson):
        parse_object(raw)


@pytest.mark.parametrize("data", [None, [], "text"])
def test_an_event_without_data(data: Any) -> None:
    with pytest.raises(InvalidEnvelope, match="data"):
        read(_changed(data=data))


def test_an_unknown_type() -> None:
    with pytest.raises(UnknownType, match="MoonRose"):
        read(_changed(type="hepatrail.MoonRose.v1"))


def test_a_version_from_a_newer_program() -> None:
    with pytest.raises(UnknownVersion, match="newer"):
        read(_changed(type="hepatrail.ConsentRecorded.v2"))


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({}, "siteId"),
        ({"unknown": 1}, "unknown"),
        ({"givenAt": "yesterday"}, "givenAt"),
        ({"healthDataConsent": "perhaps"}, "healthDataConsent"),
    ],
)
def test_data_that_have_not_the_events_shape(data: dict[str, Any], where: str) -> None:
    whole = participant.consent().payload() | data if data else {}
    with pytest.raises(InvalidPayload, match=where):
        read(_changed(data=whole))


def test_a_float_can_be_read_nowhere_and_written_nowhere() -> None:
    with pytest.raises(InvalidPayload):
        read(RAW.replace(b'"version":"ICF-2"', b'"version":2.5'))
    with pytest.raises(ValueError, match="floats"):
        canonical_json(ENVELOPE.to_json({"version": 2.5}))


def test_a_value_without_canonical_form_is_not_recorded() -> None:
    with pytest.raises(ValueError, match=r".+"):
        record(ENVELOPE, participant.consent().model_copy(update={"version": "half a pair \ud800"}))


class NewConsent(Event):
    """ConsentRecorded as two later programs might shape it."""

    VERSION: ClassVar[int] = 3
    site_id: str
    form: str
    language: str


STEPS: Mapping[tuple[str, int], Any] = {
    ("ConsentRecorded", 1): lambda data: {"siteId": data["siteId"], "form": data["version"]},
    ("ConsentRecorded", 2): lambda data: data | {"language": "zho"},
}


def _newer_program(monkeypatch: pytest.MonkeyPatch, steps: Mapping[tuple[str, int], Any]) -> None:
    monkeypatch.setattr(codec, "EVENT_TYPES", {"ConsentRecorded": NewConsent})
    monkeypatch.setattr(codec, "UPCASTERS", steps)


def test_ret_05_an_old_shape_is_led_to_the_current_one_and_its_hash_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    _newer_program(monkeypatch, STEPS)
    found = read(RAW)
    assert found.event == NewConsent(site_id="BFH", form="ICF-2", language="zho")
    assert (found.hash, found.envelope.version, found.raw) == (sha256_hex(RAW), 1, RAW)


def test_a_version_to_which_no_upcaster_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    _newer_program(monkeypatch, {key: step for key, step in STEPS.items() if key[1] == 1})
    with pytest.raises(UnknownVersion, match="no upcaster leads from version 2"):
        read(RAW)


def test_a_stream_is_followed_link_by_link() -> None:
    first = _chained(1, GENESIS)
    second = _chained(2, first.hash)
    assert Link().follow(first).follow(second) == Link(2, second.hash)


def test_one_changed_byte_breaks_the_chain() -> None:
    first = _chained(1, GENESIS)
    second = _chained(2, first.hash)
    forged = read(first.raw.replace(b"ICF-2", b"ICF-3"))
    with pytest.raises(BrokenChain, match="subject-S-001@2"):
        Link().follow(forged).follow(second)


def test_the_first_event_of_a_stream_links_to_nothing() -> None:
    with pytest.raises(BrokenChain):
        Link().follow(_chained(1, "f" * 64))


@pytest.mark.parametrize("seq", [1, 3])
def test_a_gap_or_a_repeat_in_a_stream(seq: int) -> None:
    first = _chained(1, GENESIS)
    with pytest.raises(StreamGap, match="2 was due"):
        Link().follow(first).follow(_chained(seq, first.hash))


def test_what_cannot_be_read_is_one_class_of_error_with_codes_of_its_own() -> None:
    kinds = InvalidMessage.__subclasses__()
    assert issubclass(InvalidMessage, HepatrailError)
    assert len({kind.code for kind in kinds}) == len(kinds) >= 7


def test_an_event_keeps_names_of_the_log_outside_and_python_names_inside() -> None:
    event = participant.consent()
    assert isinstance(event, ConsentRecorded)
    assert event.site_id == event.payload()["siteId"]
