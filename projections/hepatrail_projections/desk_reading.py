"""The safety desk as it is followed: its events in order, with the alerts they concern, and where it ends.

A page costs four statements, however many events it has: nobody asks for one alert at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_events.codec import read
from hepatrail_events.safety_desk import AlertAcknowledged, AlertEscalated, AlertRaised
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_projections.alert import ALERT, AlertRow
from hepatrail_projections.meta import SafetyStatus, read_safety_status
from hepatrail_projections.stream_head import version_of
from hepatrail_projections.table import Connection

_RAISED = AlertRaised.type_name()
_TOLD = (AlertAcknowledged.type_name(), AlertEscalated.type_name())


@dataclass(frozen=True, slots=True)
class DeskEntry:
    """An event of the desk; `alert` is the alert that it concerns, as it stood when this was read.

    Without `fact` it is the raising of that alert, without `alert` one that no officer is told of.
    """

    streamseq: int
    event_id: UUID
    recorded_at: datetime
    alert: AlertRow | None = None
    fact: AlertAcknowledged | AlertEscalated | None = None


@dataclass(frozen=True, slots=True)
class DeskRead:
    """Consecutive events of the desk, and the desk's end, in one snapshot; `safety` is what the process wrote last."""

    entries: tuple[DeskEntry, ...]
    desk_version: int
    desk_alert_seq: int
    safety: SafetyStatus | None


async def desk_after(connection: Connection, after: int | None, limit: int) -> DeskRead:
    """The desk's events behind a streamseq, at most so many; None: none of them, only where the desk ends."""
    return DeskRead(
        entries=() if after is None else await _entries(connection, after, limit),
        desk_version=await version_of(connection, SAFETY_DESK),
        desk_alert_seq=await connection.fetchval("SELECT coalesce(max(alert_seq), 0) FROM alert"),
        safety=await read_safety_status(connection),
    )


async def _entries(connection: Connection, after: int, limit: int) -> tuple[DeskEntry, ...]:
    # The row of an alert holds what its event says, so that only what happened to alerts is read from the bytes.
    records = await connection.fetch(
        "SELECT streamseq, event_id, recorded_at, type, CASE WHEN type = ANY ($3) THEN raw END AS raw "
        "FROM event WHERE stream = $1 AND streamseq > $2 ORDER BY streamseq LIMIT $4",
        SAFETY_DESK,
        after,
        list(_TOLD),
        limit,
    )
    if not records:
        return ()
    facts = {each["streamseq"]: _fact(each["raw"]) for each in records if each["raw"] is not None}
    rows = await _alerts(connection, after, records[-1]["streamseq"], [fact.alert_id for fact in facts.values()])
    raised, known = {row.streamseq: row for row in rows}, {row.alert_id: row for row in rows}
    entries = []
    for each in records:
        streamseq, fact, alert = each["streamseq"], facts.get(each["streamseq"]), None
        # An event and the alert's row are written in one transaction: a row that is not there is a bug, never silence.
        if fact is not None:
            alert = known[fact.alert_id]
        elif each["type"] == _RAISED:
            alert = raised[streamseq]
        entries.append(DeskEntry(streamseq, each["event_id"], each["recorded_at"], alert, fact))
    return tuple(entries)


async def _alerts(connection: Connection, after: int, until: int, alert_ids: Sequence[UUID]) -> list[AlertRow]:
    return await ALERT.where(
        connection,
        "(streamseq > $1 AND streamseq <= $2) OR alert_id = ANY ($3)",
        after,
        until,
        list(set(alert_ids)),
    )


def _fact(raw: bytes) -> AlertAcknowledged | AlertEscalated:
    event = read(raw).event
    assert isinstance(event, AlertAcknowledged | AlertEscalated), "the statement chose by type"
    return event


@dataclass(frozen=True, slots=True)
class EscalationFilter:
    """Which escalations are listed; None: any. `open`: whether nobody has stopped the alert yet."""

    levels: frozenset[int] | None = None
    priorities: frozenset[str] | None = None
    subject_id: str | None = None
    alert_id: UUID | None = None
    sites: frozenset[str] | None = None
    open: bool | None = None


ANY_ESCALATION = EscalationFilter()


async def escalations_after(
    connection: Connection, after: int, chosen: EscalationFilter, limit: int
) -> list[DeskEntry]:
    """Escalations behind a streamseq of the desk, in its order."""
    records = await connection.fetch(
        "SELECT e.streamseq, e.event_id, e.recorded_at, e.raw FROM event e "
        "JOIN alert a ON a.alert_id = (e.payload->>'alertId')::uuid "
        "WHERE e.stream = $1 AND e.streamseq > $2 AND e.type = $3 "
        "AND ($4::int[] IS NULL OR (e.payload->>'level')::int = ANY ($4)) "
        "AND ($5::text[] IS NULL OR a.priority = ANY ($5)) AND ($6::text IS NULL OR a.subject_id = $6) "
        "AND ($7::uuid IS NULL OR a.alert_id = $7) "
        "AND ($8::text[] IS NULL OR a.site_id IS NULL OR a.site_id = ANY ($8)) "
        "AND ($9::boolean IS NULL OR (a.acknowledged_at IS NULL) = $9) ORDER BY e.streamseq LIMIT $10",
        SAFETY_DESK,
        after,
        AlertEscalated.type_name(),
        None if chosen.levels is None else sorted(chosen.levels),
        None if chosen.priorities is None else sorted(chosen.priorities),
        chosen.subject_id,
        chosen.alert_id,
        None if chosen.sites is None else sorted(chosen.sites),
        chosen.open,
        limit,
    )
    facts = {each["streamseq"]: _fact(each["raw"]) for each in records}
    rows = await _alerts(connection, 0, 0, [fact.alert_id for fact in facts.values()]) if facts else []
    known = {row.alert_id: row for row in rows}
    return [
        DeskEntry(each["streamseq"], each["event_id"], each["recorded_at"], known[fact.alert_id], fact)
        for each, fact in zip(records, facts.values(), strict=True)
    ]


async def alert_seq_until(connection: Connection, streamseq: int) -> int:
    """The number of the last alert at or before a place on the desk; 0 before any."""
    return int(
        await connection.fetchval("SELECT coalesce(max(alert_seq), 0) FROM alert WHERE streamseq <= $1", streamseq)
    )
