"""What the log itself says of its study: whether it has begun, and on which clock."""

from dataclasses import dataclass

from hepatrail_events.codec import parse_object
from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import STUDY
from hepatrail_infra.clock import SIMULATED, Clock
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import Record, partition_of, read_to_end

_MARK = f"({SIMULATED.replace('-', ' ')})"


@dataclass(frozen=True, slots=True)
class LogOrigin:
    """`began` is whether the study stream holds an event, `simulated` what its first one says."""

    began: bool
    simulated: bool = False


async def log_origin(bootstrap: str) -> LogOrigin:
    """Reads the study's partition up to its first event, which no other event of the study precedes.

    Raises Unavailable, and InvalidMessage when that event is no JSON.
    """
    first: list[bytes] = []

    async def look(records: list[Record]) -> None:
        for record in records:
            if not first and record.key == STUDY.encode() and record.value is not None:
                first.append(record.value)

    await read_to_end(bootstrap, EVENTS, [partition_of(STUDY)], {}, look)
    if not first:
        return LogOrigin(False)
    return LogOrigin(True, _MARK in str(parse_object(first[0]).get("producer")))


async def hold_clock(bootstrap: str, clock: Clock) -> LogOrigin:
    """The log's origin; StartRefused when it was written on another kind of clock than this process runs on."""
    origin = await log_origin(bootstrap)
    simulated = clock.label == SIMULATED
    if origin.began and origin.simulated != simulated:
        raise StartRefused(
            "This log was written on the system's clock: a simulated clock is refused."
            if simulated
            else "This log was written on a simulated clock: it is refused without one (--simulated-clock)."
        )
    return origin
