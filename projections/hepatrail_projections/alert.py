"""`alert`: an alert of the safety desk with its acknowledgements (`safety.md` section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_events.safety_desk import AlertRaised
from hepatrail_projections.desk_view import Acknowledgement, AlertFact, Delivery
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.table import Connection, Json, Table


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert: what it is found by, and its whole `content` (the payload of `AlertRaised`, verbatim sealed).

    `streamseq` is the place on the desk, `alert_seq` the gap-free number. `acknowledgements` are
    `{by, at, comment, recordedAt, eventId, stopping}` in order; `acknowledged_at` and `acknowledged_by` are those of
    the first that stops escalation, None while the alert is open. `escalations` are `{level, late, recordedAt,
    eventId}` by level; `deliveries` are `{channel, level}`, level None where the alert itself was told.
    """

    alert_id: UUID
    alert_seq: int
    streamseq: int
    type: str
    priority: str
    raised_at: datetime
    recorded_at: datetime
    subject_id: str | None
    site_id: str | None
    ae_id: UUID | None
    previous_alert_id: UUID | None
    content: Json
    acknowledgements: Json
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    escalations: Json
    deliveries: Json
    event_ids: tuple[UUID, ...]


ALERT = Table(
    "alert",
    AlertRow,
    ("alert_id",),
    indexes=("(alert_seq)", "(streamseq)", "(subject_id, alert_seq)", "(ae_id, alert_seq)"),
)


def alert_row(alert: AlertFact, study: StudyView) -> AlertRow:
    """The row of an alert; the reporter's own acknowledgement stops nothing unless the protocol says so (6.3)."""
    raised, envelope = alert.raised, alert.envelope
    acknowledged = [(each, _stops(each, raised, study)) for each in alert.acknowledgements]
    first = next((each for each, stopping in acknowledged if stopping), None)
    return AlertRow(
        alert_id=raised.alert_id,
        alert_seq=raised.alert_seq,
        streamseq=envelope.streamseq,
        type=raised.type.value,
        priority=raised.priority.value,
        raised_at=raised.raised_at,
        recorded_at=envelope.recordedat,
        subject_id=raised.subject_id,
        site_id=raised.site_id,
        ae_id=raised.ae_id,
        previous_alert_id=raised.previous_alert_id,
        content=raised.payload(),
        acknowledgements=[each.json(stopping=stopping) for each, stopping in acknowledged],
        acknowledged_at=None if first is None else first.recorded_at,
        acknowledged_by=None if first is None else first.event.by,
        escalations=[each.json() for each in alert.escalations],
        deliveries=[
            {"channel": channel.value, "level": level}
            for channel, level in sorted(alert.deliveries, key=_place_of_delivery)
        ],
        event_ids=(
            envelope.id,
            *(each.event_id for each in alert.acknowledgements),
            *(each.event_id for each in alert.escalations),
        ),
    )


def _place_of_delivery(delivery: Delivery) -> tuple[int, str]:
    channel, level = delivery
    return level or 0, channel.value


def _stops(acknowledgement: Acknowledgement, raised: AlertRaised, study: StudyView) -> bool:
    if acknowledgement.event.by != raised.reporter_id:
        return True
    published = study.published_at(acknowledgement.recorded_at)
    return published is not None and published.protocol.self_ack


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are listed; None: any. `open`: whether no acknowledgement has stopped them."""

    priorities: frozenset[str] | None = None
    types: frozenset[str] | None = None
    subject_id: str | None = None
    ae_id: UUID | None = None
    sites: frozenset[str] | None = None
    open: bool | None = None


ANY_ALERT = AlertFilter()


async def alerts_after(connection: Connection, after: int | None, chosen: AlertFilter, limit: int) -> list[AlertRow]:
    """Alerts behind a number, by number. An alert that concerns no site is shown to all."""
    return await ALERT.where(
        connection,
        "alert_seq > $1 AND ($2::text[] IS NULL OR priority = ANY ($2)) AND ($3::text[] IS NULL OR type = ANY ($3)) "
        "AND ($4::text IS NULL OR subject_id = $4) AND ($5::uuid IS NULL OR ae_id = $5) "
        "AND ($6::text[] IS NULL OR site_id IS NULL OR site_id = ANY ($6)) "
        "AND ($7::boolean IS NULL OR (acknowledged_at IS NULL) = $7)",
        after or 0,
        _listed(chosen.priorities),
        _listed(chosen.types),
        chosen.subject_id,
        chosen.ae_id,
        _listed(chosen.sites),
        chosen.open,
        order="alert_seq",
        limit=limit,
    )


async def alerts_of(connection: Connection, subject_ids: Sequence[str]) -> dict[str, list[AlertRow]]:
    """All alerts of some participants, by participant, each list by number; one without any is left out."""
    found: dict[str, list[AlertRow]] = {}
    for row in await ALERT.where(connection, "subject_id = ANY ($1)", list(subject_ids), order="alert_seq"):
        if row.subject_id is not None:
            found.setdefault(row.subject_id, []).append(row)
    return found


def _listed(chosen: frozenset[str] | None) -> list[str] | None:
    return None if chosen is None else sorted(chosen)
