"""The decider process: joins the group, serves the lanes it is given, and ends when going on would not be safe."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from itertools import combinations
from typing import Any

from aiokafka.errors import KafkaError

from hepatrail_events.errors import Unavailable
from hepatrail_infra.clock import Clock, producer_name
from hepatrail_infra.kafka_admin import ensure_topics
from hepatrail_infra.telemetry import Health
from hepatrail_services.decider import metrics
from hepatrail_services.decider.halted import Halted, LaneLost
from hepatrail_services.decider.lane import LaneWorker
from hepatrail_services.decider.lanes import Lane, lanes_of
from hepatrail_services.decider.membership import Member, Membership
from hepatrail_services.decider.memory import Folder, PartitionMemory
from hepatrail_services.decider.plan import Failure
from hepatrail_services.decider.releases import Releases
from hepatrail_services.decider.rules import Rules
from hepatrail_services.decider.setting import Setting, Trouble
from hepatrail_services.decider.study_follower import StudyFollower

_log = logging.getLogger(__name__)

_TOO_MANY = 3
_KEPT_FAILURES = 50
_STOP_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class DeciderProcess:
    """One member of the decider's group.

    `instance` is stable and unique among the deciders of a study (static membership), `lanes` the same in all.
    """

    def __init__(
        self, bootstrap: str, *, instance: str, lanes: int, clock: Clock, rules: Rules, replication: int = 1
    ) -> None:
        lanes_of(lanes)
        self._bootstrap = bootstrap
        self._instance = instance
        self._layout = lanes
        self._clock = clock
        self._rules = rules
        self._replication = replication
        self._releases = Releases(bootstrap)
        self._folder = Folder(rules, clock.label, self._releases.places)
        self._study = StudyFollower(bootstrap, self._folder)
        self._trouble = Trouble()
        self._memories: dict[int, PartitionMemory] = {}
        self._workers: dict[LaneWorker, asyncio.Task[None]] = {}
        self._failures: list[Failure] = []
        self._membership: Membership | None = None
        self._member: Member | None = None
        self._settled = False
        self._stop = asyncio.Event()
        self._broken: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Serves until `stop`.

        Raises StartRefused (topics, clock, instance taken), LogShorter, Halted: then the process must end, and
        the message says why. What may pass (Kafka away, a fence, an unknown outcome) is tried again for ever.
        """
        parts: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._serve_from_the_start()),
            asyncio.create_task(self._stop.wait()),
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(parts)
            await self._releases.stop()
            await self._study.stop()
        if not parts[0].cancelled():
            parts[0].result()
        if not self._stop.is_set():
            raise Halted("A part of the decider ended by itself.")

    async def _serve_from_the_start(self) -> None:
        await self._patiently(lambda: ensure_topics(self._bootstrap, self._replication))
        await self._patiently(self._releases.start)
        await self._patiently(self._study.start)
        parts = [asyncio.create_task(part) for part in (self._serve(), self._releases.follow(), self._study.follow())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(parts)
        for task in done:
            task.result()

    def stop(self) -> None:
        """Asks the process to finish its transactions and end."""
        self._stop.set()

    async def health(self) -> Health:
        """Healthy while every lane that the group gave to this process is served (DESIGN section 2, fact 4)."""
        workers = list(self._workers)
        parked = {name: parked.code for memory in self._memories.values() for name, parked in memory.parked().items()}
        return Health(
            healthy=self._settled and all(worker.healthy for worker in workers),
            detail={
                "lanes": {str(worker.lane.number): worker.healthy for worker in workers},
                "layout": self._layout,
                "study": self._study.version,
                "parked": parked,
            },
        )

    async def _patiently(self, start: Callable[[], Coroutine[Any, Any, None]]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await start()
            except Unavailable as error:
                _log.warning("waiting for Kafka: %s", error)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                return

    async def _serve(self) -> None:
        """One stay in the group after the other."""
        pause = _FIRST_PAUSE
        while True:
            begin = asyncio.get_running_loop().time()
            try:
                await self._stay()
            except (LaneLost, Unavailable, KafkaError) as error:
                reason = "fenced" if isinstance(error, LaneLost) and error.fenced else type(error).__name__
                metrics.REJOINS.labels(reason).inc()
                _log.warning("leaving the group and joining again: %s", error)
            if asyncio.get_running_loop().time() - begin > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def _stay(self) -> None:
        self._broken = asyncio.get_running_loop().create_future()
        membership = self._membership = Membership(
            self._bootstrap, self._instance, self._layout, self._assigned, self._revoked, self._member
        )
        member = asyncio.create_task(membership.run())
        try:
            await asyncio.wait([member, self._broken], return_when=asyncio.FIRST_COMPLETED)
            if self._broken.done():
                self._broken.result()
            member.result()
        finally:
            await self._revoked()
            await _end([member])
            self._member = membership.member
            self._membership = None

    async def _assigned(self, lanes: tuple[Lane, ...]) -> None:
        assert self._membership is not None
        kept = {partition for lane in lanes for partition in lane.partitions}
        self._memories = {
            partition: self._memories.get(partition) or PartitionMemory(partition, self._folder) for partition in kept
        }
        setting = Setting(
            bootstrap=self._bootstrap,
            rules=self._rules,
            clock=self._clock,
            producer=producer_name(self._clock),
            folder=self._folder,
            study=self._study,
            releases=self._releases,
            trouble=self._trouble,
            confirm=self._membership.confirm,
            failed=self._failed,
        )
        for lane in lanes:
            memories = {partition: self._memories[partition] for partition in lane.partitions}
            worker = LaneWorker(lane, setting, memories)
            task = asyncio.create_task(worker.run())
            task.add_done_callback(self._worker_ended)
            self._workers[worker] = task
        self._settled = True
        metrics.ASSIGNED_LANES.set(len(lanes))
        metrics.READY_LANES.set_function(lambda: sum(worker.ready for worker in self._workers))
        metrics.PARKED_STREAMS.set_function(lambda: sum(len(memory.parked()) for memory in self._memories.values()))

    async def _revoked(self) -> None:
        """Ends all lanes, after their transactions if these end in time."""
        self._settled = False
        workers, self._workers = self._workers, {}
        for worker in workers:
            worker.stop()
        if workers:
            await asyncio.wait(workers.values(), timeout=_STOP_SECONDS)
            await _end(list(workers.values()))
        metrics.ASSIGNED_LANES.set(0)

    def _worker_ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        unasked = task in self._workers.values()
        if (error is not None or unasked) and self._broken is not None and not self._broken.done():
            self._broken.set_exception(error or LaneLost("a lane ended by itself"))

    def _failed(self, failures: Sequence[Failure]) -> None:
        """Halted at the third failure of different streams and clients: then the rules are at fault, not one input."""
        if not failures:
            return
        _log.error("commands failed by a bug: %s", [failure.stream for failure in failures])
        self._failures = [*self._failures, *failures][-_KEPT_FAILURES:]
        for some in combinations(set(self._failures), _TOO_MANY):
            streams, clients = {one.stream for one in some}, {one.client for one in some}
            if len(streams) == len(clients) == _TOO_MANY:
                raise Halted(f"Decisions keep failing by a bug: {', '.join(sorted(streams))}")


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
