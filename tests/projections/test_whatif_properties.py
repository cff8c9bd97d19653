"""What holds of any trial and any two protocols: a mirror, and the same answer as a real publication."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.row_changes import RowChange, changes_between
from hepatrail_projections.whatif import ProtocolDifference
from hepatrail_projections.whatif_kinds import ECHOES, Kind
from log_commits import publish
from projection_log import LogWriter
from trial_history import history
from whatif_course import asked, other, recorded, with_point

OTHERS: tuple[Protocol, ...] = (
    shipped_protocol(),
    other(anchor="LAST_SESSION_END"),
    other(anchor="FIRST_SESSION_START", baseline_lookback_days=2),
    with_point("D7", days_before=0, days_after=3),
    other(points=[each.model_dump() for each in shipped_protocol().points if each.code != "D5"]),
    other(scores={"enabled": ("meld_3_0", "gcs"), "verbal_nt_policy": "score_1"}),
    other(safety={"ec_sae_24h": False, "related_set": ("DEFINITE",), "te_start_anchor": "T0", "regimes": ("CN_DRUG",)}),
    other(cells_per_kg=100_000_000, session_hours_high="5", endpoints={"dose_target_scope": "TOTAL"}),
)
NUMBERS = st.integers(0, len(OTHERS) - 1)
SAID = {("visit", "status"), ("visit", "deviation"), ("visit", "notices"), ("reporting_clock", "status")}


def under(protocol: Protocol, seed: int) -> LogWriter:
    """A random trial whose only protocol, from the start, is this one."""
    log, made = history(seed, subjects=2, steps=45), LogWriter(seed)
    publish(made, **protocol.model_dump())
    first = made.records[0]
    of_study = [each for each in log.records if each.topic == EVENTS and each.key == STUDY.encode()]
    log.records = [first if each is of_study[0] else each for each in log.records if each not in of_study[1:]]
    return log


def sides(found: Iterable[ProtocolDifference]) -> set[tuple[Any, ...]]:
    return {
        (each.subject_id, each.table, each.key, each.column, repr(each.now), repr(each.then), each.events)
        for each in found
    }


def mirrored(found: Iterable[ProtocolDifference]) -> set[tuple[Any, ...]]:
    return {
        (each.subject_id, each.table, each.key, each.column, repr(each.then), repr(each.now), each.events)
        for each in found
    }


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), NUMBERS, NUMBERS)
def test_swapping_the_two_protocols_mirrors_what_differs(seed: int, this: int, that: int) -> None:
    one, two = OTHERS[this], OTHERS[that]
    first, second = under(one, seed), under(two, seed)
    there, back = (asked(log, then, always=True) for log, then in ((first, two), (second, one)))
    assert sides(there) == mirrored(back)
    assert (not there) or one != two
    # Without clocks, which stay under the rules of old, it makes no difference since when.
    here, since = ([each for each in found if each.kind is not Kind.CLOCK] for found in (there, asked(first, two)))
    assert sides(here) == sides(since)


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_what_would_differ_is_what_a_real_publication_changes(number: int) -> None:
    log = history(620 + number, subjects=2, steps=70)
    before, known = log.now, list(log.records)
    publish(log, "3.0", before, **OTHERS[number].model_dump())
    at, streams = log.now, recorded(log)
    log.records = known
    found = [each for each in asked(log, OTHERS[number], at) if (each.table, each.column) not in SAID]
    changed = [
        each
        for stream, events in streams.items()
        if subject_of(stream) is not None
        for each in changes_between(events, streams[STUDY], before, at)
        if each.column not in ECHOES.get(each.table, ())
    ]
    assert found, "something differs from the version in force"
    assert {_named(each, each.now, each.then) for each in found} == {
        _named(each, each.old, each.new) for each in changed
    }


def _named(each: ProtocolDifference | RowChange, old: Any, new: Any) -> tuple[Any, ...]:
    """A difference as both tell it; a whole row names the version, and a clock's id follows from its commit."""
    key = "" if each.table == "reporting_clock" else each.key
    return (each.subject_id, each.table, key, each.column, *((repr(old), repr(new)) if each.column else ()))


@pytest.mark.parametrize("always", [False, True])
def test_every_event_that_is_named_is_the_participants_and_was_known(always: bool) -> None:
    log = history(611, subjects=3, steps=150)
    at = log.now - timedelta(days=1)
    streams = recorded(log, at)
    for protocol in OTHERS:
        for each in asked(log, protocol, at, always=always):
            own = {event.envelope.id: event.envelope for event in streams[f"subject-{each.subject_id}"]}
            assert all(own[event.event_id].streamseq == event.streamseq for event in each.events)
            places = [event.streamseq for event in each.events]
            assert places == sorted(set(places))
            assert each.now != each.then
            assert each.kind is not Kind.OTHER, (each.table, each.column)
