"""The envelope: every attribute there and of its kind, or refused by name."""

from typing import Any

import orjson
import pytest

import golden
from hepatrail_events.envelope import CONTENT_TYPE, GENESIS, Envelope
from hepatrail_events.errors import InvalidEnvelope

BODY = orjson.loads(golden.golden("ConsentRecorded").raw)
ENVELOPE = golden.golden("ConsentRecorded").envelope
OPTIONAL = {"protocolversion", "causationid", "correlationid", "traceparent"}
REQUIRED = BODY.keys() - OPTIONAL - {"data", "source", "datacontenttype"}


def test_an_envelope_is_read_back_as_it_was_written() -> None:
    assert Envelope.from_json(BODY) == ENVELOPE
    assert BODY["type"] == "hepatrail.ConsentRecorded.v1"
    assert BODY["specversion"] == "1.0"


def test_every_extension_is_a_scalar_with_a_name_that_cloudevents_allows() -> None:
    for name, value in BODY.items():
        assert name.isalnum()
        assert name.islower()
        assert isinstance(value, str | int) or name == "data"


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_attribute_is_named(name: str) -> None:
    with pytest.raises(InvalidEnvelope, match="stream|subject" if name == "subject" else name):
        Envelope.from_json({key: part for key, part in BODY.items() if key != name})


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_optional_attribute_may_be_absent_and_is_left_out(name: str) -> None:
    read = Envelope.from_json({key: part for key, part in BODY.items() if key != name})
    assert getattr(read, name) is None
    assert name not in read.to_json({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("type", "ConsentRecorded"),
        ("type", "hepatrail.ConsentRecorded"),
        ("type", "hepatrail..v1"),
        ("type", "hepatrail.ConsentRecorded.vx"),
        ("type", "hepatrail.ConsentRecorded.v²"),
        ("id", "1"),
        ("streamseq", 0),
        ("streamseq", True),
        ("streamseq", "1"),
        ("commitsize", 0),
        ("commitindex", -1),
        ("studyseq", None),
        ("recordedat", "2026-03-10"),
        ("recordedat", 1),
        ("actorid", 5),
        ("causationid", 5),
    ],
)
def test_an_attribute_of_the_wrong_kind_is_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidEnvelope, match=name):
        Envelope.from_json(BODY | {name: value})


def test_the_headers_place_a_record_without_its_value() -> None:
    headers = dict(ENVELOPE.headers())
    assert headers == {
        "content-type": CONTENT_TYPE.encode(),
        "ce_type": b"hepatrail.ConsentRecorded.v1",
        "ce_subject": b"subject-S-001",
        "ce_streamseq": b"2",
        "ce_commitid": str(ENVELOPE.commitid).encode(),
        "ce_commitindex": b"0",
        "ce_commitsize": b"1",
    }


def test_a_stream_begins_with_64_zeros() -> None:
    assert GENESIS == "0" * 64
