"""What one participant received (`endpoints.md` section 5): exact, from the rows of the sessions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_events.sessions import EndReason
from hepatrail_events.types import parse_instant
from hepatrail_projections.derive import OutcomeRows
from hepatrail_projections.session import SessionRow, duration_class, in_band

_MILLISECOND = timedelta(milliseconds=1)
_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class GivenSession:
    """A session that is not void, the `ordinal`-th of the participant.

    `hours` is end minus start minus pauses, `duration_class` `<4`, `4-8` or `>8` by the protocol's limits; both None
    while it runs. `stopped_by` is the reason of an early end. `weight_too_old` says that the weight was measured too
    long before the start. `cells_per_kg` and `ratio`, to the protocol's dose, are None without a weight; so is
    `in_band`, whether the ratio lies in the protocol's tolerance.
    """

    session_id: UUID
    ordinal: int
    started_at: datetime
    hours: Fraction | None
    duration_class: str | None
    stopped_by: str | None
    weight_kg: Fraction
    weight_too_old: bool
    cells_per_kg: Fraction | None
    ratio: Fraction | None
    in_band: bool | None
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ExposureFacts:
    """The sessions of a participant by start; none: not in the safety set.

    Over all of them: their events, the hours of those that ended, the cells per kg and the ratios to the protocol's
    dose of those with a weight.
    """

    subject_id: str
    sessions: tuple[GivenSession, ...]
    event_ids: tuple[UUID, ...]
    hours: Fraction
    cells_per_kg: Fraction
    ratio: Fraction


def exposure_facts(rows: OutcomeRows, protocol: Protocol) -> ExposureFacts:
    """The facts of a participant under the protocol version by which the rows were derived."""
    standing = [row for row in rows.sessions if not row.voided]
    sessions = tuple(_given(row, ordinal, protocol) for ordinal, row in enumerate(standing, 1))
    return ExposureFacts(
        subject_id=rows.subject.subject_id,
        sessions=sessions,
        event_ids=tuple(event_id for each in sessions for event_id in each.event_ids),
        hours=_sum(each.hours for each in sessions),
        cells_per_kg=_sum(each.cells_per_kg for each in sessions),
        ratio=_sum(each.ratio for each in sessions),
    )


def _sum(known: Iterable[Fraction | None]) -> Fraction:
    return sum((each for each in known if each is not None), Fraction(0))


def _given(row: SessionRow, ordinal: int, protocol: Protocol) -> GivenSession:
    hours, weight = _hours(row), Fraction(row.weight_kg)
    cells = Fraction(row.viable_cells) / weight if weight > 0 else None
    ratio = None if cells is None else cells / protocol.cells_per_kg
    oldest = row.started_at - timedelta(days=protocol.weight_max_age_days)
    return GivenSession(
        session_id=row.session_id,
        ordinal=ordinal,
        started_at=row.started_at,
        hours=hours,
        duration_class=None if hours is None else duration_class(hours, protocol),
        stopped_by=None if row.end_reason == EndReason.COMPLETED else row.end_reason,
        weight_kg=weight,
        weight_too_old=row.weight_measured_at < oldest,
        cells_per_kg=cells,
        ratio=ratio,
        in_band=in_band(ratio, protocol),
        event_ids=row.event_ids,
    )


def _hours(row: SessionRow) -> Fraction | None:
    if row.ended_at is None:
        return None
    flow = row.ended_at - row.started_at
    for pause in row.pauses:
        resumed = row.ended_at if pause["resumedAt"] is None else parse_instant(pause["resumedAt"])
        flow -= resumed - parse_instant(pause["at"])
    return Fraction(flow // _MILLISECOND, _HOUR)
