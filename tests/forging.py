"""What a forger does to a copy of a log, by leaf of a partition."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.streams import STUDY
from hepatrail_events.transparency.checkpoint import TREES, log_name
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import NO_SEAL, Seal, make_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_services.audit.source import HeaderRow, MemorySource

Rows = list[HeaderRow]


def rows_of(source: MemorySource, topic: str, partition: int) -> Rows:
    """The records of a partition, to be changed in place."""
    return source.topics[(topic, partition)]


def put_value(rows: Rows, index: int, value: bytes) -> None:
    """Other bytes in the place of a record's value."""
    offset, key, _, headers = rows[index]
    rows[index] = (offset, key, value, headers)


def value_at(rows: Rows, index: int) -> bytes:
    """The value of a record."""
    value = rows[index][2]
    assert value is not None
    return value


def change(rows: Rows, index: int, alter: Callable[[dict[str, Any]], None]) -> None:
    """An event says something else, in canonical bytes; nothing behind it is adapted."""
    body = parse_object(value_at(rows, index))
    alter(body)
    put_value(rows, index, orjson.dumps(body, option=orjson.OPT_SORT_KEYS))


def rechain(rows: Rows, begin: int) -> int:
    """Makes every event of the stream behind `begin` follow again, as a forger with the code does; how many."""
    key, last, changed = rows[begin][1], sha256_hex(value_at(rows, begin)), 0
    seq = int(parse_object(value_at(rows, begin))["streamseq"])
    for index in range(begin + 1, len(rows)):
        if rows[index][1] == key:
            body = parse_object(value_at(rows, index))
            seq += 1
            body["prevhash"], body["streamseq"] = last, seq
            put_value(rows, index, canonical_json(body))
            last, changed = sha256_hex(value_at(rows, index)), changed + 1
    return changed


def spread_offsets(rows: Rows, order: Sequence[HeaderRow]) -> None:
    """Other records in the same places: offsets go on as they were."""
    places = [row[0] for row in rows]
    while len(places) < len(order):
        places.append(places[-1] + 1 if places else 0)
    rows[:] = [(place, *row[1:]) for place, row in zip(places, order, strict=False)]


def reseal(source: MemorySource, key: SigningKey) -> None:
    """Makes all seals anew over the log as it is now, with the forger's key: sizes, times and reasons as they were."""
    sealed = rows_of(source, CHECKPOINTS, 0)
    old = [Seal.read(value_at(sealed, index)) for index in range(len(sealed))]
    study = next(row for rows in source.topics.values() for row in rows if row[1] == STUDY.encode())
    name = log_name(old[0].log.rpartition("/")[0], sha256_hex(study[2] or b""))
    history, prevhash = Frontier(), NO_SEAL
    for index, seal in enumerate(old):
        trees = []
        for partition in range(TREES):
            size, tree = int(seal.checkpoints[partition].split("\n")[1]), Frontier()
            for row in source.topics.get((EVENTS, partition), [])[:size]:
                tree.append(leaf_hash(row[2] or b""))
            trees.append((tree.size, tree.root()))
        made = make_seal(
            log=name,
            number=index + 1,
            at=seal.at,
            reason=seal.reason,
            asked=seal.asked,
            prevhash=prevhash,
            trees=trees,
            before=history,
            producer=seal.producer,
            key=key,
        )
        history.append(leaf_hash(made.body_bytes()))
        prevhash = sha256_hex(made.raw())
        offset, _, _, headers = sealed[index]
        sealed[index] = (offset, made.log.encode(), made.raw(), headers)
