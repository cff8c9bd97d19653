"""A sealed log to tamper with: one participant's event in the middle of it, and where it stands."""

from forging import rows_of
from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_events.transparency.seal import open_seal
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_services.audit.problems import Report
from hepatrail_services.audit.source import HeaderRow, MemorySource
from sealed_log import KEY, SealedLog, partition_and_index, sealed_history

STREAM, SEQ = "subject-S-05", 6
NEIGHBOUR = "subject-S-06"
LOG = sealed_history(3, subjects=8, steps=160)
SOURCE = LOG.source()
PARTITION, INDEX = partition_and_index(SOURCE, STREAM, SEQ)


def copy() -> tuple[MemorySource, list[HeaderRow]]:
    """A copy of the log, and in it the partition that is tampered with; STREAM and NEIGHBOUR live there."""
    source = MemorySource({place: list(rows) for place, rows in SOURCE.topics.items()})
    return source, rows_of(source, EVENTS, PARTITION)


def taken(log: SealedLog, seal: int = -1) -> tuple[Checkpoint, ...]:
    """The checkpoints of a seal, as an auditor took them away."""
    opened = open_seal(log.seals[seal], [KEY.public])
    return (*opened.trees, opened.history)


def codes(report: Report) -> list[str]:
    return [problem.code for problem in report.problems]


def place(report: Report) -> tuple[str, int, int | None, str | None, int | None]:
    """Where the first problem is."""
    first = report.problems[0]
    return first.topic, first.partition, first.offset, first.stream, first.streamseq


def offset_of(stream: str, seq: int) -> int:
    partition, index = partition_and_index(SOURCE, stream, seq)
    return rows_of(SOURCE, EVENTS, partition)[index][0]
