"""Reading up to what cannot be read: a batch whose checksum is wrong is a problem of the log, not of the reader."""

from collections.abc import AsyncIterator, Sequence

from hepatrail_infra.kafka_scan import BadBatch
from hepatrail_services.audit.problems import Problem, Problems
from hepatrail_services.audit.source import HeaderRow, LogSource, Row


async def readable_rows(
    source: LogSource, topic: str, partition: int, problems: Problems, start: int | None = None
) -> AsyncIterator[Sequence[Row]]:
    """As `LogSource.rows`, up to the first batch that cannot be read, which goes to `problems`."""
    try:
        async for rows in source.rows(topic, partition, start):
            yield rows
    except BadBatch as error:
        problems.add(_problem(error, topic, partition))


async def readable_rows_with_headers(
    source: LogSource, topic: str, partition: int, problems: Problems
) -> AsyncIterator[Sequence[HeaderRow]]:
    """As `LogSource.rows_with_headers`, likewise."""
    try:
        async for rows in source.rows_with_headers(topic, partition):
            yield rows
    except BadBatch as error:
        problems.add(_problem(error, topic, partition))


def _problem(error: BadBatch, topic: str, partition: int) -> Problem:
    return Problem(error.code, topic, partition, error.offset, None, None, f"{error}; nothing behind it was read")
