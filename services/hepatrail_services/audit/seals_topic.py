"""Reading `hepatrail.checkpoints`: the end of the chain of seals, or all of it."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import TopicPartition

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import BadSignature, InvalidMessage, LogShorter
from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.seal import NO_SEAL, Opened, Seal, open_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS
from hepatrail_infra.kafka_log import LogReader, Record
from hepatrail_infra.kafka_wire import Wire
from hepatrail_services.audit.resume import RESUME

_log = logging.getLogger(__name__)

PLACE = TopicPartition(CHECKPOINTS, 0)
_WINDOW = 1_000
_GROWTH = 8
_BATCH = 500

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class SealRecord:
    """A seal as it stands in the topic; `resume` are the hints beside it, unread."""

    offset: int
    raw: bytes
    seal: Seal
    resume: bytes | None


async def from_the_end(bootstrap: str, find: Callable[[Sequence[SealRecord], bool], Found | None]) -> Found | None:
    """What `find` makes of the last seals: asked with more and more of them, and whether these are all, until it says.

    Raises Unavailable.
    """
    async with Wire(bootstrap) as wire:
        first, end = (await wire.beginnings([PLACE]))[PLACE], (await wire.stable_ends([PLACE]))[PLACE]
    window = _WINDOW
    while True:
        start = max(first, end - window)
        found = find([record async for records in seals_from(bootstrap, start) for record in records], start == first)
        if found is not None or start == first:
            return found
        window *= _GROWTH


async def seals_from(bootstrap: str, offset: int | None = None) -> AsyncIterator[Sequence[SealRecord]]:
    """Batches of the seals from an offset (None: all) to the end as it is now; others' records are passed over.

    Raises Unavailable.
    """
    async with Wire(bootstrap) as wire:
        end = (await wire.stable_ends([PLACE]))[PLACE]
    reader = LogReader(bootstrap)
    try:
        await reader.start({PLACE: offset})
        while await reader.position(PLACE) < end:
            yield list(_read(await reader.getmany(timeout_ms=50, max_records=_BATCH)))
    finally:
        await reader.stop()


async def last_seal(
    bootstrap: str, own: Sequence[bytes], published: Callable[[str], Awaitable[Sequence[bytes]]]
) -> tuple[SealRecord, Opened] | None:
    """The seal of the highest number that a key has signed as a whole; None when there is no seal at all.

    `own` are the public keys that are tried first, `published` asks for the study's where these are not enough.
    Raises LogShorter when there are seals and none holds, Unavailable.
    """
    newest = await from_the_end(bootstrap, lambda records, _: max(records, key=_number, default=None))
    if newest is None:
        return None
    opened = open_last([newest], own)
    if opened is None:
        publics = (*own, *await published(bootstrap))
        opened = await from_the_end(bootstrap, lambda records, _: open_last(records, publics))
    if opened is None:
        raise LogShorter(f"LOG_SHORTER: no seal in {CHECKPOINTS} is signed by a key of this study")
    return opened


def open_last(records: Sequence[SealRecord], publics: Iterable[bytes]) -> tuple[SealRecord, Opened] | None:
    """The seal of the highest number that one of the keys has signed as a whole; None when there is none."""
    keys = tuple(publics)
    for record in sorted(records, key=_number, reverse=True):
        try:
            return record, open_seal(record.seal, keys)
        except BadSignature as error:
            _log.warning("the seal at offset %d does not hold: %s", record.offset, error)
    return None


async def read_history(bootstrap: str, last: SealRecord, signed: Checkpoint) -> Frontier:
    """The frontier over all seals up to the last; raises LogShorter when they are not what it has signed."""
    history, before = Frontier(), NO_SEAL
    async for records in seals_from(bootstrap):
        for record in records:
            if (record.seal.seal, record.seal.prevhash) == (history.size + 1, before) and history.size < signed.size:
                history.append(leaf_hash(record.seal.body_bytes()))
                before = sha256_hex(record.raw)
    if before != sha256_hex(last.raw) or history.root() != signed.root:
        raise LogShorter(f"LOG_SHORTER: the seals in {CHECKPOINTS} do not lead to seal {last.seal.seal}, the last one")
    return history


def _number(record: SealRecord) -> int:
    return record.seal.seal


def _read(batches: dict[TopicPartition, list[Record]]) -> Iterable[SealRecord]:
    for record in (record for records in batches.values() for record in records):
        try:
            raw = record.value or b""
            seal = Seal.read(raw)
        except InvalidMessage as error:
            _log.error("the record at offset %d of %s is no seal: %s", record.offset, record.topic, error.code)
            continue
        yield SealRecord(record.offset, raw, seal, dict(record.headers).get(RESUME))
