"""The outcomes of a reader that remembers, over a trial that goes on: those that a plain fold of the events gives."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from graphql_world import World
from hepatrail_events.codec import Recorded, read
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import Dsns
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.derive import derive
from hepatrail_projections.endpoints.outcomes import facts_of, outcomes
from hepatrail_projections.endpoints.reading import OutcomeReader
from hepatrail_projections.reading import Reader, fold_study_events
from hepatrail_projections.subject_view import fold_all
from projection_log import LogWriter
from trial_history import history

STEPS = 12


@pytest.fixture
async def world(dsns: Dsns, tmp_path: Path) -> AsyncIterator[World]:
    async with World.opened(dsns, tmp_path) as opened:
        yield opened


def folded(log: LogWriter, at: datetime) -> tuple[Table, ...]:
    """The tables from nothing but the events recorded until an instant, all of each participant's rows derived."""
    streams: dict[str, list[Recorded]] = {}
    for each in log.records:
        if each.topic == EVENTS:
            recorded = read(each.value or b"")
            if recorded.envelope.recordedat <= at:
                streams.setdefault(recorded.envelope.stream, []).append(recorded)
    study = fold_study_events(streams[STUDY])
    published = study.published_at(at)
    assert published is not None
    views = [fold_all(who, streams[stream]) for stream in streams if (who := subject_of(stream)) is not None]
    facts = [facts_of(derive(view, study, at), published.protocol) for view in views]
    return outcomes(facts, published, at).tables


@pytest.mark.parametrize("seed", [5, 23])
async def test_what_is_remembered_and_what_the_tables_hold_change_no_answer(world: World, seed: int) -> None:
    """Seed 23 goes on under another version of the protocol; instants of the past are asked in between."""
    records = history(seed, subjects=4, steps=120).records
    reader = OutcomeReader(Reader(world.tables.pool, world.clock))
    seen, past = set[str](), list[datetime]()
    for step in range(1, STEPS + 1):
        world.log.records = records[: len(records) * step // STEPS]
        world.log.now = max(
            read(each.value or b"").envelope.recordedat for each in world.log.records if each.topic == EVENTS
        )
        world.clock.at = world.log.now
        await world.project()
        live = (await reader.outcomes()).outcomes
        assert live.tables == folded(world.log, world.log.now)
        seen.add(repr(live.tables))
        past.append(world.log.now)
        for at in past[::3]:
            assert (await reader.outcomes(at)).outcomes.tables == folded(world.log, at)
        assert (await reader.outcomes()).outcomes.tables == live.tables
    assert len(seen) > STEPS // 2
