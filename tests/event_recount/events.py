"""The table `event` and nothing else: the log as the projector mirrored it, read by plain SQL.

What follows from a correction or a void (`events.md` section 1, +cv) is worked in here, once for all families.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from event_recount.dates import SITE, instant, partial

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_SQL = """
SELECT stream, event_id, type, recorded_at, actor_role, payload::text AS payload
  FROM {schema}.event
 WHERE recorded_at <= $1
 ORDER BY stream, streamseq
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the table."""

    id: UUID
    type: str
    recorded_at: datetime
    role: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Log:
    """What was recorded until `as_of`: each participant's events in order, and the protocol in force, as published."""

    as_of: datetime
    protocol: dict[str, Any]
    subjects: dict[str, list[Event]]


@dataclass(slots=True)
class Record:
    """A fact with its corrections worked in, and the events that tell it."""

    id: str
    data: dict[str, Any]
    recorded_at: datetime
    event_ids: list[UUID] = field(default_factory=list)
    void: bool = False


async def read_log(connection: Connection, schema: str, as_of: datetime) -> Log:
    """Everything recorded until an instant (inclusive)."""
    streams: dict[str, list[Event]] = {}
    for row in await connection.fetch(_SQL.format(schema=schema), as_of):
        event = Event(row["event_id"], row["type"], row["recorded_at"], row["actor_role"], json.loads(row["payload"]))
        streams.setdefault(row["stream"], []).append(event)
    protocol = _in_force(streams["study"], as_of)
    assert protocol["siteZone"] == SITE.key
    subjects = {name.removeprefix("subject-"): found for name, found in streams.items() if name.startswith("subject-")}
    return Log(as_of, protocol, subjects)


def _in_force(study: Iterable[Event], as_of: datetime) -> dict[str, Any]:
    """The content of the version that took effect last (STU-03), of two at once the one that was published later."""
    effective = [
        (max(instant(each.data["effectiveAt"]), each.recorded_at), number, each.data["content"])
        for number, each in enumerate(of_type(study, "ProtocolPublished"))
    ]
    content: dict[str, Any] = json.loads(max(each for each in effective if each[0] <= as_of)[2])
    return content


def of_type(events: Iterable[Event], *types: str) -> list[Event]:
    """The events of these types, in order."""
    return [each for each in events if each.type in types]


def records(
    events: Iterable[Event],
    kinds: Mapping[str, str | None],
    corrected: str,
    voided: str,
    partial_dates: Collection[str] = (),
) -> list[Record]:
    """The facts that events of these types recorded, each under its field of identity (None: the id of its event).

    `corrected` and `voided` are the types that change them; `partial_dates` the fields that hold one.
    """
    found: dict[str, Record] = {}
    for event in events:
        if event.type in kinds:
            name = kinds[event.type]
            identity = str(event.id) if name is None else event.data[name]
            found[identity] = Record(identity, {**event.data, "type": event.type}, event.recorded_at, [event.id])
        elif event.type in (corrected, voided) and event.data["id"] in found:
            record = found[event.data["id"]]
            record.event_ids.append(event.id)
            if event.type == voided:
                record.void = True
            else:
                correct(record.data, event.data, partial_dates)
    return list(found.values())


def correct(data: dict[str, Any], correction: Mapping[str, Any], partial_dates: Collection[str] = ()) -> None:
    """Works one corrected field in; a field without new value is empty."""
    name, text = correction["field"], correction.get("newValue")
    if text is None:
        data.pop(name, None)
    elif name in partial_dates:
        data[name] = partial(text)
    else:
        data[name] = {"true": True, "false": False}.get(text, text)
