"""However the log is cut, in whichever order its partitions are read, wherever the projector dies: the same rows."""

import random
from collections import defaultdict

import pytest

from hepatrail_events.codec import read
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import connection
from hepatrail_projections.derive import PARTS, derive, stored_at
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_reading import stored_rows
from hepatrail_projections.subject_view import fold_all
from projection_log import LogRecord
from projection_tables import Tables
from trial_history import history


def interleaved(records: list[LogRecord], seed: int) -> list[LogRecord]:
    """Another order in which a reader may see the log: each partition in its own order."""
    chance = random.Random(seed)
    queues: dict[tuple[str, int], list[LogRecord]] = defaultdict(list)
    for each in records:
        queues[(each.topic, each.partition)].append(each)
    found: list[LogRecord] = []
    while queues:
        key = chance.choice(list(queues))
        taken = chance.randint(1, 12)
        found += queues[key][:taken]
        queues[key] = queues[key][taken:]
        if not queues[key]:
            del queues[key]
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_any_cut_any_order_and_any_crash_give_the_rows_of_one_whole_build(tables: Tables, seed: int) -> None:
    log = history(seed, subjects=3, steps=70)
    await tables.project(interleaved(log.records, seed), size=random.Random(seed).randint(1, 9))
    live = await tables.rows()

    rebuilt = await tables.whole_build(log.records)
    assert {name: len(rows) for name, rows in live.items()} == {name: len(rows) for name, rows in rebuilt.items()}
    for name, rows in live.items():
        assert rows == rebuilt[name], name
    assert len(live["event"]) > 60
    filled = ("score", "visit", "session", "lab_result", "adverse_event", "assessment", "data_query", "alert")
    assert all(len(live[name]) > 0 for name in filled)


@pytest.mark.parametrize("seed", [4, 5])
async def test_a_projector_that_dies_between_any_two_batches_loses_and_doubles_nothing(
    tables: Tables, seed: int
) -> None:
    log = history(seed, subjects=2, steps=30)
    chance = random.Random(seed)
    records, done = log.records, 0
    while done < len(records):
        size = chance.randint(1, 40)
        # Some of it again: what was applied already is recognised by its offset.
        await tables.project(records[max(0, done - 5) : done + size], size=chance.randint(1, size))
        done += size
    live = await tables.rows()
    rebuilt = await tables.whole_build(log.records)
    for name, rows in live.items():
        assert rows == rebuilt[name], name


async def test_as_of_is_the_same_fold_of_the_events_until_then(tables: Tables) -> None:
    log = history(6, subjects=2, steps=70)
    await tables.project(log.records)
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    for when in [events[len(events) // 3].envelope.recordedat, events[-1].envelope.recordedat]:
        known = [each for each in events if each.envelope.recordedat <= when]
        study = fold_study_events([each for each in known if each.envelope.stream == STUDY])
        for subject_id in ("S-00", "S-01"):
            own = [each for each in known if each.envelope.stream == subject_stream(subject_id)]
            wanted = derive(fold_all(subject_id, own), study, when)
            answer = await tables.reader.subject(subject_id, as_of=when)
            assert answer is not None
            assert answer.version == len(own)
            assert answer.rows.visits == wanted.visits
            assert answer.rows.scores == wanted.scores
            assert answer.rows.sessions == wanted.sessions


async def test_what_the_tables_hold_is_what_the_fold_of_their_events_says(tables: Tables) -> None:
    log = history(7, subjects=3, steps=60)
    await tables.project(log.records, size=7)
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
    async with connection(tables.dsns.reader) as link:
        await link.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        for subject_id in ("S-00", "S-01", "S-02"):
            view = fold_all(subject_id, [e for e in events if e.envelope.stream == subject_stream(subject_id)])
            wanted = derive(view, study, stored_at(view, study))
            stored = (await stored_rows(link, [subject_id]))[subject_id]
            for part in PARTS:
                assert getattr(stored, part.name) == getattr(wanted, part.name), part.name


async def test_a_participant_of_whom_nothing_is_recorded_has_no_rows(tables: Tables) -> None:
    async with connection(tables.dsns.reader) as link:
        await link.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        assert await stored_rows(link, ["S-00"]) == {}
