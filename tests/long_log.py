"""A log of any length that is made while it is read, so that nothing but its reader takes memory."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import orjson

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.streams import subject_stream
from hepatrail_events.transparency.checkpoint import TREES
from hepatrail_events.transparency.merkle import EMPTY_ROOT, Frontier, leaf_hash
from hepatrail_events.transparency.seal import NO_SEAL, SealReason, make_seal
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.source import HeaderRow, Row
from log_commits import publish, sample
from projection_log import BEGIN, LogWriter
from sealed_log import KEY, SealedLog

_BATCH: Final = 1_000
_GENESIS: Final = "0" * 64


class LongLog:
    """The study's first events, then samples of `streams` participants, `commit` events a commit; a `LogSource`.

    `rounds` commits of each participant. With `seals` it is sealed that often at equal distances.
    """

    def __init__(self, *, streams: int, rounds: int, commit: int = 5, seals: int = 0) -> None:
        self.streams = [subject_stream(f"L-{number:05d}") for number in range(streams)]
        self.rounds, self.commit = rounds, commit
        self._beginning = _beginning()
        self._study = [(each.key, each.value) for each in self._beginning.records if each.topic == EVENTS][:-1]
        self._body = parse_object(self._beginning.records[-2].value or b"")
        self.events = len(self._study) + streams * rounds * commit
        self._seals: list[HeaderRow] = self._sealed(seals) if seals else []

    def commits(self, partition: int) -> Iterator[list[Row]]:
        """The events of one partition, commit by commit; offsets skip one a commit, as a transaction's marker does."""
        offset = 0
        if self._study and partition == partition_of("study"):
            for key, value in self._study:
                yield [(offset, key, value)]
                offset += 2
        streams = [stream for stream in self.streams if partition_of(stream) == partition]
        heads, seqs = dict.fromkeys(streams, _GENESIS), dict.fromkeys(streams, 0)
        body: dict[str, Any] = dict(self._body)
        for number in range(self.rounds):
            body["recordedat"] = body["receivedat"] = format_instant(BEGIN + timedelta(minutes=number + 10))
            for each, stream in enumerate(streams):
                rows: list[Row] = []
                body["subject"], body["commitsize"] = stream, self.commit
                body["commitid"] = f"{partition:08x}-0000-4000-8000-{number * len(streams) + each:012x}"
                for index in range(self.commit):
                    seqs[stream] += 1
                    body["id"] = f"{partition:08x}-{index:04x}-4000-9000-{number * len(streams) + each:012x}"
                    body |= {"streamseq": seqs[stream], "commitindex": index, "prevhash": heads[stream]}
                    value = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
                    heads[stream] = sha256_hex(value)
                    rows.append((offset, stream.encode(), value))
                    offset += 1
                offset += 1
                yield rows

    async def rows(self, topic: str, partition: int, start: int | None = None) -> AsyncIterator[Sequence[Row]]:
        """As `LogSource.rows`."""
        if topic == CHECKPOINTS:
            yield [row[:3] for row in self._seals]
        if topic != EVENTS:
            return
        batch: list[Row] = []
        for rows in self.commits(partition):
            batch += rows if start is None else [row for row in rows if row[0] >= start]
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        yield batch

    async def rows_with_headers(self, topic: str, partition: int) -> AsyncIterator[Sequence[HeaderRow]]:
        """As `LogSource.rows_with_headers`; there are none."""
        async for batch in self.rows(topic, partition):
            yield [(*row, ()) for row in batch]

    def _sealed(self, seals: int) -> list[HeaderRow]:
        sizes = [sum(map(len, self.commits(partition))) for partition in range(TREES)]
        roots = [self._roots(partition, sizes[partition], seals) for partition in range(TREES)]
        log = SealedLog(self._beginning).name
        history, prevhash, made = Frontier(), NO_SEAL, list[HeaderRow]()
        for number in range(1, seals + 1):
            seal = make_seal(
                log=log,
                number=number,
                at=BEGIN + timedelta(days=number),
                reason=SealReason.INTERVAL,
                asked=(),
                prevhash=prevhash,
                trees=[roots[partition][number - 1] for partition in range(TREES)],
                before=history,
                producer="hepatrail/test",
                key=KEY,
            )
            history.append(leaf_hash(seal.body_bytes()))
            prevhash = sha256_hex(seal.raw())
            made.append((2 * number, log.encode(), seal.raw(), ()))
        return made

    def _roots(self, partition: int, size: int, seals: int) -> list[tuple[int, bytes]]:
        """Size and root at each seal; the first covers the study's events."""
        cuts = {max(size * number // seals, min(size, 3)) for number in range(1, seals + 1)}
        tree, found = Frontier(), dict[int, bytes]()
        for rows in self.commits(partition):
            for _, _, value in rows:
                tree.append(leaf_hash(value or b""))
                if tree.size in cuts:
                    found[tree.size] = tree.root()
        due = [max(size * number // seals, min(size, 3)) for number in range(1, seals + 1)]
        return [(each, found.get(each, EMPTY_ROOT)) for each in due]


def _beginning() -> LogWriter:
    """A protocol, a key for the seals, and last a sample that is the pattern of all others."""
    log = SealedLog(LogWriter())
    publish(log.log)
    log.publish_key()
    sample(log.log, "subject-L-00000", creatinine="100", tbil="50", inr="1.5", alt=("30", "U/L"))
    return log.log
