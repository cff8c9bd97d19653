"""The digests of the projections that follow from a log: the same before an export and after an import (RET-01)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiokafka import TopicPartition

from hepatrail_events.streams import STUDY
from hepatrail_infra.kafka_admin import EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.postgres import connection
from hepatrail_projections.collecting import without_gc
from hepatrail_projections.digests import digests
from hepatrail_projections.records import READ_TOPICS
from hepatrail_projections.replay import thrown_away
from hepatrail_services.audit.source import LogSource

Progress = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and how much there is."""

_FIRST = (TopicPartition(QUARANTINE, 0), TopicPartition(EVENTS, partition_of(STUDY)))
"""Releases, so that what they concern never halts; then the protocol, so that no participant is derived twice."""


class Fed(NamedTuple):
    """A record as a projector takes it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


async def projected_digests(source: LogSource, owner_dsn: str, progress: Progress | None = None) -> dict[str, str]:
    """Projects a whole log into a schema that is thrown away; the portable digest of every table by name.

    Raises Unavailable, and InvalidMessage when the log is one at which projectors halt.
    """
    order = (*_FIRST, *(each for each in READ_TOPICS if each not in _FIRST))
    async with connection(owner_dsn, name="bundle") as owner, thrown_away(owner, owner_dsn) as build:
        for done, (topic, partition) in enumerate(order):
            if progress is not None:
                progress("project", done, len(order))
            async for rows in source.rows_with_headers(topic, partition):
                with without_gc():
                    await build.apply([Fed(topic, partition, *row) for row in rows])
        return await digests(build.connection, build.projection.schema, portable=True)
