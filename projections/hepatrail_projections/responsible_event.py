"""An event on which a value rests, as it is named to people."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_events.codec import Recorded


@dataclass(frozen=True, slots=True)
class ResponsibleEvent:
    """An event on which a differing value rests."""

    event_id: UUID
    stream: str
    streamseq: int
    type: str
    recorded_at: datetime
    actor_id: str
    actor_role: str


def responsible(recorded: Recorded) -> ResponsibleEvent:
    """How an event is named."""
    envelope = recorded.envelope
    return ResponsibleEvent(
        event_id=envelope.id,
        stream=envelope.stream,
        streamseq=envelope.streamseq,
        type=envelope.type,
        recorded_at=envelope.recordedat,
        actor_id=envelope.actorid,
        actor_role=envelope.actorrole,
    )


def streamseq_of(recorded: Recorded) -> int:
    """By which the events of a stream are put in order."""
    return recorded.envelope.streamseq
