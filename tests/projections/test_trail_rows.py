"""The trail as a pure fold of one stream: a row a field, with the value before, and nothing left out."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from golden import SAMPLES
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.codec import parse_object, read
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.families import EVENT_TYPES
from hepatrail_events.measurements import LabResultCorrected, LabResultVoided
from hepatrail_events.safety_desk import AlertAcknowledged
from hepatrail_events.sessions import SessionCorrected
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.trail.rows import trail_rows
from hepatrail_projections.trail.state import TrailState
from log_commits import adverse_event, alert, enrol, sample, start
from projection_log import SEALED, LogWriter
from trail_shown import last_rows, shown, study_log, trail
from trial_history import history


@pytest.fixture
def log() -> LogWriter:
    """A study with its protocol."""
    return study_log()


def corrected(result_id: UUID, new: str | None, field: str = "value", old: str | None = None) -> LabResultCorrected:
    body = {"id": str(result_id), "field": field, "oldValue": old, "newValue": new, "reason": SEALED, "accepted": True}
    return LabResultCorrected.model_validate(body)


def test_aud_01_a_changed_value_shows_all_seven(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    (result_id,) = sample(log, stream, creatinine="88.4")
    log.commit(stream, corrected(result_id, "78", old="88.4"), actor="dr-wang", role="INVESTIGATOR")
    (row,) = last_rows(log, stream)
    assert (row.actor_id, row.actor_role, row.actor_org) == ("dr-wang", "INVESTIGATOR", "Hospital")
    assert row.recorded_at == log.now
    assert (row.field, row.old, row.new) == ("value", "88.4", "78")
    assert row.reason == SEALED.payload()
    assert (row.object_id, row.subject_id, row.event_type) == (str(result_id), "S-1", "LabResultCorrected")
    assert not row.automated


def test_aud_03_the_old_value_stays_readable(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    (result_id,) = sample(log, stream, creatinine="88.4")
    for old, new in (("88.4", "78"), ("78", "91"), ("91", None)):
        log.commit(stream, corrected(result_id, new, old=old))
    log.commit(
        stream, LabResultVoided.from_payload({"id": str(result_id), "reasonCode": "DUPLICATE", "reasonText": SEALED})
    )
    of_value = [row for row in trail(log, stream) if (row.object_id, row.field) == (str(result_id), "value")]
    assert [(row.old, row.new) for row in of_value] == [(None, "88.4"), ("88.4", "78"), ("78", "91"), ("91", None)]
    assert shown(last_rows(log, stream)) == [("voided", "false", "true"), ("reasonCode", None, "DUPLICATE")]
    assert all(row.reason == SEALED.payload() for row in last_rows(log, stream))


def test_aud_04_two_fields_of_a_commit_are_two_entries(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    session = start(log, stream)
    changes = (("weightKg", "60", "61.5"), ("viableCells", "10020000000", "10030000000"))
    log.commit(
        stream,
        *(
            SessionCorrected.from_payload(
                {"id": str(session.session_id), "field": field, "oldValue": old, "newValue": new, "reason": SEALED}
            )
            for field, old, new in changes
        ),
    )
    rows = trail(log, stream)[-2:]
    assert shown(rows) == list(changes)
    assert {row.object_id for row in rows} == {str(session.session_id)}
    first = [row for row in trail(log, stream) if row.event_type == "SessionStarted"]
    assert {("weightKg", None, "60"), ("viableCells", None, "10020000000")} <= set(shown(first))
    assert len(first) == len({row.field for row in first})
    assert [row.row for row in first] == list(range(len(first)))


def test_dat_03_an_automated_change_names_the_component(log: LogWriter) -> None:
    event = adverse_event(log, enrol(log, "S-1"))
    alert_id = alert(log, 1, event, "S-1")
    log.commit(
        SAFETY_DESK,
        AlertAcknowledged(alert_id=alert_id, by="officer", at=log.now),
        actor="officer",
        role="SAFETY_OFFICER",
    )
    raised, seen = (
        {(row.automated, row.actor_id) for row in trail(log, SAFETY_DESK) if row.event_type == kind}
        for kind in ("AlertRaised", "AlertAcknowledged")
    )
    assert raised == {(True, "system")}
    assert seen == {(False, "officer")}


def leaves(value: Any) -> Iterator[Any]:
    """The scalars of a payload; sealed text and a partial date count as one."""
    if isinstance(value, dict) and ("ct" in value or "precision" in value):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def texts(value: Any) -> Iterator[str]:
    """How a leaf may stand in a row."""
    if isinstance(value, dict) and "precision" in value:
        yield value.get("value", "UNKNOWN")
    elif isinstance(value, dict) and "ct" in value:
        yield str(sorted(value.items()))
    elif isinstance(value, dict | list):
        for each in leaves(value):
            yield from texts(each)
    else:
        yield str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_aud_01_everything_that_an_event_says_stands_in_its_rows(path: Path) -> None:
    raw, state = path.read_bytes(), TrailState()
    if path.stem == "AESeriousnessCriteriaChanged.v1":
        # A criterion can only be taken away where it is known.
        trail_rows(state, (SAMPLES / "AEReported.v1.json").read_bytes())
    rows = trail_rows(state, raw)
    assert rows
    event = read(raw)
    for row in rows:
        assert (row.event_id, row.event_type) == (event.envelope.id, event.envelope.type)
    stands = {text for row in rows for value in (row.object_id, row.old, row.new, row.reason) for text in texts(value)}
    fields = {part for row in rows for part in row.field.replace("@", ".").split(".")}
    for leaf in leaves(parse_object(raw)["data"]):
        assert {*texts(leaf)} <= stands | fields, leaf


def test_there_is_a_sample_of_every_event() -> None:
    assert {path.name.split(".")[0] for path in SAMPLES.glob("*.json")} == set(EVENT_TYPES)


@pytest.mark.parametrize("seed", range(1, 6))
def test_aud_03_of_any_history_each_old_value_is_the_new_one_before(seed: int) -> None:
    log = history(seed, subjects=2, steps=120)
    streams = {(each.key or b"").decode() for each in log.records if each.topic == EVENTS}
    changed = 0
    for stream in streams:
        known: dict[tuple[str, str], Any] = {}
        rows = trail(log, stream)
        assert {row.streamseq for row in rows} == set(range(1, rows[-1].streamseq + 1))
        for row in rows:
            key = (str(row.object_id), row.field)
            if row.old is not None and key in known:
                assert row.old == known[key], row
                changed += 1
            known[key] = row.new
    assert changed > 0


def test_instants_are_those_of_the_envelope(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    row = trail(log, stream)[0]
    assert isinstance(row.recorded_at, datetime)
    assert row.recorded_at.tzinfo is UTC
    assert row.received_at <= row.recorded_at
    assert AEReported.type_name() not in {each.event_type for each in trail(log, stream)}


@pytest.mark.parametrize(
    "change",
    [
        lambda body: None,
        lambda body: {**body, "data": [1]},
        lambda body: {**body, "id": "x"},
        lambda body: {**body, "data": {"id": "x"}},
        lambda body: {**body, "data": {**body["data"], "field": None, "id": None, "reason": 5}, "recordedat": None},
    ],
    ids=["no JSON", "data", "envelope", "payload", "time"],
)
def test_bytes_that_are_no_event_have_no_rows(change: Callable[[dict[str, Any]], Any]) -> None:
    body = parse_object((SAMPLES / "SessionCorrected.v1.json").read_bytes())
    assert trail_rows(TrailState(), json.dumps(body).encode())
    with pytest.raises(InvalidMessage):
        trail_rows(TrailState(), json.dumps(change(body)).encode())
