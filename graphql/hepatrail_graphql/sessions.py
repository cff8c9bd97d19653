"""Treatment sessions (CDISC EX), as clients see them."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Correctable, correctable_fields, instant, optional_instant
from hepatrail_graphql.enums import AccessVein, Anticoagulant, EndReason, Side
from hepatrail_graphql.scalars import BigInt, Decimal, decimal
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.session import SessionRow


@strawberry.type(description="An interruption of the flow through the reactor; a pause is no end.")
class Pause:
    """An interruption of the flow through the reactor."""

    at: datetime = strawberry.field(description="When the flow was interrupted.")
    resumed_at: datetime | None = strawberry.field(description="When it began again; null while it has not.")
    reason: Text = strawberry.field(description="Why, in the words of the treatment team.")


@strawberry.type(
    description="A treatment with the bioartificial liver, from the first blood in the circuit to the last."
)
class Session(Correctable):
    """A treatment with the bioartificial liver."""

    id: UUID = strawberry.field(description="The session.")
    ordinal: int | None = strawberry.field(description="Number by start among those that count; null when void.")
    started_at: datetime = strawberry.field(description="Blood or plasma enters the circuit (EXSTDTC).")
    ended_at: datetime | None = strawberry.field(
        description="The flow stopped for good (EXENDTC); null while the session runs."
    )
    end_reason: EndReason | None = strawberry.field(description="Why the session ended.")
    paused: bool = strawberry.field(description="Whether the flow is interrupted now.")
    pauses: list[Pause] = strawberry.field(description="Interruptions of the flow, in order.")
    access_vein: AccessVein = strawberry.field(description="Central vein of the access.")
    side: Side = strawberry.field(description="Side of the body.")
    access_placed_at: datetime | None = strawberry.field(
        description="Only when the access was placed for this session."
    )
    device_lot: str = strawberry.field(description="Lot of the device (EXLOT).")
    cell_batch: str = strawberry.field(description="Batch of the hepatocytes.")
    batch_release_ref: str = strawberry.field(description="Reference of the batch's release.")
    viability_percent: Decimal = strawberry.field(description="Viable part of the cells, in percent.")
    viable_cells: BigInt = strawberry.field(description="Number of viable hepatocytes.")
    weight_kg: Decimal = strawberry.field(description="Body weight in kg that the dose refers to (LOINC 29463-7).")
    weight_measured_at: datetime = strawberry.field(description="When the weight was measured.")
    weight_too_old: bool | None = strawberry.field(description="Whether the weight was older than the protocol allows.")
    flow_ml_min: Decimal | None = strawberry.field(description="Flow in mL/min (UCUM).")
    anticoagulant: Anticoagulant | None = strawberry.field(description="Anticoagulant of the circuit.")
    cells_per_kg: Decimal | None = strawberry.field(description="Viable cells per kg of body weight.")
    target_ratio: Decimal | None = strawberry.field(description="Cells per kg against those of the protocol.")
    in_tolerance: bool | None = strawberry.field(
        description="Whether the ratio lies within the protocol's tolerance; null where the sum of all sessions counts."
    )
    duration_hours: Decimal | None = strawberry.field(description="Hours of flow, pauses left out; null while it runs.")
    duration_class: str | None = strawberry.field(description='By the protocol\'s limits: "<4", "4-8" or ">8" hours.')
    stopped_early: bool | None = strawberry.field(description="Whether the session ended before its time.")


def session(row: SessionRow, opener: Opener) -> Session:
    """A session's row as the schema shows it."""
    return Session(
        id=row.session_id,
        ordinal=row.ordinal,
        started_at=row.started_at,
        ended_at=row.ended_at,
        end_reason=None if row.end_reason is None else EndReason(row.end_reason),
        paused=row.paused,
        pauses=[_pause(each, opener) for each in cast(list[dict[str, Any]], row.pauses)],
        access_vein=AccessVein(row.access_vein),
        side=Side(row.side),
        access_placed_at=row.access_placed_at,
        device_lot=row.device_lot,
        cell_batch=row.cell_batch,
        batch_release_ref=row.batch_release_ref,
        viability_percent=Decimal(row.viability_percent),
        viable_cells=BigInt(row.viable_cells),
        weight_kg=Decimal(row.weight_kg),
        weight_measured_at=row.weight_measured_at,
        weight_too_old=row.weight_too_old,
        flow_ml_min=decimal(row.flow_ml_min),
        anticoagulant=None if row.anticoagulant is None else Anticoagulant(row.anticoagulant),
        cells_per_kg=decimal(row.cells_per_kg),
        target_ratio=decimal(row.target_ratio),
        in_tolerance=row.in_tolerance,
        duration_hours=decimal(row.duration_hours),
        duration_class=row.duration_class,
        stopped_early=row.stopped_early,
        **correctable_fields(row, "session", opener, row.protocol_version),
    )


def _pause(stored: dict[str, Any], opener: Opener) -> Pause:
    return Pause(
        at=instant(stored["at"]),
        resumed_at=optional_instant(stored.get("resumedAt")),
        reason=opener.needed(sealed_text(stored["reason"])),
    )
