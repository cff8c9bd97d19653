"""The whole log held to itself: releases, seals, then every event; and what somebody kept outside of it."""

import gc
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from hepatrail_events.errors import InvalidMessage
from hepatrail_events.transparency.checkpoint import TREES, Checkpoint, events_origin
from hepatrail_events.transparency.note import VerifierKey
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_quarantine import Place, Released, read_quarantine
from hepatrail_services.audit.decisions_check import check_decisions
from hepatrail_services.audit.events_check import EventsCheck
from hepatrail_services.audit.headers_check import wrong_headers
from hepatrail_services.audit.marks import TAKEN_EARLIER, Marks
from hepatrail_services.audit.problems import Problem, Problems, Report
from hepatrail_services.audit.readable import readable_rows, readable_rows_with_headers
from hepatrail_services.audit.seals_check import SealsRead, check_seals
from hepatrail_services.audit.source import LogSource
from hepatrail_services.audit.study_keys import STUDY_PARTITION, StudyKeys

Progress = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and how much there is."""

_ORIGIN: Final = re.compile(r"^(?P<log>.+)/(?:events/(?P<partition>0|[1-9][0-9]?)|seals)$")


async def verify(
    source: LogSource,
    *,
    pinned: Sequence[VerifierKey] = (),
    checkpoints: Sequence[Checkpoint] = (),
    decisions: bool = False,
    headers: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Checks chains, commits, bytes, trees and seals of a log.

    `pinned` are keys that the auditor trusts: without one the first key of the log is. `checkpoints` are what the
    auditor took away earlier, taken for true. `decisions` and `headers` are checked on top where asked. The garbage
    collector stands still meanwhile, so that a server must not call it. Raises Unavailable.
    """
    problems, study = Problems(), StudyKeys(source)
    released = await _released(source, problems)
    kept = _Kept(checkpoints)
    seals = await check_seals(source, study, problems, pinned=pinned, history=kept.history)
    if seals.log is None:
        await study.read_on()
    log = seals.log or (study.genesis or "")[:16]
    kept.join(seals, log, study, problems)
    check = EventsCheck(released, seals.marks, problems)
    with _collector_at_rest():
        for done, partition in enumerate(_order()):
            if progress is not None:
                progress("events", done, TREES)
            check.begin(partition)
            await _check_events(source, partition, check, headers=headers)
            check.end()
            gc.collect()
    if decisions:
        await check_decisions(source, released, problems)
    found = problems.first()
    keys = "those given" if pinned else "the log's own"
    return Report(
        streams=len(check.heads),
        events=check.events,
        first_at=check.first_at,
        last_at=check.last_at,
        heads=dict(sorted(check.heads.items())),
        trees=tuple(
            Checkpoint(events_origin(log, partition), tree.size, tree.root())
            for partition, tree in sorted(check.trees.items())
        ),
        seals=seals.count,
        keys=f"{keys}, and {len(checkpoints)} checkpoints taken earlier agree" if checkpoints else keys,
        problems=found,
        count=problems.count,
        warnings=seals.warnings,
    )


async def _check_events(source: LogSource, partition: int, check: EventsCheck, *, headers: bool) -> None:
    if not headers:
        async for rows in readable_rows(source, EVENTS, partition, check.problems):
            check.take(rows)
        return
    async for batch in readable_rows_with_headers(source, EVENTS, partition, check.problems):
        for problem in wrong_headers(partition, batch):
            check.problems.add(problem)
        check.take([row[:3] for row in batch])


async def _released(source: LogSource, problems: Problems) -> frozenset[Place]:
    """The records that somebody has decided to pass over; what else stands in quarantine says nothing of the log."""
    found = set[Place]()
    async for rows in readable_rows(source, QUARANTINE, 0, problems):
        for _, _, value in rows:
            try:
                entry = read_quarantine(value or b"")
            except InvalidMessage:
                continue
            if isinstance(entry, Released):
                found.add(Place(entry.topic, entry.partition, entry.offset))
    return frozenset(found)


class _Kept:
    """Checkpoints from outside of the log: those of the tree over the seals, and those of the partitions."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self.history = Marks()
        self._partitions: list[tuple[int, Checkpoint]] = []
        self._logs = dict[str, str]()
        self._strange = list[Checkpoint]()
        for each in checkpoints:
            origin = _ORIGIN.match(each.origin)
            if origin is None or int(origin["partition"] or 0) >= TREES:
                self._strange.append(each)
                continue
            self._logs[origin["log"]] = each.origin
            if origin["partition"] is None:
                self.history.add(each.size, each.root, TAKEN_EARLIER)
            else:
                self._partitions.append((int(origin["partition"]), each))

    def join(self, seals: SealsRead, log: str, study: StudyKeys, problems: Problems) -> None:
        """Puts the partitions' among the marks of the seals, and names those that are of another log."""
        for partition, each in self._partitions:
            seals.marks[partition].add(each.size, each.root, TAKEN_EARLIER)
        for each in self._strange:
            _refuse(f"a checkpoint of {each.origin!r} is of no tree of a log", problems)
        for name, origin in self._logs.items():
            same = name == log if seals.log is not None else name.rpartition("/")[2] == (study.genesis or "")[:16]
            if not same:
                _refuse(f"the checkpoint of {origin} was taken of another log: this one is {log or 'empty'}", problems)


def _refuse(message: str, problems: Problems) -> None:
    problems.add(Problem("SEAL_LOG", CHECKPOINTS, 0, None, None, None, message))


def _order() -> tuple[int, ...]:
    """The study's partition first: what stands there says what the others mean."""
    return (STUDY_PARTITION, *(partition for partition in range(TREES) if partition != STUDY_PARTITION))


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Nothing that is made for an event is part of a cycle: to look for some would cost a tenth of the time."""
    on = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if on:
            gc.enable()
