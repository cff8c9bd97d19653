"""The study: holds and the protocol in force (`events.md` 3.12)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from hepatrail_events.roles import ALL_SITES
from hepatrail_graphql.authorize import QUERIES, reads_sealed_text
from hepatrail_graphql.common import Provenance, provenance
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.enums import HoldAction, HoldRequires, HoldScope
from hepatrail_graphql.errors import CallerError
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Json
from hepatrail_graphql.text import Opener, Text, opener, sealed_text
from hepatrail_graphql.waiting import instant_argument, visible
from hepatrail_projections.study import HoldRow, ProtocolRow


@strawberry.type(description="Sessions or enrolment must wait, for one participant or the whole trial.")
class Hold:
    """Sessions or enrolment must wait."""

    id: UUID = strawberry.field(description="The hold.")
    action: HoldAction = strawberry.field(description="What it stops.")
    scope: HoldScope = strawberry.field(description="Whom it concerns.")
    subject_id: strawberry.ID | None = strawberry.field(description="The participant; null for the whole trial.")
    rule_id: str | None = strawberry.field(description="The stopping rule behind it; null when a person placed it.")
    requires: HoldRequires = strawberry.field(description="Who may release it.")
    reason: Text = strawberry.field(description="Why it was placed.")
    in_force: bool = strawberry.field(description="Whether it stops something now.")
    placed_at: datetime = strawberry.field(description="When it was placed.")
    placed_by: str = strawberry.field(description="The account that placed it.")
    released_at: datetime | None = strawberry.field(description="When it was released.")
    released_by: str | None = strawberry.field(description="The account that released it.")
    release_reason: Text | None = strawberry.field(description="Why it was released.")
    dsmb_reference: str | None = strawberry.field(description="The DSMB's decision behind the release.")
    provenance: Provenance = strawberry.field(description="What the hold rests on.")


@strawberry.type(description="A version of the protocol: everything that the trial has laid down as configurable.")
class Protocol:
    """A version of the protocol."""

    version: str = strawberry.field(description="The version.")
    content: Json = strawberry.field(
        description="The whole content, as published: dose, zone, `points` of the schedule, and every configurable "
        "rule in `visits`, `scores`, `safety`, `rsi` and `endpoints`; the names of the protocol file in camelCase."
    )
    hash: str = strawberry.field(description="SHA-256 of the content as canonical JSON.")
    approved_by: str = strawberry.field(description="Who approved it.")
    reason: str = strawberry.field(description="Why it was made.")
    effective_at: datetime = strawberry.field(description="When it should take effect.")
    effective_from: datetime = strawberry.field(description="When it took effect: never before it was recorded.")
    published_at: datetime = strawberry.field(description="When it was recorded.")
    provenance: Provenance = strawberry.field(description="The event that published it.")


async def holds(info: Info) -> list[Hold]:
    """All holds that the caller may know of, oldest first; those of participants of their sites only."""
    context = info.context
    await allow(context, QUERIES, "holds")
    rows = await context.services.reader.holds()
    known = await known_subjects(context, {row.subject_id for row in rows if row.subject_id is not None})
    return await shown_holds(context, [row for row in rows if row.subject_id is None or row.subject_id in known])


async def known_subjects(context: Context, subject_ids: Iterable[str]) -> frozenset[str]:
    """Those of some participants of whom the caller may know."""
    if ALL_SITES in context.actor.sites:
        return frozenset(subject_ids)
    return frozenset([each for each in subject_ids if await visible(context, each)])


async def shown_holds(context: Context, rows: Sequence[HoldRow]) -> list[Hold]:
    """Holds as the caller may read them; the vault is asked once for all of them."""
    kids = [kid for row in rows for kid in _kids(row)]
    opening = await opener(context.services.vault, kids, may_read=reads_sealed_text(context.actor))
    return [_hold(row, opening) for row in rows]


async def protocol(
    info: Info,
    as_of: Annotated[datetime | None, strawberry.argument(description="In force at this instant; null: now.")] = None,
) -> Protocol:
    """The protocol version in force."""
    context = info.context
    await allow(context, QUERIES, "protocol")
    row = await context.services.reader.protocol(instant_argument(as_of, "asOf"))
    if row is None:
        raise CallerError("NOT_FOUND", "No protocol was in force then.")
    return _protocol(row)


def _hold(row: HoldRow, opening: Opener) -> Hold:
    return Hold(
        id=row.hold_id,
        action=HoldAction(row.action),
        scope=HoldScope(row.scope),
        subject_id=None if row.subject_id is None else strawberry.ID(row.subject_id),
        rule_id=row.rule_id,
        requires=HoldRequires(row.requires),
        reason=opening.needed(sealed_text(cast(dict[str, Any], row.reason))),
        in_force=row.released_at is None,
        placed_at=row.placed_at,
        placed_by=row.placed_by,
        released_at=row.released_at,
        released_by=row.released_by,
        release_reason=opening.open(sealed_text(cast(dict[str, Any] | None, row.release_reason))),
        dsmb_reference=row.dsmb_reference,
        provenance=provenance("study", row.event_ids),
    )


def _kids(row: HoldRow) -> list[str]:
    texts = [cast(dict[str, Any] | None, each) for each in (row.reason, row.release_reason)]
    return [text["kid"] for text in texts if text is not None and "kid" in text]


def _protocol(row: ProtocolRow) -> Protocol:
    return Protocol(
        version=row.version,
        content=cast(Json, cast(Any, row.content)),
        hash=row.hash,
        approved_by=row.approved_by,
        reason=row.reason,
        effective_at=row.effective_at,
        effective_from=row.effective_from,
        published_at=row.published_at,
        provenance=provenance("study", row.event_ids, row.version),
    )
