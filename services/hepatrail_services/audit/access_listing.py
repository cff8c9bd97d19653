"""The access log read from its topic (AUD-07): every instance's chain is followed, whatever of it is listed."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.envelope import GENESIS
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import ACCESS
from hepatrail_services.access_log import Access, AccessRecord
from hepatrail_services.audit.problems import Problem, Problems
from hepatrail_services.audit.readable import readable_rows
from hepatrail_services.audit.source import LogSource

COLUMNS: Final = (
    "offset",
    "instance",
    "seq",
    "hash",
    "at",
    "kind",
    "actorId",
    "actorRole",
    "actorOrg",
    "command",
    "commandId",
    "code",
    "rule",
    "field",
    "bodyHash",
    "detail",
)
"""What a row says, by the names of the API."""


@dataclass(frozen=True, slots=True)
class AccessChoice:
    """Which records are listed; None: any. `since` is inclusive, `until` exclusive."""

    kinds: frozenset[Access] | None = None
    actor_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, record: AccessRecord) -> bool:
        """Whether the record is listed."""
        return (
            (self.kinds is None or record.kind in self.kinds)
            and (self.actor_id is None or record.actorid == self.actor_id)
            and (self.since is None or record.at >= self.since)
            and (self.until is None or record.at < self.until)
        )


@dataclass(slots=True)
class AccessChains:
    """Follows the chains of all instances; `heads` are the last seq and hash of each.

    After a problem it goes on from what it found, so that one missing record is one problem.
    """

    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    records: int = 0

    def take(self, offset: int, key: bytes | None, raw: bytes) -> AccessRecord | None:
        """The next record of the topic; None when it cannot be read."""
        self.records += 1
        try:
            record = AccessRecord.read(raw)
        except InvalidMessage as error:
            self._problem(error.code, offset, None, None, f"the record cannot be read: {error}")
            return None
        seq, before = self.heads.get(record.instance, (0, GENESIS))
        if key != record.instance.encode():
            self._problem("WRONG_KEY", offset, record.instance, record.seq, "the key is not the instance")
        if record.seq <= seq:
            self._problem("DOUBLED", offset, record.instance, record.seq, f"record {seq} was there before")
        elif record.seq > seq + 1:
            missing = f"{seq + 1} to {record.seq - 1} are missing"
            self._problem("STREAM_GAP", offset, record.instance, record.seq, missing)
        elif record.prevhash != before:
            self._problem(
                "BROKEN_CHAIN", offset, record.instance, record.seq, "prevhash is not the hash of the record before"
            )
        self.heads[record.instance] = (record.seq, sha256_hex(raw))
        return record

    def _problem(self, code: str, offset: int, instance: str | None, seq: int | None, message: str) -> None:
        self.problems.add(Problem(code, ACCESS, 0, offset, instance, seq, message))


async def list_access(
    source: LogSource, chosen: AccessChoice, chains: AccessChains
) -> AsyncIterator[Mapping[str, Any]]:
    """The chosen records in the topic's order; `chains` is given all of them, and what could not be read.

    Raises Unavailable when Kafka cannot be read.
    """
    async for batch in readable_rows(source, ACCESS, 0, chains.problems):
        for offset, key, value in batch:
            record = chains.take(offset, key, value or b"")
            if record is not None and chosen.takes(record):
                yield _listed(offset, record, sha256_hex(value or b""))


def _listed(offset: int, record: AccessRecord, digest: str) -> Mapping[str, Any]:
    values = (
        offset,
        record.instance,
        record.seq,
        digest,
        format_instant(record.at),
        record.kind.value,
        record.actorid,
        record.actorrole,
        record.actororg,
        record.command,
        None if record.commandid is None else str(record.commandid),
        record.code,
        record.rule,
        record.field,
        record.bodyhash,
        record.detail,
    )
    return dict(zip(COLUMNS, values, strict=True))
