"""`hepatrail status`: how far everything is, what is parked, and whether that is well."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from aiokafka import TopicPartition
from rich.console import Console
from rich.table import Table

from hepatrail_cli.health import Answer, ask_all
from hepatrail_cli.shell import DEFAULT_DATA_DIR, FAILED, DataDir, run
from hepatrail_cli.stack_files import RUN, read_run, stack_settings
from hepatrail_infra.clock import make_clock
from hepatrail_infra.kafka_admin import COMMANDS, PARTITIONS
from hepatrail_infra.kafka_wire import Wire
from hepatrail_infra.postgres import reader_pool
from hepatrail_infra.settings import Settings, need, secret
from hepatrail_projections.meta import SafetyStatus
from hepatrail_projections.reading import Reader, StatusRead
from hepatrail_projections.version import PROJECTION_VERSION
from hepatrail_services.decider.setting import GROUP

STATUS_SECONDS = 10.0
"""Age from which the safety process's row no longer counts (DESIGN section 3)."""


@dataclass(frozen=True, slots=True)
class Lag:
    """One partition of one reader: where it is, and the end of what is committed."""

    reader: str
    topic: str
    partition: int
    position: int
    end: int

    @property
    def behind(self) -> int:
        """How many offsets are still to be read."""
        return max(0, self.end - self.position)


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `hepatrail status` shows."""

    processes: dict[str, Answer]
    lags: tuple[Lag, ...]
    projection: StatusRead

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each thing that is not well; lag alone is none."""
        found = [
            f"{name} is unhealthy: {dict(each.detail)}" for name, each in self.processes.items() if not each.healthy
        ]
        found += [
            f"{each.stream or 'a record'} is parked: {each.code} at {each.topic}/{each.partition}@{each.kafka_offset}"
            for each in self.projection.parked
        ]
        return (*found, *safety_problems(self.projection.safety))


def safety_problems(safety: SafetyStatus | None) -> tuple[str, ...]:
    """What is wrong with the safety process, by its own row."""
    if safety is None:
        return ("the safety process has never run",)
    found = []
    if safety.age_seconds is None or safety.age_seconds > STATUS_SECONDS:
        found.append(f"the safety process has not reported for {safety.age_seconds:.0f} s")
    if not safety.safety_healthy:
        found.append(f"the safety processor is unhealthy: {safety.detail or 'no reason given'}")
    if not safety.scheduler_healthy:
        found.append("the scheduler is unhealthy")
    return tuple(found)


def status(
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show lag, health, what is live and what is parked; exit code 1 when something is not well."""
    found = run(_status(data_dir))
    if json:
        typer.echo(orjson.dumps(as_json(found), default=str).decode())
    else:
        _show(found, Console())
    if found.problems:
        raise typer.Exit(FAILED)


async def _status(data_dir: Path) -> Status:
    settings = stack_settings(data_dir)
    pages: dict[str, str] = read_run(data_dir)["health"] if (data_dir / RUN).exists() else {}
    pool = await reader_pool(secret(settings.postgres_reader, "postgres_reader"), size=1, name="status")
    try:
        projection = await Reader(pool, make_clock(settings.simulated_clock)).status()
    finally:
        await pool.close()
    return Status(await ask_all(pages), await _lags(settings, projection), projection)


async def _lags(settings: Settings, projection: StatusRead) -> tuple[Lag, ...]:
    commands = [TopicPartition(COMMANDS, partition) for partition in range(PARTITIONS)]
    projected = {TopicPartition(row.topic, row.partition): row.next_offset for row in projection.offsets}
    async with Wire(need(settings.kafka, "kafka"), patience=5) as wire:
        ends = await wire.stable_ends([*commands, *projected])
        first = await wire.beginnings(commands)
        decided = await wire.committed(GROUP, commands)
    lags = [Lag("decider", tp.topic, tp.partition, decided[tp] or first[tp], ends[tp]) for tp in commands]
    lags += [Lag("projector", tp.topic, tp.partition, position, ends[tp]) for tp, position in projected.items()]
    return tuple(lags)


def as_json(found: Status) -> dict[str, Any]:
    """The status as JSON values; raw bytes of parked records are left out."""
    projection = found.projection
    return {
        "healthy": not found.problems,
        "problems": found.problems,
        "processes": {name: {"healthy": each.healthy, **each.detail} for name, each in found.processes.items()},
        "lag": [{**asdict(each), "behind": each.behind} for each in found.lags],
        "projection": {
            "version": PROJECTION_VERSION,
            "schema": projection.schema,
            "completeTo": projection.complete_to,
            "deskVersion": projection.desk_version,
            "deskAlertSeq": projection.desk_alert_seq,
        },
        "safety": None if projection.safety is None else asdict(projection.safety),
        "parked": [
            {
                "stream": each.stream,
                "topic": each.topic,
                "partition": each.partition,
                "offset": each.kafka_offset,
                "code": each.code,
                "reason": each.reason,
            }
            for each in projection.parked
        ],
    }


def _show(found: Status, console: Console) -> None:
    projection = found.projection
    table = Table("process", "health", title="Processes", title_justify="left")
    for name, answer in found.processes.items():
        table.add_row(name, "[green]healthy" if answer.healthy else f"[bold red]unhealthy[/] {dict(answer.detail)}")
    if found.processes:
        console.print(table)
    table = Table("reader", "topic", "at", "behind", "by partition", title="Lag", title_justify="left")
    for (reader, topic), lags in _grouped(found.lags).items():
        position, behind = sum(each.position for each in lags), sum(each.behind for each in lags)
        table.add_row(reader, topic, str(position), str(behind), " ".join(str(each.behind) for each in lags))
    console.print(table)
    console.print(
        f"Live: {projection.schema} (version {PROJECTION_VERSION}), complete to {_moment(projection.complete_to)}; "
        f"desk at version {projection.desk_version}, alerts to #{projection.desk_alert_seq}"
    )
    safety = projection.safety
    if safety is not None:
        console.print(
            f"Safety: desk in Kafka at version {safety.desk_version}, alerts to #{safety.desk_alert_seq}; "
            f"processed to {_moment(safety.processed_to)}, scheduled to {_moment(safety.scheduled_to)}"
        )
    for problem in found.problems:
        console.print(f"[bold red]![/] {problem}", highlight=False)
    if not found.problems:
        console.print("[green]All is well.")


def _grouped(lags: tuple[Lag, ...]) -> dict[tuple[str, str], list[Lag]]:
    groups: dict[tuple[str, str], list[Lag]] = {}
    for each in sorted(lags, key=lambda lag: (lag.reader, lag.topic, lag.partition)):
        groups.setdefault((each.reader, each.topic), []).append(each)
    return groups


def _moment(value: datetime | None) -> str:
    return "-" if value is None else value.isoformat(timespec="milliseconds")
