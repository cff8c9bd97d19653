"""What changed between two instants, and because of what: corrections, protocol versions, time alone."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.codec import Recorded, read
from hepatrail_events.measurements import (
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    Measured,
    RejectReason,
)
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import SiteActivated, SiteDeactivated
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.row_changes import SEALED as SEALED_REASON
from hepatrail_projections.row_changes import RowChange, changes_between
from hepatrail_projections.row_values import plain
from hepatrail_projections.subject_reading import open_at
from hepatrail_projections.subject_view import fold_all
from log_commits import acknowledge, adverse_event, alert, enrol, publish, sample, start
from projection_log import SEALED, LogWriter
from trial_history import history

STREAM = subject_stream("S-00")
MOMENT = timedelta(milliseconds=1)
NO_VALUE = {"version", "recorded_at", "protocol_version"}


def recorded(log: LogWriter) -> list[Recorded]:
    return [read(each.value or b"") for each in log.records if each.topic == EVENTS]


def of(events: Iterable[Recorded], stream: str) -> list[Recorded]:
    return [each for each in events if each.envelope.stream == stream]


def changed(log: LogWriter, t1: datetime, t2: datetime, stream: str = STREAM) -> list[RowChange]:
    events = recorded(log)
    return list(changes_between(of(events, stream), of(events, STUDY), t1, t2))


def told(changes: Iterable[RowChange], table: str, column: str | None) -> list[tuple[Any, Any]]:
    return [(each.old, each.new) for each in changes if (each.table, each.column) == (table, column)]


@pytest.fixture
def log() -> LogWriter:
    """A participant with one laboratory result."""
    log = LogWriter(401)
    publish(log)
    enrol(log, "S-00")
    return log


def correct(log: LogWriter, result_id: object, value: str) -> None:
    body = {"id": result_id, "field": "value", "newValue": value, "reason": SEALED, "accepted": True}
    log.commit(STREAM, LabResultCorrected.from_payload(body), actor="dr-wu", role="COORDINATOR")


def test_aud_12_a_correction_names_its_event_its_actor_and_its_reason(log: LogWriter) -> None:
    (result_id,) = sample(log, STREAM, creatinine="51.3")
    then = log.now
    log.tick(60 * 24)
    correct(log, result_id, "17.1")
    changes = changed(log, then, log.now)
    assert told(changes, "lab_result", "canonical_value") == [("51.3", "17.1")]
    assert told(changes, "lab_result", "value") == [("51.3", "17.1")]
    last = of(recorded(log), STREAM)[-1].envelope
    for each in changes:
        (cause,) = each.causes
        assert (each.subject_id, cause.event_id, cause.streamseq) == ("S-00", last.id, last.streamseq)
        assert (cause.type, cause.stream) == ("LabResultCorrected", STREAM)
        assert (cause.actor_id, cause.actor_role, cause.recorded_at) == ("dr-wu", "COORDINATOR", log.now)
        assert cause.why == SEALED_REASON
    assert {each.key for each in changes if each.table == "lab_result"} == {str(result_id)}


def test_of_several_events_only_those_on_which_the_value_rests_are_named(log: LogWriter) -> None:
    first, second = (sample(log, STREAM, creatinine=value)[0] for value in ("51.3", "60"))
    then = log.now
    correct(log, first, "17.1")
    correct(log, second, "18")
    changes = changed(log, then, log.now)
    values = {each.key: each for each in changes if (each.table, each.column) == ("lab_result", "canonical_value")}
    assert [cause.streamseq for cause in values[str(first)].causes] == [5]
    assert [cause.streamseq for cause in values[str(second)].causes] == [6]


def test_a_row_is_new_or_gone_as_a_whole(log: LogWriter) -> None:
    then = log.now
    (result_id,) = sample(log, STREAM, creatinine="51.3")
    (new,) = [each for each in changed(log, then, log.now) if each.table == "lab_result"]
    assert (new.column, new.old, new.key) == (None, None, str(result_id))
    assert new.new is not None
    assert (new.new["canonical_value"], "event_ids" in new.new) == ("51.3", False)
    assert [cause.type for cause in new.causes] == ["LabResultsRecorded"]


def test_a_query_that_was_settled_names_what_happened_meanwhile(log: LogWriter) -> None:
    bad = Measured(
        result_id=log.uuid(),
        code="creatinine",
        value="51",
        unit="g",
        accepted=False,
        reject_reason=RejectReason.UNIT_UNKNOWN,
    )
    log.commit(
        STREAM,
        LabResultsRecorded(sample_id=log.uuid(), collected_at=log.now, laboratory="Central", results=(bad,)),
    )
    log.tick(60 * 24 * 30)
    then = log.now
    log.commit(STREAM, LabResultVoided(id=bad.result_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED))
    settled = [each for each in changed(log, then, log.now) if each.table == "data_query"]
    assert settled, "a unit that cannot be is asked about"
    for each in settled:
        assert [(cause.type, cause.why) for cause in each.causes] == [
            ("LabResultVoided", f"DUPLICATE, {SEALED_REASON}")
        ]


def test_aud_12_a_protocol_version_is_named_also_when_it_was_published_long_before(log: LogWriter) -> None:
    start(log, STREAM, viable_cells=11_500_000_000)
    effective = log.now + timedelta(days=2)
    publish(log, "2.0", effective, dose_tolerance="0.05")
    changes = changed(log, effective - MOMENT, effective)
    assert told(changes, "session", "in_tolerance") == [(True, False)]
    assert told(changes, "subject", "protocol_version") == [("1.0", "2.0")]
    publication = of(recorded(log), STUDY)[-1].envelope
    for each in changes:
        assert [(cause.event_id, cause.why) for cause in each.causes] == [(publication.id, "first version")]
    assert not [each for each in changes if each.column == "protocol_version" and each.table != "subject"]
    assert changed(log, effective, effective + timedelta(days=1)) == []


def test_a_correction_and_a_protocol_version_at_once_are_told_apart(log: LogWriter) -> None:
    (result_id,) = sample(log, STREAM, creatinine="51.3")
    start(log, STREAM, viable_cells=11_500_000_000)
    then = log.now
    publish(log, "2.0", log.now, dose_tolerance="0.05")
    correct(log, result_id, "17.1")
    by_column = {
        (each.table, each.column): {cause.type for cause in each.causes} for each in changed(log, then, log.now)
    }
    assert by_column[("session", "in_tolerance")] == {"ProtocolPublished"}
    assert by_column[("lab_result", "canonical_value")] == {"LabResultCorrected"}


def test_aud_12_time_alone_changes_a_value_without_any_event() -> None:
    log = history(402, subjects=1, steps=60)
    events = recorded(log)
    own, end = of(events, STREAM), log.now + timedelta(days=365)
    rows = derive(fold_all("S-00", own), fold_study_events(of(events, STUDY)), end)
    opening = [row.opens_at for row in rows.queries if row.opens_at is not None and row.opens_at > log.now]
    assert opening, "some query opens after the last event"
    at = min(opening)
    changes = changed(log, at - MOMENT, at)
    assert {(each.table, each.column, each.old) for each in changes} >= {("data_query", None, None)}
    assert {each.causes for each in changes} == {()}
    assert changed(log, at, at + MOMENT) == []
    # A version that takes effect later has no part in it.
    log.now = at - timedelta(seconds=10)
    publish(log, "3.0", at + timedelta(days=1))
    assert log.now < at
    assert {each.causes for each in changed(log, at - timedelta(seconds=10), at)} == {()}


def test_an_alert_that_an_officer_saw_and_a_site_that_was_closed_are_named(log: LogWriter) -> None:
    log.commit(STUDY, SiteActivated(site_id="BFH", approval_ref="EC-1"), actor="root", role="ADMIN")
    raised = alert(log, 1, adverse_event(log, STREAM), "S-00")
    then = log.now
    acknowledge(log, raised, "dr-chen")
    log.commit(STUDY, SiteDeactivated(site_id="BFH", reason="no more beds"), actor="root", role="ADMIN")
    seen = {each.column: each for each in changed(log, then, log.now, SAFETY_DESK)}
    assert (seen["acknowledged_by"].subject_id, seen["acknowledged_by"].key) == ("S-00", str(raised))
    assert (seen["acknowledged_by"].old, seen["acknowledged_by"].new) == (None, "dr-chen")
    assert [(each.type, each.actor_id) for each in seen["acknowledged_by"].causes] == [("AlertAcknowledged", "dr-chen")]
    closed = {each.column: each for each in changed(log, then, log.now, STUDY)}
    assert (closed["active"].subject_id, closed["active"].key, closed["active"].new) == (None, "BFH", False)
    assert [(each.actor_id, each.why) for each in closed["active"].causes] == [("root", "no more beds")]


def is_value(table: str, column: str) -> bool:
    known = column not in NO_VALUE or (table, column) == ("subject", "protocol_version")
    return known and not column.endswith(("event_ids", "event_id"))


def values(rows: SubjectRows | None) -> dict[tuple[str, Any, str], Any]:
    """Every value by table, key and column; the row itself under no column."""
    found: dict[tuple[str, Any, str], Any] = {}
    for table, some in rows.by_table() if rows is not None else ():
        columns = [
            each.name for each in table.columns if each.name not in table.key and is_value(table.name, each.name)
        ]
        for row in some:
            key = table.key_of(row)
            found |= {(table.name, key, column): plain(getattr(row, column)) for column in columns}
            found[(table.name, key, "")] = True
    return found


def as_of(events: list[Recorded], when: datetime) -> SubjectRows | None:
    """The participant from the very beginning, with nothing remembered."""
    known = [each for each in events if each.envelope.recordedat <= when]
    own = of(known, STREAM)
    return open_at(derive(fold_all("S-00", own), fold_study_events(of(known, STUDY)), when), when) if own else None


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000))
def test_aud_12_exactly_the_values_that_differ_are_told_and_their_causes_lie_between(seed: int) -> None:
    log = history(seed, subjects=1, steps=40)
    events = recorded(log)
    chance = random.Random(seed)
    moments = sorted(chance.sample(sorted({each.envelope.recordedat for each in events}), 4))
    for t1, t2 in pairwise(moments):
        changes = changed(log, t1, t2)
        before, after = values(as_of(events, t1)), values(as_of(events, t2))
        wanted = {place for place in {*before, *after} if before.get(place) != after.get(place)}
        whole = {place[:2] for place in wanted if place[2] == ""}
        columns = {(table, _text(key), column) for table, key, column in wanted if (table, key) not in whole}
        assert {(each.table, each.key, each.column) for each in changes if each.column is not None} == columns
        assert {(each.table, each.key) for each in changes if each.column is None} == {
            (table, _text(key)) for table, key in whole
        }
        publications = {each.envelope.id for each in of(events, STUDY)}
        for each in changes:
            for cause in each.causes:
                assert t1 < cause.recorded_at <= t2 or cause.event_id in publications
        assert changes == list(
            changes_between(
                [each for each in of(events, STREAM) if each.envelope.recordedat <= t2],
                [each for each in of(events, STUDY) if each.envelope.recordedat <= t2],
                t1,
                t2,
            )
        )


def _text(key: Any) -> str:
    """A key as changes name it: what comes behind the participant."""
    return "|".join(map(str, key[1:])) if isinstance(key, tuple) else ""
