"""The safety desk as it stands in Kafka, read by a plain consumer: what every client must have been told, in order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hepatrail_events.types import parse_instant
from logbook import Logbook

_DESK = "safety-desk"
_TOLD = {
    "hepatrail.AlertRaised.v1": "SaeAlert",
    "hepatrail.AlertAcknowledged.v1": "AlertAcknowledged",
    "hepatrail.AlertEscalated.v1": "AlertEscalated",
}
"""Facts of the desk that a subscription tells, by the type that clients see."""


@dataclass(frozen=True)
class DeskFact:
    """One fact of the desk."""

    kind: str
    cursor: str
    recorded_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class DeskLog:
    """The facts that clients are told, in the desk's order."""

    facts: tuple[DeskFact, ...]

    @classmethod
    async def read(cls, kafka: str) -> "DeskLog":
        """Reads the log; AssertionError at the first gap or broken link of any stream."""
        return cls.of(await Logbook.read(kafka))

    @classmethod
    def of(cls, book: Logbook) -> "DeskLog":
        """The desk in a log that was read."""
        return cls(tuple(_fact(event) for event in book.streams.get(_DESK, ()) if event["type"] in _TOLD))

    def of_kind(self, kind: str) -> list[DeskFact]:
        """The facts of one kind: SaeAlert, AlertAcknowledged or AlertEscalated."""
        return [fact for fact in self.facts if fact.kind == kind]

    @property
    def cursors(self) -> list[str]:
        """What a client that holds everything holds."""
        return [fact.cursor for fact in self.facts]

    @property
    def numbers(self) -> list[int]:
        """The alert numbers, in the desk's order."""
        return [fact.data["alertSeq"] for fact in self.of_kind("SaeAlert")]


def _fact(event: dict[str, Any]) -> DeskFact:
    return DeskFact(
        kind=_TOLD[event["type"]],
        cursor=f"{_DESK}@{event['streamseq']}",
        recorded_at=parse_instant(event["recordedat"]),
        data=event["data"],
    )
