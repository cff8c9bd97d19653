"""`decision`: the mirror of the ledger, what was answered to every command."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_events.decisions import NOT_BINDING, Decision
from hepatrail_projections.table import Connection, Json, Table


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One answer, by its place on `hepatrail.decisions`; `input` of a rejected command is sealed as it was sent."""

    partition: int
    kafka_offset: int
    stream: str
    command_id: UUID
    command_type: str
    body_hash: str
    verdict: str
    code: str | None
    rule: str | None
    field: str | None
    message: str | None
    input: Json | None
    event_ids: tuple[UUID, ...]
    version: int
    recorded_at: datetime
    received_at: datetime
    actor_id: str
    actor_role: str
    studyseq: int
    producer: str
    repeat: bool

    @property
    def binds(self) -> bool:
        """Whether a later command of the same id is answered with this decision."""
        return not self.repeat and self.code not in NOT_BINDING


DECISION = Table(
    "decision",
    DecisionRow,
    ("partition", "kafka_offset"),
    indexes=(
        "(stream, command_id)",
        "(recorded_at, partition, kafka_offset) WHERE verdict = 'REJECTED'",
    ),
    append_only=True,
    places=("kafka_offset",),
)


def decision_row(decision: Decision, partition: int, offset: int) -> DecisionRow:
    """The row of a decision."""
    return DecisionRow(
        partition=partition,
        kafka_offset=offset,
        stream=decision.stream,
        command_id=decision.commandid,
        command_type=decision.commandtype,
        body_hash=decision.bodyhash,
        verdict=decision.verdict.value,
        code=None if decision.code is None else decision.code.value,
        rule=decision.rule,
        field=decision.field,
        message=decision.message,
        input=decision.input,
        event_ids=decision.eventids,
        version=decision.version,
        recorded_at=decision.recordedat,
        received_at=decision.receivedat,
        actor_id=decision.actorid,
        actor_role=decision.actorrole,
        studyseq=decision.studyseq,
        producer=decision.producer,
        repeat=decision.repeat,
    )


async def decision_of(connection: Connection, stream: str, command_id: UUID) -> DecisionRow | None:
    """What became of a command: the binding answer, else the latest that does not bind; repeats never answer."""
    rows = await DECISION.where(
        connection,
        "stream = $1 AND command_id = $2 AND NOT repeat",
        stream,
        command_id,
        order="kafka_offset",
    )
    return next((row for row in rows if row.binds), rows[-1] if rows else None)


@dataclass(frozen=True, slots=True)
class RejectedFilter:
    """Which rejected commands are listed; None: any. `since` is inclusive, `until` exclusive."""

    stream: str | None = None
    command_type: str | None = None
    code: str | None = None
    rule: str | None = None
    actor_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


ANY_REJECTED = RejectedFilter()


async def rejected_after(
    connection: Connection,
    after: tuple[datetime, int, int] | None,
    complete_to: datetime,
    chosen: RejectedFilter,
    limit: int,
) -> list[DecisionRow]:
    """Rejections behind (recordedAt, partition, offset), in that order, recorded until `complete_to`.

    A command that was sent again and answered again is there again (`repeat`): each answer is a record.
    """
    recorded_at, partition, offset = after or (None, None, None)
    return await DECISION.where(
        connection,
        "verdict = 'REJECTED' AND recorded_at <= $4 "
        "AND ($1::timestamptz IS NULL OR (recorded_at, partition, kafka_offset) > ($1, $2::bigint, $3::bigint)) "
        "AND ($5::text IS NULL OR stream = $5) AND ($6::text IS NULL OR command_type = $6) "
        "AND ($7::text IS NULL OR code = $7) AND ($8::text IS NULL OR rule = $8) "
        "AND ($9::text IS NULL OR actor_id = $9) AND ($10::timestamptz IS NULL OR recorded_at >= $10) "
        "AND ($11::timestamptz IS NULL OR recorded_at < $11)",
        recorded_at,
        partition,
        offset,
        complete_to,
        chosen.stream,
        chosen.command_type,
        chosen.code,
        chosen.rule,
        chosen.actor_id,
        chosen.since,
        chosen.until,
        order="recorded_at, partition, kafka_offset",
        limit=limit,
    )
