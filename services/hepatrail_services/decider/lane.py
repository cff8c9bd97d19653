"""One lane at work: takes it over, then decides whatever has arrived, one transaction after the other."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from itertools import islice

from aiokafka import TopicPartition

from hepatrail_events.streams import STUDY
from hepatrail_services.decider import metrics
from hepatrail_services.decider.batch import decide_batch
from hepatrail_services.decider.halted import LaneLost
from hepatrail_services.decider.intake import Intake
from hepatrail_services.decider.lanes import Lane
from hepatrail_services.decider.memory import PartitionMemory
from hepatrail_services.decider.plan import MAX_COMMANDS, Asked, Frame, Overlay, Plan
from hepatrail_services.decider.setting import Setting, commands
from hepatrail_services.decider.takeover import refold, take_over
from hepatrail_services.decider.writer import LaneWriter

_log = logging.getLogger(__name__)

STAMP_SECONDS = 2.0
"""How far the stamp and the last send of a transaction may lie apart: what `completeTo` rests on."""
_STUDY_SECONDS = 5.0
_FETCH_SECONDS = 10.0


class LaneWorker:
    """Serves a lane from its assignment until `stop` or a failure; the memories stay right either way."""

    def __init__(self, lane: Lane, setting: Setting, memories: Mapping[int, PartitionMemory]) -> None:
        self.lane = lane
        self.ready = False
        self._setting = setting
        self._memories = memories
        self._intake: Intake | None = None
        self._stopping = False
        self._most = MAX_COMMANDS
        self._releases_seen = 0

    def stop(self) -> None:
        """Asks the lane to end after the transaction under way."""
        self._stopping = True
        if self._intake is not None:
            self._intake.wake()

    @property
    def healthy(self) -> bool:
        """Whether the lane serves and Kafka has answered a fetch in the last 10 s."""
        return self.ready and self._intake is not None and time.time() - self._intake.last_fetch() < _FETCH_SECONDS

    async def run(self) -> None:
        """Takes the lane over and serves it; raises LaneLost, Unavailable, LogShorter, Halted, StartRefused."""
        begin = time.monotonic()
        taken = await take_over(self.lane, self._setting, self._memories)
        metrics.TAKE_OVER_SECONDS.observe(time.monotonic() - begin)
        intake = self._intake = Intake(taken.reader)
        reading = asyncio.create_task(intake.run())
        serving = asyncio.create_task(self._serve(intake, taken.writer))
        try:
            _log.info("lane %d of %d serves", *self.lane)
            self.ready = True
            await asyncio.wait([reading, serving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.ready = False
            reading.cancel()
            serving.cancel()
            results = await asyncio.gather(reading, serving, return_exceptions=True)
            await taken.writer.close()
            await taken.reader.stop()
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result

    async def _serve(self, intake: Intake, writer: LaneWriter) -> None:
        while not self._stopping:
            if intake.waiting:
                await self._take_released()
                await self._transaction(intake, writer)
            else:
                await intake.wait()

    async def _transaction(self, intake: Intake, writer: LaneWriter) -> None:
        batch = self._next_batch(intake)
        await self._study_for(batch)
        begin = time.monotonic()
        overlay = Overlay(self._memories)
        plan = decide_batch(batch, overlay, self._frame())
        done = batch[: plan.taken]
        try:
            ends = await writer.send(plan.records, _next_offsets(done))
        except LaneLost as error:
            if error.refused:
                self._setting.trouble.refused(done)
            raise
        if time.monotonic() - begin > STAMP_SECONDS:
            # Readers rely on an event being in the log that soon after its recordedAt.
            metrics.STALE_STAMPS.inc()
            self._most = max(1, len(done) // 2)
            await writer.abort()
            return
        await writer.commit()
        overlay.merge()
        self._advance(ends)
        intake.done(plan.taken)
        self._most = min(MAX_COMMANDS, self._most * 2)
        _count(plan, time.monotonic() - begin)
        self._setting.failed(plan.failures)

    def _next_batch(self, intake: Intake) -> list[Asked]:
        trouble = self._setting.trouble
        if trouble.careful(intake.waiting[0]):
            return [intake.waiting[0]]
        batch = list(islice(intake.waiting, self._most))
        odd = next((index for index, asked in enumerate(batch) if trouble.careful(asked)), len(batch))
        return batch[:odd]

    async def _study_for(self, batch: Sequence[Asked]) -> None:
        """Waits until the study is read as far as the commands' senders had seen it decided.

        A version that is not there in time was never decided: such a command is answered NOT_READY.
        """
        versions = [one.message.studyversion for one in batch if one.message and one.message.stream != STUDY]
        needed = max(versions, default=0)
        if needed > self._setting.study.version:
            await self._setting.study.at_least(needed, _STUDY_SECONDS)

    def _frame(self) -> Frame:
        setting = self._setting
        return Frame(
            rules=setting.rules,
            study=setting.study.state,
            study_version=setting.study.version,
            now=setting.clock.now(),
            producer=setting.producer,
            doomed=frozenset(setting.trouble.doomed),
        )

    def _advance(self, ends: Mapping[TopicPartition, int]) -> None:
        for place, end in ends.items():
            memory = self._memories.get(place.partition)
            if memory is not None and place in memory.positions:
                memory.positions[place] = end

    async def _take_released(self) -> None:
        """Folds parked streams again whose unreadable record has been released meanwhile."""
        known = len(self._setting.releases.places)
        if known == self._releases_seen:
            return
        for memory in self._memories.values():
            released = {
                name: parked.place
                for name, parked in memory.parked().items()
                if parked.place in self._setting.releases.places
            }
            if released:
                memory.streams.update(await refold(self._setting, memory.partition, released))
                _log.info("streams of partition %d folded again after a release: %s", memory.partition, list(released))
        self._releases_seen = known


def _next_offsets(batch: Sequence[Asked]) -> dict[TopicPartition, int]:
    return {commands(asked.partition): asked.offset + 1 for asked in batch}


def _count(plan: Plan, seconds: float) -> None:
    metrics.TRANSACTIONS.inc()
    metrics.TRANSACTION_SECONDS.observe(seconds)
    metrics.COMMANDS_PER_TRANSACTION.observe(plan.taken)
    for decision in plan.decisions:
        metrics.DECISIONS.labels(decision.verdict.value, decision.code.value if decision.code else "").inc()
    for code in plan.quarantined:
        metrics.ERRORS.labels(code.value).inc()
