"""`session`: one treatment session with its exposure (`endpoints.md` section 5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_events.sessions import EndReason
from hepatrail_events.types import format_instant
from hepatrail_events.units import fraction_str
from hepatrail_projections.facts import Pause, SessionFact, SubjectView
from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in its latest version.

    `streamseq` places it in its stream, `ordinal` among the sessions that are not void by start (None for a void one).
    `pauses` are `{at, resumedAt, reason}`, `corrections` `{field, oldValue, newValue, newText, reason, recordedAt,
    eventId, actorId}`. `duration_hours` is end minus start minus pauses (2 decimals, None while open),
    `duration_class` `<4`, `4-8` or `>8` by the protocol's limits. `cells_per_kg` and `target_ratio` (against the
    protocol's cells per kg) are decimal text; `in_tolerance` says whether the ratio lies in its band, and is None
    where the protocol counts its dose over all sessions. `weight_too_old` is about the age of the weight at the
    start. A void session has none of these.
    """

    subject_id: str
    session_id: UUID
    streamseq: int
    ordinal: int | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    access_vein: str
    side: str
    access_placed_at: datetime | None
    device_lot: str
    cell_batch: str
    batch_release_ref: str
    viability_percent: str
    viable_cells: int
    weight_kg: str
    weight_measured_at: datetime
    flow_ml_min: str | None
    anticoagulant: str | None
    pauses: Json
    paused: bool
    voided: bool
    void_reason_code: str | None
    void_reason_text: Json | None
    voided_by: str | None
    corrections: Json
    duration_hours: str | None
    duration_class: str | None
    stopped_early: bool | None
    cells_per_kg: str | None
    target_ratio: str | None
    in_tolerance: bool | None
    weight_too_old: bool | None
    protocol_version: str | None
    event_ids: tuple[UUID, ...]


SESSION = Table("session", SessionRow, ("subject_id", "session_id"))


def session_rows(view: SubjectView, published: PublishedProtocol | None) -> tuple[SessionRow, ...]:
    """All sessions, by start; void ones have no exposure."""
    by_start = sorted(view.sessions.items(), key=lambda each: each[1].started.started_at)
    rows, ordinal = [], 0
    for session_id, fact in by_start:
        if fact.voided is None:
            ordinal += 1
        rows.append(_row(view.subject_id, session_id, fact, ordinal if fact.voided is None else None, published))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class Dose:
    """What one session gave: hours of flow (None while open), cells per kg, and their ratio to the protocol's."""

    hours: Fraction | None
    cells_per_kg: Fraction | None
    ratio: Fraction | None


