"""Identifiers that come out the same again, and the names of streams and positions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.ids import STUDY_NAMESPACE, derived_id, object_id, uuid7
from hepatrail_events.streams import SUBJECT_ID_PATTERN, Position, is_stream, subject_of, subject_stream

AT = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
COMMAND = UUID("00000000-0000-4000-8000-000000000001")


def test_the_namespace_of_the_study_never_changes() -> None:
    assert str(STUDY_NAMESPACE) == "5a1c0e4e-6d55-5b0e-9c39-0f7d2c1b8a10"
    assert str(object_id(COMMAND, "session")) == "de14c459-f890-577f-940b-7eb50feed976"
    assert object_id(COMMAND, "session") == derived_id(COMMAND, "session", 0)


def test_the_id_of_an_object_depends_on_command_kind_and_row() -> None:
    ids = {object_id(COMMAND, kind, row) for kind in ("result", "session") for row in (0, 1)}
    assert len(ids) == 4
    assert all(identity.version == 5 for identity in ids)


@given(st.datetimes(datetime(1970, 1, 2), datetime(4000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_uuid_7_tells_its_time(moment: datetime) -> None:
    identity = uuid7(moment)
    assert (identity.version, identity.variant) == (7, "specified in RFC 4122")
    assert abs((identity.int >> 80) - moment.timestamp() * 1000) <= 1


def test_uuids_7_sort_as_the_log_does() -> None:
    ids = [uuid7(AT + timedelta(milliseconds=step)) for step in range(50)]
    assert ids == sorted(ids)
    assert len({uuid7(AT) for _ in range(1000)}) == 1000


def test_a_subject_has_one_stream() -> None:
    assert subject_stream("S-001") == "subject-S-001"
    assert subject_of("subject-S-001") == "S-001"
    assert subject_of("study") is None


@pytest.mark.parametrize("name", ["", "x", "-S1", "S 1", "S_1", "S/1", "S" * 41, "S1\n", "病人一"])
def test_what_is_no_pseudonym_has_no_stream(name: str) -> None:
    with pytest.raises(ValueError, match="letters"):
        subject_stream(name)
    assert not is_stream(f"subject-{name}")


@pytest.mark.parametrize("name", ["study", "safety-desk", "subject-S-001", "subject-01-701-1015"])
def test_the_streams_that_can_exist(name: str) -> None:
    assert is_stream(name)


def is_pseudonym(text: str) -> bool:
    """Python's `$` also stands before a last line end."""
    return is_stream(f"subject-{text}")


@given(st.from_regex(SUBJECT_ID_PATTERN, fullmatch=True).filter(is_pseudonym), st.integers(0, 10**14))
def test_a_position_is_read_back(subject_id: str, version: int) -> None:
    position = Position(subject_stream(subject_id), version)
    assert Position.parse(str(position)) == position


@pytest.mark.parametrize(
    "text", ["", "study", "@1", "study@", "study@-1", "study@1.5", "study@²", "nobody@1", "study@1" + "0" * 15]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(InvalidEnvelope):
        Position.parse(text)
