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


DECISION = Table("decision", DecisionRow, ("partition", "kafka_offset"), indexes=("(stream, command_id)",))


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
