"""The sealer: the only process that holds the key that signs; one works, others stand by. It needs Kafka only.

Nothing is kept but the topic of seals: what was cut off anywhere is read again from there.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from hepatrail_events.errors import LogShorter, StartRefused, Unavailable
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import SealReason, open_seal
from hepatrail_infra.clock import Clock, producer_name
from hepatrail_infra.kafka_log import LogReader
from hepatrail_infra.kafka_wire import Wire
from hepatrail_infra.telemetry import Health, counter, gauge
from hepatrail_services.audit.files_keeper import FilesKeeper
from hepatrail_services.audit.key_publication import publish_key
from hepatrail_services.audit.partition_tree import HintsDiffer
from hepatrail_services.audit.resume import Resume
from hepatrail_services.audit.sealer import LastSeal, Sealer, after
from hepatrail_services.audit.sealer_turn import SealWriter, Turn, until_settled
from hepatrail_services.audit.seals_topic import SealRecord, last_seal, read_history
from hepatrail_services.audit.study_records import published_keys

_log = logging.getLogger(__name__)

_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
_POLL_MS = 250
_CATCH_UP_MS = 50
_MOST_RECORDS = 1_000
_OVERDUE_SECONDS = 30.0
_FETCH_SECONDS = 10.0

SEALS = counter("sealer_seals", "Seals of the log", ["reason"])
SEALED = gauge("sealer_sealed_events", "Events that the last seal covers")


class SealerProcess:
    """Seals the log while it is this process's turn.

    `run` may be cut off anywhere; it ends only by being cancelled or by an error that a person must mend: LogShorter
    (what was sealed is no longer there), StartRefused (a key that may not sign, a name that another process has).
    """

    def __init__(
        self,
        bootstrap: str,
        clock: Clock,
        *,
        seeds: Sequence[bytes],
        publish: bool,
        instance: str,
        log_origin: str,
        every: float,
        directory: Path | None,
        org: str,
    ) -> None:
        """`seeds`: the present key first. `publish`: whether the process publishes it where the study never had it.

        `every` are the seconds between two seals of a log that grows, `directory` holds the copies, `org` is the
        organisation in whose name the key is published.
        """
        self._bootstrap = bootstrap
        self._clock = clock
        self._keys = tuple(SigningKey(seed) for seed in seeds)
        self._publics = tuple(key.public for key in self._keys)
        self._publish = publish
        self._instance = instance
        self._log_origin = log_origin
        self._every = every
        self._org = org
        self._files = None if directory is None else FilesKeeper(bootstrap, directory)
        self._turn: Turn | None = None
        self._sealer: Sealer | None = None
        self._reader: LogReader | None = None
        self._unpublished = asyncio.Event()

    async def run(self) -> None:
        """Works until cancelled."""
        failures, member = 0, None
        while True:
            turn = self._turn = Turn(self._bootstrap, self._instance, self._work, member)
            try:
                await turn.run()
            except Unavailable as error:
                failures = 0 if turn.joined else failures + 1
                _log.warning("the sealer starts over: %s", error)
            finally:
                self._turn = None
            member = turn.member
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])

    async def health(self) -> Health:
        """Healthy while it stands by, or follows the log and seals it in time, with its files in step."""
        why = self._trouble()
        sealer = self._sealer
        last = None if sealer is None else sealer.last
        return Health(
            why is None,
            {
                "turn": sealer is not None,
                "seal": None if last is None else last.seal.seal,
                "size": None if sealer is None else sealer.size,
                "seconds": None if last is None else round((self._clock.now() - last.seal.at).total_seconds(), 1),
                "files": None if self._files is None else self._files.trouble,
                "why": why,
            },
        )

    def _trouble(self) -> str | None:
        if self._turn is None or not self._turn.joined:
            return "not connected"
        if not self._turn.mine:
            return None
        if self._sealer is None or self._reader is None:
            return "the log is being read"
        if time.time() - _last_fetch(self._reader) > _FETCH_SECONDS:
            return "Kafka does not answer"
        if self._sealer.signer is None:
            return "no key that the study has published is ours"
        if self._files is not None and self._files.trouble:
            return "the files are behind"
        if self._sealer.overdue(asyncio.get_running_loop().time()) > _OVERDUE_SECONDS:
            return "a seal is overdue"
        return None

    async def _work(self) -> None:
        """From an assignment to the next rebalance."""
        writer = await SealWriter.open(self._bootstrap)
        self._unpublished.clear()
        try:
            sealer, reader = await self._start()
            try:
                parts: list[Coroutine[Any, Any, None]] = [self._follow(sealer, reader, writer), self._publish_own()]
                if self._files is not None:
                    parts.append(self._files.run())
                self._sealer, self._reader = sealer, reader
                await _until_first_ends(*parts)
            finally:
                self._sealer = self._reader = None
                await reader.stop()
        finally:
            await writer.close()

    async def _start(self) -> tuple[Sealer, LogReader]:
        """Everything that was committed, taken from where the last seal's hints say, or from the beginning."""
        await until_settled(self._bootstrap)
        found = await last_seal(self._bootstrap, self._publics, published_keys)
        if self._files is not None:
            await self._files.hold_to(0 if found is None else found[0].seal.seal)
        hints = None if found is None else Resume.read(found[0].resume)
        last = None
        if found is not None:
            record, opened = found
            history = None if hints is None else hints.seals(opened.history)
            if history is None:
                history = await read_history(self._bootstrap, record, opened.history)
            last = LastSeal(opened, record.raw, history)
            self._put_in_files(record.offset, last)
        if hints is not None:
            try:
                return await self._read(last, hints)
            except (HintsDiffer, LogShorter) as error:
                _log.warning("reading the whole log, because the last seal's hints do not hold: %s", error)
        return await self._read(last, None)

    async def _read(self, last: LastSeal | None, hints: Resume | None) -> tuple[Sealer, LogReader]:
        sealer = Sealer(self._keys, self._log_origin, producer_name(self._clock), self._every)
        loop = asyncio.get_running_loop()
        passed = 0.0 if last is None else (self._clock.now() - last.seal.at).total_seconds()
        sealer.resume(last, hints, loop.time() - min(max(passed, 0.0), self._every))
        reader = LogReader(self._bootstrap)
        try:
            await reader.start(sealer.positions)
            await _take_to_the_end(self._bootstrap, sealer, reader)
            sealer.check()
        except BaseException:
            await reader.stop()
            raise
        return sealer, reader

    async def _follow(self, sealer: Sealer, reader: LogReader, writer: SealWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._hold_keys(sealer)
            reason = sealer.due(loop.time())
            if reason is SealReason.DEMAND:
                # Who asks means everything that stood in the log then.
                await _take_to_the_end(self._bootstrap, sealer, reader)
                reason = sealer.due(loop.time())
            if reason is not None:
                await self._seal(sealer, writer, reason)
            for place, records in (await reader.getmany(_POLL_MS, _MOST_RECORDS)).items():
                sealer.take(place, records, loop.time())

    async def _seal(self, sealer: Sealer, writer: SealWriter, reason: SealReason) -> None:
        seal, resume = sealer.make(reason, self._clock.now())
        opened = open_seal(seal, self._publics)
        await writer.write(seal, resume)
        last = after(seal, opened, sealer.last)
        sealer.sealed(last, asyncio.get_running_loop().time())
        self._put_in_files(None, last)
        SEALS.labels(reason.value).inc()
        SEALED.set(sealer.size)
        _log.info("seal %d (%s): %d events", seal.seal, reason.value, sealer.size)

    def _hold_keys(self, sealer: Sealer) -> None:
        """Sees to it that the present key is published, and refuses to go on with one that another has followed."""
        present = self._publics[0]
        if not sealer.published.has(present):
            if not self._publish and sealer.signer is None:
                raise StartRefused("The study has not published this sealer's key: `hepatrail audit rotate-key`.")
            if self._publish:
                self._unpublished.set()
        elif sealer.signer is None:
            raise StartRefused("The study has published another key since: this one signs no seal any more.")

    async def _publish_own(self) -> None:
        await self._unpublished.wait()
        await publish_key(self._bootstrap, self._clock, self._publics[0], self._instance, self._org)
        await asyncio.Event().wait()

    def _put_in_files(self, offset: int | None, last: LastSeal) -> None:
        if self._files is not None:
            record = SealRecord(-1 if offset is None else offset, last.raw, last.seal, None)
            self._files.put(record, next(iter(last.opened.signers)))


def _last_fetch(reader: LogReader) -> float:
    """When Kafka last answered a fetch: seconds since the epoch, 0 before the first."""
    return max((reader.last_fetch(place) or 0.0 for place in reader.partitions), default=0.0)


async def _take_to_the_end(bootstrap: str, sealer: Sealer, reader: LogReader) -> None:
    """Takes what is committed at the call; a few records at a time, because a whole log is read like this too."""
    loop = asyncio.get_running_loop()
    async with Wire(bootstrap) as wire:
        ends = await wire.stable_ends(reader.partitions)
    while any([await reader.position(place) < end for place, end in ends.items()]):
        for place, records in (await reader.getmany(_CATCH_UP_MS, _MOST_RECORDS)).items():
            sealer.take(place, records, loop.time())


async def _until_first_ends(*work: Coroutine[Any, Any, None]) -> None:
    """Runs parts that never end by themselves; raises the first error, after the others have stopped."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()
