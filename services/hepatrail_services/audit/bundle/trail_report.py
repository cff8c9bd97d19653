"""The audit trail of a stream in the report: who, when, which field, from which value to which, and why (AUD-01)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from hepatrail_events.codec import Recorded
from hepatrail_events.types import format_instant
from hepatrail_projections.trail.row import TrailRow
from hepatrail_projections.trail.rows import trail_rows
from hepatrail_projections.trail.state import TrailState
from hepatrail_services.audit.bundle.html import Values, cells, paragraph

_COLUMNS: Final = ("event", "recordedAt", "by", "type", "object", "field", "oldValue", "newValue", "reason")


def trail(events: Sequence[Recorded], values: Values) -> Iterator[str]:
    """A row a field to which an event gave another value; what it says of an object for the first time is one row."""
    if not events:
        yield paragraph("Audit trail: none.")
        return
    head = "".join(f'<th scope="col">{each}</th>' for each in _COLUMNS)
    yield f"<table><caption>Audit trail</caption><thead><tr>{head}</tr></thead>\n"
    state = TrailState()
    for recorded in events:
        yield from _event(trail_rows(state, recorded.raw), values)
    yield "</table>\n"


def _event(rows: Sequence[TrailRow], values: Values) -> Iterator[str]:
    told = [*_first_values(rows, values), *(_changed(row, values) for row in rows if row.old is not None)]
    first, span = rows[0], f' rowspan="{len(told)}"' if len(told) > 1 else ""
    org = f", {first.actor_org}" if first.actor_org else ""
    shared = (format_instant(first.recorded_at), f"{first.actor_id} ({first.actor_role}{org})", first.event_type)
    yield f'<tbody><tr><th scope="rowgroup"{span}>{first.streamseq}</th>{cells(shared, span)}'
    yield "<tr>".join(f"{cells(each)}</tr>\n" for each in told)
    yield "</tbody>\n"


def _changed(row: TrailRow, values: Values) -> tuple[str, ...]:
    return (str(row.object_id), row.field, *map(values.text, (row.old, row.new, row.reason)))


def _first_values(rows: Sequence[TrailRow], values: Values) -> Iterator[tuple[str, ...]]:
    """What an event says of an object for the first time, in one row an object: there is no older value to show."""
    new = (row for row in rows if row.old is None)
    for (object_id, reason), own in groupby(new, attrgetter("object_id", "reason")):
        said = "; ".join([f"{row.field} {values.text(row.new)}" for row in own])
        yield str(object_id), "first values", "", said, values.text(reason)
