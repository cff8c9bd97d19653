"""How fast a projection is built again, beside a loop that only reads the log and inserts the finished rows."""

import tempfile
import time
from pathlib import Path

from benchmarks.limits import Line
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.kafka_admin import EVENTS, ensure_topics
from hepatrail_infra.kafka_log import LogReader
from hepatrail_infra.postgres import Passwords, connection, prepare_databases
from hepatrail_projections.catalog import CATALOG
from hepatrail_projections.catch_up import catch_up
from hepatrail_projections.rebuild import rebuild
from hepatrail_projections.records import READ_TOPICS
from hepatrail_projections.schema import create_schema, schema_name
from log_commits import adverse_event, enrol, publish, sample, start
from projection_kafka import producing
from projection_log import LogWriter, produce
from projection_tables import Tables

SUBJECTS, STEPS = 100, 150
LIMIT = 0.4
_AT_ONCE = 5_000
_BESIDE = schema_name(build=77)
_SENT_AT_ONCE = 2_000


def _year() -> LogWriter:
    """Many participants' samples, a session and adverse events: 15,000 commits."""
    log = LogWriter(7)
    publish(log)
    streams = [enrol(log, f"S-{number:03d}") for number in range(SUBJECTS)]
    for step in range(STEPS):
        log.tick(60 * 8)
        for stream in streams:
            if step == 5:
                start(log, stream)
            elif step % 10 == 9:
                adverse_event(log, stream)
            else:
                sample(log, stream, creatinine="100", tbil="50", inr="1.5", alt=("30", "U/L"))
    return log


async def measure_rebuild() -> list[Line]:
    """The line of the report about rebuilding."""
    with tempfile.TemporaryDirectory() as directory:
        postgres, kafka = EmbeddedPostgres(Path(directory) / "postgres"), EmbeddedKafka(Path(directory) / "kafka")
        try:
            return [await _measure(await kafka.start(), await postgres.start())]
        finally:
            await kafka.stop()
            await postgres.stop()


async def _measure(bootstrap: str, admin_dsn: str) -> Line:
    await ensure_topics(bootstrap)
    tables = await Tables.create(await prepare_databases(admin_dsn, Passwords("a", "b", "c", "d", "e")))
    log = _year()
    async with producing(bootstrap) as producer:
        for begin in range(0, len(log.records), _SENT_AT_ONCE):
            await produce(producer, log.records[begin : begin + _SENT_AT_ONCE])
    engine = await tables.engine()
    await catch_up(engine, bootstrap)
    await engine.close()

    built = 0.0

    def progress(what: str, _done: int, _total: int) -> None:
        nonlocal built
        if what == "build":
            built = time.perf_counter()

    begin_at = time.perf_counter()
    report = await rebuild(bootstrap, tables.dsns.owner, progress=progress)
    ours = built - begin_at
    if not report.switched:
        raise RuntimeError(f"the rebuild differs: {report.differences}")
    bare = await _bare(bootstrap, tables, report.schema, len(log.records))
    await tables.close()
    events = sum(record.topic == EVENTS for record in log.records)
    rate = f"{events / ours:,.0f} events/s"
    name = f"rebuild of {events:,} events"
    return Line(name, rate, f"{events / bare:,.0f} events/s", bare / ours, LIMIT, at_most=False)


async def _bare(bootstrap: str, tables: Tables, schema: str, records: int) -> float:
    """Seconds to read the whole log and insert every row of a schema, prepared beforehand."""
    rows = await tables.rows(schema)
    prepared = {table: table.arrays(rows[table.name]) for table in CATALOG if rows.get(table.name)}
    async with connection(tables.dsns.owner) as owner:
        async with owner.transaction():
            await create_schema(owner, _BESIDE)
        await owner.execute("SELECT set_config('search_path', $1, false)", _BESIDE)
        await owner.execute("SET synchronous_commit = off")
        begin = time.perf_counter()
        reader, got = LogReader(bootstrap), 0
        await reader.start(dict.fromkeys(READ_TOPICS, 0))
        while got < records:
            got += sum(map(len, (await reader.getmany(100, _AT_ONCE)).values()))
        await reader.stop()
        for table, columns in prepared.items():
            for first in range(0, len(columns[0]), _AT_ONCE):
                await owner.execute(table.upsert_sql, *[each[first : first + _AT_ONCE] for each in columns])
        return time.perf_counter() - begin
