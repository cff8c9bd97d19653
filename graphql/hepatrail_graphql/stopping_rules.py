"""Hits of stopping rules and the holds that they caused (`safety.md` section 7)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from hepatrail_graphql.authorize import QUERIES
from hepatrail_graphql.common import Provenance, provenance
from hepatrail_graphql.context import Info
from hepatrail_graphql.cursors import desk_cursor
from hepatrail_graphql.enums import HoldAction
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.study import Hold, known_subjects, shown_holds
from hepatrail_projections.stopping_hit import StoppingRuleHitRow

TRIAL = "TRIAL"


@strawberry.type(description="A stopping rule was hit: an alert, and what must wait until it is released.")
class StoppingRuleHit:
    """A hit of a stopping rule."""

    id: UUID = strawberry.field(description="The hit; its alert has the same id.")
    cursor: str = strawberry.field(description="Its place on the safety desk.")
    rule_id: str = strawberry.field(description="The rule: SR1 to SR6.")
    subject_id: strawberry.ID | None = strawberry.field(description="The participant; null for the whole trial.")
    commit_id: UUID = strawberry.field(description="The commit that completed the condition.")
    actions: list[HoldAction] = strawberry.field(description="What must wait.")
    holds: list[Hold] = strawberry.field(description="The holds that it caused, as far as they are placed yet.")
    recorded_at: datetime = strawberry.field(description="When the desk recorded it.")
    provenance: Provenance = strawberry.field(description="The events that fulfil the condition, and the hit's own.")


async def stopping_rule_hits(info: Info) -> list[StoppingRuleHit]:
    """All hits that the caller may know of, oldest first; those of participants of their sites only."""
    context = info.context
    await allow(context, QUERIES, "stoppingRuleHits")
    reader = context.services.reader
    rows = await reader.stopping_rule_hits()
    known = await known_subjects(context, {row.scope_id for row in rows if row.scope_id != TRIAL})
    rows = [row for row in rows if row.scope_id == TRIAL or row.scope_id in known]
    wanted = {hold_id for row in rows for hold_id in row.hold_ids}
    placed = [hold for hold in await reader.holds() if hold.hold_id in wanted]
    holds = {hold.id: hold for hold in await shown_holds(context, placed)}
    return [_hit(row, holds) for row in rows]


def _hit(row: StoppingRuleHitRow, holds: Mapping[UUID, Hold]) -> StoppingRuleHit:
    actions: Sequence[str] = row.actions
    return StoppingRuleHit(
        id=row.hit_id,
        cursor=desk_cursor(row.streamseq),
        rule_id=row.rule_id,
        subject_id=None if row.scope_id == TRIAL else strawberry.ID(row.scope_id),
        commit_id=row.commit_id,
        actions=[HoldAction(each) for each in actions],
        holds=[holds[each] for each in row.hold_ids if each in holds],
        recorded_at=row.recorded_at,
        provenance=provenance("safety-desk", (*row.fulfilled_by, *row.event_ids)),
    )
