"""What the forger of the demo does: a copy of the log in which one past result is another, and every chain holds."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.measurements import LabResultsRecorded
from hepatrail_events.streams import subject_stream
from hepatrail_events.transparency.checkpoint import TREES
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.source import HeaderRow, LogSource, MemorySource

_CODE = "creatinine"
_TYPE = f"hepatrail.{LabResultsRecorded.type_name()}.v"
_LESS = Decimal("0.9")


@dataclass(frozen=True, slots=True)
class Forgery:
    """What was altered, from which to which value, and how many later events were made to fit."""

    stream: str
    streamseq: int
    unit: str
    before: str
    after: str
    recomputed: int

    def line(self) -> str:
        """`subject-BFH-001@12: creatinine 88 -> 79 umol/L, 31 hashes recomputed`."""
        return (
            f"{self.stream}@{self.streamseq}: {_CODE} {self.before} -> {self.after} {self.unit}, "
            f"{self.recomputed} hashes recomputed"
        )


async def copy_of(source: LogSource) -> MemorySource:
    """Everything that a verification reads, in memory; raises Unavailable."""
    places = [*((EVENTS, partition) for partition in range(TREES)), (CHECKPOINTS, 0), (QUARANTINE, 0)]
    return MemorySource({place: [(*row, ()) async for rows in source.rows(*place) for row in rows] for place in places})


def forge(copy: MemorySource, subject_id: str) -> Forgery:
    """Makes the participant's first creatinine a tenth lower, and every later event of the stream follow again.

    Canonical bytes, numbers and hashes are as the deciders would have written them; LookupError without such a result.
    """
    stream = subject_stream(subject_id)
    rows = copy.topics[EVENTS, partition_of(stream)]
    own = [index for index, row in enumerate(rows) if row[1] == stream.encode()]
    bodies = {index: parse_object(rows[index][2] or b"") for index in own}
    try:
        first, result = next((index, one) for index in own for one in _results(bodies[index]))
    except StopIteration:
        raise LookupError(f"{stream} has no {_CODE}") from None
    before = Decimal(result["value"])
    result["value"] = str((before * _LESS).quantize(before))
    later = [index for index in own if index > first]
    last = _write(rows, first, bodies[first])
    for index in later:
        last = _write(rows, index, {**bodies[index], "prevhash": last})
    return Forgery(
        stream, bodies[first]["streamseq"], result["unit"], str(before), result["value"], recomputed=len(later)
    )


def _results(body: dict[str, Any]) -> list[dict[str, Any]]:
    if not str(body["type"]).startswith(_TYPE):
        return []
    return [one for one in body["data"]["results"] if one["code"] == _CODE and one.get("value") is not None]


def _write(rows: list[HeaderRow], index: int, body: dict[str, Any]) -> str:
    """Puts an event in the place of another and returns the hash of its bytes."""
    offset, key, _, headers = rows[index]
    value = canonical_json(body)
    rows[index] = (offset, key, value, headers)
    return sha256_hex(value)
