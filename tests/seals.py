"""Records of the side topics for tests of projections: seals over a log in memory, signed with a key of the tests."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.transparency.checkpoint import TREES
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import NO_SEAL, Seal, SealReason, make_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_services.access_log import Access, AccessRecord
from projection_log import BEGIN, LogRecord

LOG = "hepatrail.test/0123456789abcdef"
KEY = SigningKey(b"\x07" * 32)


@dataclass
class Sealing:
    """The seals so far, and the sizes of the trees in each; offsets skip one a seal, as a marker does."""

    key: SigningKey = KEY
    seals: list[Seal] = field(default_factory=list)
    sizes: list[tuple[int, ...]] = field(default_factory=list)
    _history: Frontier = field(default_factory=Frontier)

    def seal(
        self, records: Iterable[LogRecord], at: datetime = BEGIN, reason: SealReason = SealReason.INTERVAL
    ) -> LogRecord:
        """The next seal, over all these records of the events."""
        trees = [Frontier() for _ in range(TREES)]
        for each in records:
            if each.topic == EVENTS:
                trees[each.partition].append(leaf_hash(each.value or b""))
        made = make_seal(
            log=LOG,
            number=len(self.seals) + 1,
            at=at,
            reason=reason,
            asked=(),
            prevhash=sha256_hex(self.seals[-1].raw()) if self.seals else NO_SEAL,
            trees=[(tree.size, tree.root()) for tree in trees],
            before=self._history,
            producer="hepatrail/test",
            key=self.key,
        )
        self._history.append(leaf_hash(made.body_bytes()))
        self.seals.append(made)
        self.sizes.append(tuple(tree.size for tree in trees))
        return self.record(made.raw())

    def record(self, value: bytes | None) -> LogRecord:
        """Any bytes at the next place of the topic."""
        return LogRecord(CHECKPOINTS, 0, 2 * len(self.seals), LOG.encode(), value)


def login(seq: int, kind: Access = Access.LOGIN, **changes: Any) -> AccessRecord:
    """A record of the access log as the API writes it, an hour after the one before."""
    body = {
        "instance": "api-1",
        "seq": seq,
        "prevhash": "0" * 64,
        "at": BEGIN + timedelta(hours=seq),
        "kind": kind,
        "actorid": "dr-li",
        "actorrole": "INVESTIGATOR",
    }
    return AccessRecord.model_validate(body | changes)
