"""What a participant received in all sessions together (`endpoints.md` section 5; CDISC ADaM ADEX)."""

from enum import Enum
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Provenance, by_name, provenance
from hepatrail_graphql.scalars import BigInt, Decimal, decimal
from hepatrail_projections.exposure import ExposureRow


@strawberry.enum(description="What the protocol's dose and its tolerance are about.")
class DoseTargetScope(Enum):
    """What the protocol's dose and its tolerance are about."""

    SESSION = strawberry.enum_value("SESSION", description="Each session by itself.")
    TOTAL = strawberry.enum_value("TOTAL", description="All sessions together.")


@strawberry.type(description="How many sessions were so long.")
class DurationCount:
    """How many sessions were so long."""

    duration_class: str = strawberry.field(description='By the protocol\'s limits: "<4", "4-8" or ">8" hours.')
    sessions: int = strawberry.field(description="Number of ended sessions.")


@strawberry.type(description="What one session gave.")
class SessionExposure:
    """What one session gave."""

    session_id: UUID = strawberry.field(description="The session.")
    duration_hours: Decimal | None = strawberry.field(description="Hours of flow, pauses left out; null while it runs.")
    duration_class: str | None = strawberry.field(description='By the protocol\'s limits: "<4", "4-8" or ">8" hours.')
    stopped_early: bool | None = strawberry.field(description="Whether it ended before its time.")
    cells_per_kg: Decimal | None = strawberry.field(description="Viable cells per kg of body weight (EXDOSE).")
    target_ratio: Decimal | None = strawberry.field(description="Cells per kg against those of the protocol.")
    in_tolerance: bool | None = strawberry.field(description="Whether the ratio lies within the tolerance.")
    weight_too_old: bool | None = strawberry.field(description="Whether the weight was older than the protocol allows.")


@strawberry.type(description="What the participant has received in all sessions that count.")
class Exposure:
    """What the participant has received in all sessions that count."""

    sessions: int = strawberry.field(description="Number of sessions that started and are not void.")
    ended: int = strawberry.field(description="How many of them ended.")
    stopped_early: int = strawberry.field(description="How many of them ended before their time.")
    weights_too_old: int | None = strawberry.field(
        description="In how many the weight was older than the protocol allows; null without a protocol."
    )
    total_hours: Decimal = strawberry.field(description="Hours of flow of the sessions that ended.")
    duration_classes: list[DurationCount] = strawberry.field(description="The ended sessions by their duration.")
    cumulative_cells_per_kg: Decimal = strawberry.field(description="Viable cells per kg of all sessions.")
    cumulative_ratio: Decimal | None = strawberry.field(description="The sum against the protocol's cells per kg.")
    target_cells_per_kg: BigInt | None = strawberry.field(description="Cells per kg of the protocol.")
    dose_target_scope: DoseTargetScope | None = strawberry.field(description="Which ratio the tolerance is about.")
    in_tolerance: bool | None = strawberry.field(
        description="Whether the sum keeps the tolerance; null unless the protocol's dose is about the sum."
    )
    by_session: list[SessionExposure] = strawberry.field(description="What each session gave, by start.")
    provenance: Provenance = strawberry.field(description="What the exposure rests on.")


def exposure(row: ExposureRow) -> Exposure:
    """An exposure's row as the schema shows it."""
    classes = cast(dict[str, int] | None, row.duration_classes) or {}
    return Exposure(
        sessions=row.sessions,
        ended=row.ended,
        stopped_early=row.stopped_early,
        weights_too_old=row.weights_too_old,
        total_hours=Decimal(row.total_hours),
        duration_classes=[DurationCount(duration_class=name, sessions=count) for name, count in by_name(classes)],
        cumulative_cells_per_kg=Decimal(row.cumulative_cells_per_kg),
        cumulative_ratio=decimal(row.cumulative_ratio),
        target_cells_per_kg=None if row.target_cells_per_kg is None else BigInt(row.target_cells_per_kg),
        dose_target_scope=None if row.dose_target_scope is None else DoseTargetScope(row.dose_target_scope),
        in_tolerance=row.in_tolerance,
        by_session=[_session(each) for each in cast(list[dict[str, Any]], row.by_session)],
        provenance=provenance("exposure", row.event_ids, row.protocol_version),
    )


def _session(stored: dict[str, Any]) -> SessionExposure:
    return SessionExposure(
        session_id=UUID(stored["sessionId"]),
        duration_hours=decimal(stored["durationHours"]),
        duration_class=stored["durationClass"],
        stopped_early=stored["stoppedEarly"],
        cells_per_kg=decimal(stored["cellsPerKg"]),
        target_ratio=decimal(stored["targetRatio"]),
        in_tolerance=stored["inTolerance"],
        weight_too_old=stored["weightTooOld"],
    )
