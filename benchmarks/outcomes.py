"""How long all outcomes take: of 12 participants from Postgres, cold, after one event and folded anew; of 1,000.

Each participant has a full year of data. The rows of the 1,000 are those of one participant, copied in the tables under
as many ids; folded anew they are read from the bytes of their events, one participant after the other.
"""

import dataclasses
import gc
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.folds import forget
from benchmarks.full_year import full_year
from benchmarks.limits import Line
from graphql_world import World
from hepatrail_events.codec import read
from hepatrail_events.streams import STUDY
from hepatrail_events.types import PartialDate, Precision
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import Passwords, connection, prepare_databases
from hepatrail_projections.collecting import without_gc
from hepatrail_projections.derive import OUTCOME_PARTS, PARTS, derive_outcome_rows
from hepatrail_projections.endpoints.outcomes import Facts, facts_of, outcomes
from hepatrail_projections.endpoints.reading import OutcomeReader
from hepatrail_projections.reading import Reader, fold_study_events
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject_view import fold_all
from log_commits import adverse_event, publish, sample, start
from projection_log import LogWriter

FEW, MANY = 12, 1_000
COLD_SECONDS, MANY_SECONDS, LIVE_SECONDS = 1.0, 30.0, 0.05
FLAT = 1.1
"""The memory that twice as many events of a participant may take, as a ratio."""
_LIVE = 2 * FEW
_MEGABYTE = 1024 * 1024
_MEASURED_FOR_MEMORY = 20
_DAY_MINUTES = 24 * 60


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
                folded = _many_folded(world.log)
                return [*await _few(world, streams), await _many(world), *folded]
        finally:
            await postgres.stop()


async def _few(world: World, streams: Sequence[str]) -> list[Line]:
    reader = OutcomeReader(Reader(world.tables.pool, world.clock))
    before, cold = world.log.now, await _seconds(reader)
    name = f"all outcomes of {FEW} participants"
    lines = [_line(f"{name}, from the tables", cold, COLD_SECONDS)]
    events: dict[str, Callable[[str], object]] = {
        "a sample": lambda stream: sample(world.log, stream, creatinine="100"),
        "an adverse event": lambda stream: adverse_event(world.log, stream, onset=_within(world.log)),
        "a session": lambda stream: start(world.log, stream),
    }
    for what, happens in events.items():
        taken = []
        for number in range(_LIVE):
            happens(streams[number % FEW])
            await world.project()
            taken.append(await _seconds(reader))
        lines.append(_line(f"{name}, after {what} more", sorted(taken)[_LIVE // 2], LIVE_SECONDS))
    # Of every participant something was recorded since, so that none can be read from the tables.
    forget()
    folded = await _seconds(OutcomeReader(Reader(world.tables.pool, world.clock)), before)
    return [*lines, _line(f"{name}, as of an instant, folded anew", folded, COLD_SECONDS)]


def _within(log: LogWriter) -> PartialDate:
    """A day of the last two months, in the treatment-emergent window of some participants."""
    return PartialDate(value=f"{log.now - timedelta(days=60):%Y-%m-%d}", precision=Precision.DAY)


async def _many(world: World) -> Line:
    """The rows of one participant, under as many ids."""
    async with connection(world.tables.dsns.owner) as link:
        await link.execute(f"SET search_path TO {world.tables.schema}")
        read_of = {part.name for part in OUTCOME_PARTS}
        for part in (part for part in PARTS if part.name in read_of):
            names = ", ".join(column.name for column in part.table.columns)
            copied = names.replace("subject_id", "'M-' || number", 1)
            await link.execute(
                f"INSERT INTO {part.table.name} ({names}) SELECT {copied} FROM {part.table.name}, "
                f"generate_series(1, {MANY - FEW}) number WHERE subject_id = 'S-000'"
            )
        await link.execute("ANALYZE")
    reader = OutcomeReader(Reader(world.tables.pool, world.clock))
    taken = await _seconds(reader)
    assert (await reader.outcomes()).outcomes.safety_set == MANY
    return _line(f"all outcomes of {MANY:,} participants, from the tables", taken, MANY_SECONDS)


async def _seconds(reader: OutcomeReader, as_of: datetime | None = None) -> float:
    begin = time.perf_counter()
    await reader.outcomes(as_of)
    return time.perf_counter() - begin


def _many_folded(log: LogWriter) -> list[Line]:
    """The same participant's year a thousand times, and what twice as many events of each add to the memory."""
    stream = "subject-S-000"
    study = fold_study_events(
        [read(each.value or b"") for each in log.records if each.topic == EVENTS and each.key == STUDY.encode()]
    )
    raws, at = _raws(log, stream), log.now
    longer = LogWriter(12)
    publish(longer)
    assert full_year(longer, "S-000") == stream
    for _ in raws:
        longer.tick(_DAY_MINUTES)
        sample(longer, stream, creatinine="100")
    memory = _memory(raws, _raws(longer, stream), study, longer.now)
    begin = time.perf_counter()
    with without_gc():
        facts = [_facts(raws, study, at, number) for number in range(MANY)]
        found = outcomes(facts, study.published_at(at), at)
    taken = time.perf_counter() - begin
    assert found.safety_set == MANY
    name = f"all outcomes of {MANY:,} participants, folded anew from {MANY * len(raws):,} events"
    # No limit: who has nothing recorded since an instant is read from the tables for it, too.
    return [Line(name, f"{taken:.1f} s", ""), memory]


def _memory(raws: Sequence[bytes], longer: Sequence[bytes], study: StudyView, at: datetime) -> Line:
    """What is kept of participants beside what is kept of those with twice as many events."""
    sizes = []
    for streams in (raws, longer):
        # What the first of them leaves behind, caches above all, is no participant's.
        kept = [_facts(streams, study, at, 0)]
        tracemalloc.start()
        kept += [_facts(streams, study, at, number) for number in range(_MEASURED_FOR_MEMORY)]
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0] / _MEASURED_FOR_MEMORY)
        tracemalloc.stop()
    once, twice = sizes
    name = f"memory of a participant of {len(longer)} events, beside {len(raws)}"
    return Line(name, _mb(twice), _mb(once), twice / once, FLAT)


def _raws(log: LogWriter, stream: str) -> list[bytes]:
    return [each.value or b"" for each in log.records if each.topic == EVENTS and each.key == stream.encode()]


def _facts(raws: Sequence[bytes], study: StudyView, at: datetime, number: int) -> Facts:
    forget()
    subject_id = f"S-{number:04d}"
    published = study.published_at(at)
    assert published is not None
    rows = derive_outcome_rows(fold_all("S-000", [read(raw) for raw in raws]), study, at)
    rows = dataclasses.replace(rows, subject=dataclasses.replace(rows.subject, subject_id=subject_id))
    return facts_of(rows, published.protocol)


def _line(name: str, taken: float, limit: float) -> Line:
    return Line(name, f"{taken:.3f} s", f"{limit:g} s", taken / limit, 1.0)


def _mb(size: float) -> str:
    return f"{size / _MEGABYTE:.2f} MB"
