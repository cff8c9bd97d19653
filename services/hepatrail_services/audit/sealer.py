"""The sealer's state: the trees of the log, whose key signs, and when the next seal is due. No I/O and no clock.

`resume` once, then `take` all records of events and access log as they come, `check` when the end was reached;
`due`, `make` and `sealed` for each seal. What a seal covers is what was taken before `make`.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka import TopicPartition

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_events.transparency.checkpoint import TREES, log_name
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import NO_SEAL, Opened, Seal, SealReason, make_seal
from hepatrail_infra.kafka_admin import ACCESS, EVENTS
from hepatrail_infra.kafka_log import Record, partition_of
from hepatrail_services.access_log import Access, AccessRecord
from hepatrail_services.audit.partition_tree import PartitionTree
from hepatrail_services.audit.resume import Resume
from hepatrail_services.audit.signers import Published, Signer, choose_signer
from hepatrail_services.audit.study_keys import STUDY_PARTITION
from hepatrail_services.audit.study_records import STUDY_KEY, published_key
from hepatrail_services.audit.triggers import Triggers

_log = logging.getLogger(__name__)

DESK_PARTITION = partition_of(SAFETY_DESK)
ACCESS_PLACE = TopicPartition(ACCESS, 0)

_ALERT = b"hepatrail.AlertRaised."
_ASKED = Access.CHECKPOINT_ASKED.value.encode()
_PATIENCE = timedelta(minutes=1)
"""Nobody waits longer for a checkpoint: what was asked for so long before the last seal is not answered any more."""


@dataclass(frozen=True, slots=True)
class LastSeal:
    """The end of the chain of seals: the record, opened, and the frontier over all seals up to it."""

    opened: Opened
    raw: bytes
    history: Frontier

    @property
    def seal(self) -> Seal:
        """The seal itself."""
        return self.opened.seal


class Sealer:
    """Not started before `resume`; a new one after every failure."""

    def __init__(self, keys: Sequence[SigningKey], log_origin: str, producer: str, every: float) -> None:
        """`keys`: the present one first. `producer` is what the seal says made it, `every` seconds between two."""
        self.own = {key.public: key for key in keys}
        self.published = Published()
        self.last: LastSeal | None = None
        self._present = next(iter(self.own))
        self._log_origin = log_origin
        self._producer = producer
        self._genesis: str | None = None
        self._access = 0
        self._asked_since: datetime | None = None
        self._triggers = Triggers(every)
        self._trees = tuple(PartitionTree(partition) for partition in range(TREES))

    def resume(self, last: LastSeal | None, hints: Resume | None, since: float) -> None:
        """Stands behind the last seal, as far as the hints hold; `since` is the moment at which it was made."""
        self.last = last
        self._triggers.first, self._triggers.sealed_at = last is None, since
        if last is None:
            return
        if hints is None:
            self._asked_since = last.seal.at - _PATIENCE
        else:
            self._access = hints.access
        self._trees = tuple(self._resumed(partition, last, hints) for partition in range(TREES))
        if self._trees[STUDY_PARTITION].begin is not None:
            self.published.keys.append((-1, self._present))

    def _resumed(self, partition: int, last: LastSeal, hints: Resume | None) -> PartitionTree:
        signed = last.opened.trees[partition]
        frontier = None if hints is None else hints.tree(partition, signed)
        # Which keys the study has had is known without reading it only where the last word was ours.
        unknown_keys = last.seal.reason is SealReason.ROTATION or last.opened.signers != {self._present}
        if hints is None or frontier is None or (partition == STUDY_PARTITION and unknown_keys):
            return PartitionTree(partition, signed)
        return PartitionTree.resumed(partition, signed, frontier, hints.offsets[partition], hints.last[partition])

    @property
    def positions(self) -> Mapping[TopicPartition, int | None]:
        """Where events and access log are to be read from; None for the beginning."""
        events = {TopicPartition(EVENTS, tree.partition): tree.begin for tree in self._trees}
        return {**events, ACCESS_PLACE: self._access or None}

    def take(self, place: TopicPartition, records: Sequence[Record], at: float) -> None:
        """Adds records of one partition; raises HintsDiffer, LogShorter."""
        if place == ACCESS_PLACE:
            self._take_access(records)
            return
        tree = self._trees[place.partition]
        first = tree.frontier.size if tree.begin is None else tree.frontier.size - 1
        tree.take(records)
        if place.partition == STUDY_PARTITION:
            self._take_study(first, records)
        if place.partition == DESK_PARTITION and any(
            first + number >= tree.sealed_size and _is_alert(record) for number, record in enumerate(records)
        ):
            self._triggers.alert(at)

    def check(self) -> None:
        """After reading to the end for the first time: raises HintsDiffer, and LogShorter when leaves are missing."""
        for tree in self._trees:
            tree.check()
        self._asked_since = None

    @property
    def size(self) -> int:
        """How many events were taken."""
        return sum(tree.frontier.size for tree in self._trees)

    @property
    def grew(self) -> bool:
        """Whether there are events that no seal covers."""
        return any(tree.grew for tree in self._trees)

    @property
    def signer(self) -> Signer | None:
        """Who would sign now; None when the study's last keys are not ours."""
        tree = self._trees[STUDY_PARTITION]
        before = self.published.last_within(tree.sealed_size) if self.last else None
        return choose_signer(self.own, before, self.published.last_within(tree.frontier.size))

    def overdue(self, at: float) -> float:
        """For how many seconds a log that has grown should have been sealed; 0 or less while it need not be."""
        return at - self._triggers.sealed_at - self._triggers.every if self.grew and self.last else 0.0

    def due(self, at: float) -> SealReason | None:
        """Why a seal is to be made now; None to wait, also while there is nobody to sign it."""
        signer = self.signer
        if signer is None:
            return None
        return self._triggers.due(at, grew=self.grew, rotates=signer.rotates)

    def make(self, reason: SealReason, now: datetime) -> tuple[Seal, Resume]:
        """The next seal, and the hints to be written beside it; nothing changes before `sealed`."""
        last, signer = self.last, self.signer
        assert signer is not None
        seal = make_seal(
            log=last.seal.log if last else log_name(self._log_origin, self._genesis or ""),
            number=last.seal.seal + 1 if last else 1,
            at=max(now, last.seal.at) if last else now,
            reason=reason,
            asked=self._triggers.named(),
            prevhash=sha256_hex(last.raw) if last else NO_SEAL,
            trees=[(tree.frontier.size, tree.frontier.root()) for tree in self._trees],
            before=last.history if last else Frontier(),
            producer=self._producer,
            key=signer.key,
        )
        unanswered = self._triggers.asked[len(seal.asked) :]
        return seal, Resume(
            access=unanswered[0][0] if unanswered else self._access,
            offsets=tuple(tree.next_offset for tree in self._trees),
            last=tuple(tree.last for tree in self._trees),
            frontiers=tuple(tuple(tree.frontier.hashes) for tree in self._trees),
            history=tuple(_with_leaf(last.history if last else Frontier(), seal).hashes),
        )

    def sealed(self, last: LastSeal, at: float) -> None:
        """The seal that was made stands in the log."""
        self.last = last
        self._triggers.sealed(at)
        for tree in self._trees:
            tree.sealed_size = tree.frontier.size

    def _take_study(self, first: int, records: Sequence[Record]) -> None:
        for number, record in enumerate(records):
            if record.key != STUDY_KEY or record.value is None:
                continue
            if self._genesis is None:
                self._genesis = sha256_hex(record.value)
            public = published_key(record.value)
            if public is not None:
                self.published.keys.append((first + number, public))

    def _take_access(self, records: Sequence[Record]) -> None:
        for record in records:
            self._access = record.offset + 1
            if _ASKED not in (record.value or b""):
                continue
            try:
                entry = AccessRecord.read(record.value or b"")
            except InvalidMessage as error:
                _log.error("access record %d cannot be read: %s", record.offset, error.code)
                continue
            if entry.kind is Access.CHECKPOINT_ASKED and (self._asked_since is None or entry.at >= self._asked_since):
                self._triggers.asked.append((record.offset, f"{entry.instance}/{entry.seq}"))


def after(seal: Seal, opened: Opened, before: LastSeal | None) -> LastSeal:
    """The end of the chain once this seal, which follows `before`, is written."""
    return LastSeal(opened, seal.raw(), _with_leaf(before.history if before else Frontier(), seal))


def _with_leaf(history: Frontier, seal: Seal) -> Frontier:
    grown = history.copy()
    grown.append(leaf_hash(seal.body_bytes()))
    return grown


def _is_alert(record: Record) -> bool:
    return any(name == "ce_type" and value.startswith(_ALERT) for name, value in record.headers)
