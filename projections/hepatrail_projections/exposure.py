"""`exposure`: what a participant received over all sessions (`endpoints.md` section 5)."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from hepatrail_events.units import fraction_str
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.session import Exposed, dose, exposed, hours_text, in_band
from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """Sums over the sessions that are not void; cells per kg and ratios are decimal text.

    `by_session` holds each of them by start: `{sessionId, durationHours, durationClass, stoppedEarly, cellsPerKg,
    targetRatio, inTolerance, weightTooOld}`. `ended`, `total_hours` and `duration_classes` (`{class: sessions}`) count
    those that ended. `cumulative_ratio` is the sum against the protocol's cells per kg, shown beside each session's
    own ratio because the protocol's sentence can be read both ways; `dose_target_scope` (SESSION or TOTAL) says which
    of them the tolerance is about, and `in_tolerance` whether the sum keeps it, None unless the scope is TOTAL or
    while there is no session.
    """

    subject_id: str
    sessions: int
    ended: int
    stopped_early: int
    weights_too_old: int | None
    total_hours: str
    duration_classes: Json | None
    cumulative_cells_per_kg: str
    cumulative_ratio: str | None
    target_cells_per_kg: int | None
    dose_target_scope: str | None
    in_tolerance: bool | None
    by_session: Json
    protocol_version: str | None
    event_ids: tuple[UUID, ...]


EXPOSURE = Table("exposure", ExposureRow, ("subject_id",))


def exposure_row(view: SubjectView, published: PublishedProtocol | None) -> ExposureRow:
    """The sums, exact until they are written."""
    counted = sorted(
        ((session_id, fact) for session_id, fact in view.sessions.items() if fact.voided is None),
        key=lambda each: each[1].started.started_at,
    )
    doses = [dose(fact, published) for _, fact in counted]
    shown = [exposed(fact, published) for _, fact in counted]
    cells = sum((each.cells_per_kg for each in doses if each.cells_per_kg is not None), Fraction(0))
    hours = sum((each.hours for each in doses if each.hours is not None), Fraction(0))
    protocol = None if published is None else published.protocol
    ratio = None if protocol is None else cells / protocol.cells_per_kg
    scope = None if protocol is None else protocol.endpoints.dose_target_scope
    classes = Counter(each.duration_class for each in shown if each.duration_class is not None)
    return ExposureRow(
        subject_id=view.subject_id,
        sessions=len(counted),
        ended=sum(fact.ended_at is not None for _, fact in counted),
        stopped_early=sum(each.stopped_early is True for each in shown),
        weights_too_old=None if protocol is None else sum(each.weight_too_old is True for each in shown),
        total_hours=hours_text(hours),
        duration_classes=None if protocol is None else dict(classes),
        cumulative_cells_per_kg=fraction_str(cells),
        cumulative_ratio=None if ratio is None else fraction_str(ratio),
        target_cells_per_kg=None if protocol is None else protocol.cells_per_kg,
        dose_target_scope=scope,
        in_tolerance=in_band(ratio, protocol) if counted and scope == "TOTAL" else None,
        by_session=[_shown(session_id, each) for (session_id, _), each in zip(counted, shown, strict=True)],
        protocol_version=None if published is None else published.version,
        event_ids=tuple(event_id for _, fact in counted for event_id in fact.event_ids),
    )


def _shown(session_id: UUID, exposure: Exposed) -> dict[str, Any]:
    return {
        "sessionId": str(session_id),
        "durationHours": exposure.duration_hours,
        "durationClass": exposure.duration_class,
        "stoppedEarly": exposure.stopped_early,
        "cellsPerKg": exposure.cells_per_kg,
        "targetRatio": exposure.target_ratio,
        "inTolerance": exposure.in_tolerance,
        "weightTooOld": exposure.weight_too_old,
    }
