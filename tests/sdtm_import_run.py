"""One run of `hepatrail import sdtm`: the files that go in, what it says, and the events in Kafka."""

import asyncio
import csv
import gzip
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hepatrail_events import codec
from hepatrail_events.codec import Recorded
from hepatrail_events.streams import subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from logbook import committed

Row = dict[str, str]


@dataclass(frozen=True)
class Import:
    """One run of the command: what it wrote and printed."""

    refused: list[Row]
    findings: list[Row]
    output: str


async def run_import(directory: Path, data_dir: Path, out: Path, *flags: str) -> Import:
    """`hepatrail import sdtm`, which must end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "hepatrail_cli", "import", "sdtm", str(directory), "--data-dir", str(data_dir)),
        *("--refused", str(out / "refused.csv"), "--findings", str(out / "findings.csv"), *flags),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return Import(rows_of(out / "refused.csv"), rows_of(out / "findings.csv"), output.decode())


def rows_of(path: Path) -> list[Row]:
    """A table of CSV, compressed or not."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_domains(directory: Path, domains: Mapping[str, list[str]]) -> None:
    """A directory of domains, each given by its lines."""
    directory.mkdir(exist_ok=True)
    for name, lines in domains.items():
        (directory / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_rows(directory: Path, domains: Mapping[str, list[Row]]) -> None:
    """A directory of domains, each given by its rows, of which there is one at least."""
    directory.mkdir(exist_ok=True)
    for name, rows in domains.items():
        with (directory / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, list(rows[0]))
            table.writeheader()
            table.writerows(rows)


async def events_of_subjects(kafka: str, subjects: Iterable[str]) -> list[Recorded]:
    """The events of these participants."""
    streams = {subject_stream(subject) for subject in subjects}
    return [one for one in await all_events(kafka) if one.envelope.stream in streams]


async def all_events(kafka: str) -> list[Recorded]:
    """Every event, partition by partition: another order of arrival is no difference."""
    records = sorted(await committed(kafka, EVENTS), key=lambda record: (record.partition, record.offset))
    return [codec.read(record.value) for record in records]
