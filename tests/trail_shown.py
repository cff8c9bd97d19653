"""The trail of a log in memory, and what its rows show."""

from typing import Any

from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.trail.row import TrailRow
from hepatrail_projections.trail.rows import trail_rows
from hepatrail_projections.trail.state import TrailState
from log_commits import publish
from projection_log import LogWriter


def study_log() -> LogWriter:
    """A study with its protocol."""
    log = LogWriter(81)
    publish(log)
    return log


def trail(log: LogWriter, stream: str) -> list[TrailRow]:
    """All rows of a stream."""
    state = TrailState()
    raws = [each.value or b"" for each in log.records if each.topic == EVENTS and each.key == stream.encode()]
    return [row for raw in raws for row in trail_rows(state, raw)]


def last_rows(log: LogWriter, stream: str) -> list[TrailRow]:
    """The rows of the stream's last event."""
    rows = trail(log, stream)
    return [row for row in rows if row.streamseq == rows[-1].streamseq]


def shown(rows: list[TrailRow]) -> list[tuple[str, Any, Any]]:
    """Field, old and new value."""
    return [(row.field, row.old, row.new) for row in rows]
