"""Trials in a real Postgres, projected by the real projector: what lies in `event`, and the tables of outcomes."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from event_recount.comparison import differences
from event_recount.events import read_log
from event_recount.expected import Cells
from event_recount.recount import recount
from hepatrail_events.codec import Recorded
from hepatrail_events.streams import STUDY
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.postgres import Passwords, connection, prepare_databases
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.endpoints.reading import OutcomeReader
from hepatrail_projections.reading import Reader
from projection_log import LogRecord
from projection_tables import Tables

_PASSWORDS = Passwords("owner", "writer", "reader", "use", "destroy")
_SCORES = ("MELD_2002", "GCS", "SOFA_1996", "APACHE_II_1985")
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "analysis sets": ("ANALYSIS_SETS", "EVALUABLE"),
    "adverse events": ("TEAE_",),
    "survival": ("OVERALL_", "CRUDE_", "TRANSPLANT_", "CUMULATIVE_", "DEATHS_"),
    "change of scores": tuple(f"CHANGE_{score}" for score in _SCORES),
    "change of laboratory analytes": ("CHANGE_",),
    "exposure": ("EXPOSURE_",),
}
"""How the codes of their tables begin; the first that fits is meant."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A trial at one instant: the product's tables, and the recount of them."""

    tables: tuple[Table, ...]
    cells: Cells

    def differences(self, family: str) -> list[str]:
        """What differs in the tables of a family; of much the beginning."""
        tables = [table for table in self.tables if _family(table.code) == family]
        cells = {key: cell for key, cell in self.cells.items() if _family(key[0]) == family}
        assert tables, f"there are no tables of {family}"
        return differences(tables, cells)[:20]

    def counts(self) -> dict[str, int]:
        """The cells with somebody in them, by family."""
        return Counter(_family(key[0]) for key, cell in self.cells.items() if cell.behind)

    def flags(self) -> set[str]:
        """All that a reader is to know of some cell."""
        return {flag for cell in self.cells.values() for flag in cell.flags}


def _family(code: str) -> str:
    return next(family for family, begins in FAMILIES.items() if code.startswith(begins))


@asynccontextmanager
async def projected(postgres_dsn: str, streams: Mapping[str, Sequence[Recorded]]) -> AsyncIterator[Tables]:
    """A database into which the events were projected; it goes with the context."""
    name = f"t{uuid4().hex[:12]}"
    databases = name, f"{name}_vault"
    dsns = await prepare_databases(postgres_dsn, _PASSWORDS, database=databases[0], vault_database=databases[1])
    tables = await Tables.create(dsns)
    try:
        await tables.project(_as_records(streams))
        yield tables
    finally:
        await tables.close()
        async with connection(postgres_dsn) as admin:
            for database in databases:
                await admin.execute(f"DROP DATABASE {database} WITH (FORCE)")


async def counted_at(tables: Tables, at: datetime) -> Counted:
    """The trial as of an instant: the product folds the events of every participant anew."""
    return await _counted(tables, OutcomeReader(Reader(tables.pool)), at, at)


async def counted_now(tables: Tables, now: datetime) -> Counted:
    """The trial now: the product reads what the projector keeps."""
    return await _counted(tables, OutcomeReader(Reader(tables.pool, _Clock(now))), None, now)


@dataclass(frozen=True, slots=True)
class _Clock:
    at: datetime
    label: str = ""

    def now(self) -> datetime:
        return self.at


async def _counted(tables: Tables, reader: OutcomeReader, as_of: datetime | None, at: datetime) -> Counted:
    read = await reader.outcomes(as_of)
    async with tables.pool.acquire() as link:
        log = await read_log(link, tables.schema, at)
    return Counted(read.outcomes.tables, recount(log))


def _as_records(streams: Mapping[str, Sequence[Recorded]]) -> list[LogRecord]:
    """The protocol first, without which every participant would be derived twice."""
    offsets: Counter[int] = Counter()
    made = []
    for stream in sorted(streams, key=lambda each: each != STUDY):
        partition = partition_of(stream)
        for recorded in streams[stream]:
            headers = tuple(recorded.envelope.headers())
            made.append(LogRecord(EVENTS, partition, offsets[partition], stream.encode(), recorded.raw, headers))
            offsets[partition] += 1
    return made