def dose(fact: SessionFact, published: PublishedProtocol | None) -> Dose:
    """The exposure of a session that is not void (`endpoints.md` section 5), exact."""
    weight = Fraction(fact.started.weight_kg)
    cells = Fraction(fact.started.viable_cells) / weight if weight > 0 else None
    hours = None
    if fact.ended_at is not None:
        flow = fact.ended_at - fact.started.started_at
        for pause in fact.pauses:
            flow -= (pause.resumed_at or fact.ended_at) - pause.at
        hours = Fraction(flow // timedelta(milliseconds=1), 3_600_000)
    ratio = None if cells is None or published is None else cells / published.protocol.cells_per_kg
    return Dose(hours, cells, ratio)


def hours_text(hours: Fraction) -> str:
    """Hours with two decimals, half away from zero."""
    return format((Decimal(hours.numerator) / Decimal(hours.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP), "f")


@dataclass(frozen=True, slots=True)
class Exposed:
    """The exposure of one session as its row and the participant's sums show it; see `SessionRow`."""

    duration_hours: str | None = None
    duration_class: str | None = None
    stopped_early: bool | None = None
    cells_per_kg: str | None = None
    target_ratio: str | None = None
    in_tolerance: bool | None = None
    weight_too_old: bool | None = None


NOT_EXPOSED = Exposed()


def exposed(fact: SessionFact, published: PublishedProtocol | None) -> Exposed:
    """The exposure of a session that is not void (`endpoints.md` section 5)."""
    given, started = dose(fact, published), fact.started
    protocol = None if published is None else published.protocol
    by_session = protocol is not None and protocol.endpoints.dose_target_scope == "SESSION"
    old = None if protocol is None else timedelta(days=protocol.weight_max_age_days)
    return Exposed(
        duration_hours=None if given.hours is None else hours_text(given.hours),
        duration_class=None if given.hours is None or protocol is None else duration_class(given.hours, protocol),
        stopped_early=None if fact.end_reason is None else fact.end_reason != EndReason.COMPLETED,
        cells_per_kg=None if given.cells_per_kg is None else fraction_str(given.cells_per_kg),
        target_ratio=None if given.ratio is None else fraction_str(given.ratio),
        in_tolerance=in_band(given.ratio, protocol) if by_session else None,
        weight_too_old=None if old is None else started.started_at - started.weight_measured_at > old,
    )


def in_band(ratio: Fraction | None, protocol: Protocol | None) -> bool | None:
    """Whether a ratio to the protocol's dose lies in its tolerance, ends included; None where there is none."""
    if ratio is None or protocol is None:
        return None
    return abs(ratio - 1) <= Fraction(protocol.dose_tolerance)


def _row(
    subject_id: str,
    session_id: UUID,
    fact: SessionFact,
    ordinal: int | None,
    published: PublishedProtocol | None,
) -> SessionRow:
    started, voided = fact.started, fact.voided
    exposure = exposed(fact, published) if voided is None else NOT_EXPOSED
    return SessionRow(
        subject_id=subject_id,
        session_id=session_id,
        streamseq=fact.streamseq,
        ordinal=ordinal,
        started_at=started.started_at,
        ended_at=fact.ended_at,
        end_reason=fact.end_reason,
        access_vein=started.access_vein.value,
        side=started.side.value,
        access_placed_at=started.access_placed_at,
        device_lot=started.device_lot,
        cell_batch=started.cell_batch,
        batch_release_ref=started.batch_release_ref,
        viability_percent=started.viability_percent,
        viable_cells=started.viable_cells,
        weight_kg=started.weight_kg,
        weight_measured_at=started.weight_measured_at,
        flow_ml_min=started.flow_ml_min,
        anticoagulant=None if started.anticoagulant is None else started.anticoagulant.value,
        pauses=[_pause(pause) for pause in fact.pauses],
        paused=fact.open and bool(fact.pauses) and fact.pauses[-1].resumed_at is None,
        voided=voided is not None,
        void_reason_code=None if voided is None else voided.reason_code.value,
        void_reason_text=None if voided is None else voided.reason_text.payload(),
        voided_by=None if voided is None else voided.actor_id,
        corrections=[correction.json() for correction in fact.corrections],
        duration_hours=exposure.duration_hours,
        duration_class=exposure.duration_class,
        stopped_early=exposure.stopped_early,
        cells_per_kg=exposure.cells_per_kg,
        target_ratio=exposure.target_ratio,
        in_tolerance=exposure.in_tolerance,
        weight_too_old=exposure.weight_too_old,
        protocol_version=None if published is None else published.version,
        event_ids=fact.event_ids,
    )


def duration_class(hours: Fraction, protocol: Protocol) -> str:
    """`<4`, `4-8` (inclusive) or `>8`, by the protocol's limits."""
    low, high = protocol.session_hours_low, protocol.session_hours_high
    if hours < Fraction(low):
        return f"<{low}"
    return f">{high}" if hours > Fraction(high) else f"{low}-{high}"


def _pause(pause: Pause) -> dict[str, Any]:
    return {
        "at": format_instant(pause.at),
        "resumedAt": None if pause.resumed_at is None else format_instant(pause.resumed_at),
        "reason": pause.reason.payload(),
    }
