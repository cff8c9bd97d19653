"""`stopping_rule_hit`: a stopping rule that was hit, and the holds that it caused (`safety.md` section 7)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.desk_view import HitFact
from hepatrail_projections.table import Connection, Json, Table


@dataclass(frozen=True, slots=True)
class StoppingRuleHitRow:
    """One hit. Its alert has the same id (`safety.md` 6.3); `streamseq` is its place on the desk.

    `scope_id` is the participant, or TRIAL; `commit_id` the commit that completed the condition. `actions` and
    `hold_ids` go together in order: one hold an action, found by its id among the holds of the study, where it also
    shows whether it was released. `fulfilled_by` are the events that fulfil the condition.
    """

    hit_id: UUID
    streamseq: int
    rule_id: str
    scope_id: str
    commit_id: UUID
    actions: Json
    hold_ids: tuple[UUID, ...]
    fulfilled_by: tuple[UUID, ...]
    recorded_at: datetime
    event_ids: tuple[UUID, ...]


STOPPING_RULE_HIT = Table("stopping_rule_hit", StoppingRuleHitRow, ("hit_id",), indexes=("(streamseq)",))


def stopping_rule_hit_row(hit: HitFact) -> StoppingRuleHitRow:
    """The row of a hit; it never changes."""
    event, envelope = hit.event, hit.envelope
    return StoppingRuleHitRow(
        hit_id=event.hit_id,
        streamseq=envelope.streamseq,
        rule_id=event.rule_id,
        scope_id=event.scope_id,
        commit_id=event.commit_id,
        actions=[action.value for action in event.actions],
        hold_ids=hit.hold_ids,
        fulfilled_by=event.event_ids,
        recorded_at=envelope.recordedat,
        event_ids=(envelope.id,),
    )


async def hits_after(connection: Connection, after: int, limit: int) -> list[StoppingRuleHitRow]:
    """Hits behind a streamseq of the desk, in its order."""
    return await STOPPING_RULE_HIT.where(connection, "streamseq > $1", after, order="streamseq", limit=limit)
