"""How long all outcomes take: of 12 participants from Postgres, cold and after one event; of 1,000 from their events.

Each participant has a full year of data. The 1,000 are read from the bytes of their events, one after the other, as a
reader as of an instant does, without the database: what that adds is what the 12 show.
"""

import dataclasses
import gc
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import psutil

from benchmarks.folds import forget
from benchmarks.full_year import full_year
from benchmarks.limits import Line
from graphql_world import World
from hepatrail_events.codec import read
from hepatrail_events.streams import STUDY
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import Passwords, prepare_databases
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.endpoints.outcomes import Facts, facts_of, outcomes
from hepatrail_projections.endpoints.reading import OutcomeReader
from hepatrail_projections.reading import Reader, fold_study_events
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject_view import fold_all
from projection_log import LogWriter, publish, sample

FEW, MANY = 12, 1_000
COLD_SECONDS, MANY_SECONDS, LIVE_SECONDS = 1.0, 30.0, 0.05
_LIVE = 15
_MEGABYTE = 1024 * 1024


async def measure_outcomes() -> list[Line]:
    """The lines of the report about the outcomes of the trial."""
    with tempfile.TemporaryDirectory() as directory:
        postgres = EmbeddedPostgres(Path(directory) / "postgres")
        try:
            dsns = await prepare_databases(await postgres.start(), Passwords("a", "b", "c", "d", "e"))
            async with World.opened(dsns, Path(directory)) as world:
                publish(world.log)
                streams = [full_year(world.log, f"S-{number:03d}") for number in range(FEW)]
                world.clock.at = world.log.now + timedelta(days=1)
                await world.project()
                return [*await _few(world, streams), *_many(world.log)]
        finally:
            await postgres.stop()


async def _few(world: World, streams: Sequence[str]) -> list[Line]:
    forget()
    begin = time.perf_counter()
    await OutcomeReader(Reader(world.tables.pool, world.clock)).outcomes(world.log.now)
    folded = time.perf_counter() - begin
    reader = OutcomeReader(Reader(world.tables.pool, world.clock))
    begin = time.perf_counter()
    read_ = await reader.outcomes()
    cold = time.perf_counter() - begin
    live = []
    for number in range(_LIVE):
        sample(world.log, streams[number % FEW], creatinine="100")
        await world.project()
        begin = time.perf_counter()
        await reader.outcomes()
        live.append(time.perf_counter() - begin)
    after = sorted(live)[_LIVE // 2]
    cells = sum(len(row.cells) for table in read_.outcomes.tables for row in table.rows)
    name = f"all outcomes of {FEW} participants, {cells:,} cells"
    return [
        Line(f"{name}, from the tables", _s(cold), f"{COLD_SECONDS:g} s", cold / COLD_SECONDS, 1.0),
        Line(f"{name}, as of an instant", _s(folded), f"{COLD_SECONDS:g} s", folded / COLD_SECONDS, 1.0),
        Line(f"{name}, after one event more", _s(after), f"{LIVE_SECONDS:g} s", after / LIVE_SECONDS, 1.0),
    ]


def _many(log: LogWriter) -> list[Line]:
    """The same participant's year a thousand times, under as many ids."""
    of_one = f"subject-S-{0:03d}".encode()
    raws = [each.value or b"" for each in log.records if each.topic == EVENTS and each.key == of_one]
    study = fold_study_events(
        [read(each.value or b"") for each in log.records if each.topic == EVENTS and each.key == STUDY.encode()]
    )
    at = log.now
    _facts(raws, study, at, 0)
    gc.collect()
    before, begin = psutil.Process().memory_info().rss, time.perf_counter()
    facts = [_facts(raws, study, at, number) for number in range(MANY)]
    found = outcomes(facts, study.published_at(at), at)
    taken = time.perf_counter() - begin
    grown = (psutil.Process().memory_info().rss - before) / _MEGABYTE
    assert found.safety_set == MANY
    name = f"all outcomes of {MANY:,} participants from {MANY * len(raws):,} events"
    return [
        Line(name, _s(taken), f"{MANY_SECONDS:g} s", taken / MANY_SECONDS, 1.0),
        Line(f"memory of them, {len(raws)} events a participant", f"{grown:+.0f} MB", ""),
    ]


def _facts(raws: Sequence[bytes], study: StudyView, at: datetime, number: int) -> Facts:
    forget()
    subject_id = f"S-{number:04d}"
    published = study.published_at(at)
    assert published is not None
    rows: SubjectRows = derive(fold_all("S-000", [read(raw) for raw in raws]), study, at)
    rows = dataclasses.replace(rows, subject=dataclasses.replace(rows.subject, subject_id=subject_id))
    return facts_of(rows, published.protocol)


def _s(taken: float) -> str:
    return f"{taken:.3f} s"
