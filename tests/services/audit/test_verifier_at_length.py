"""A long log: nothing in it is suspected, and a verifier's memory does not grow with it."""

import gc

import psutil

from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.verifier import verify
from long_log import LongLog

MEGABYTE = 1024 * 1024


async def test_an_untouched_log_of_100000_events_is_not_suspected() -> None:
    log = LongLog(streams=400, rounds=50, seals=10)
    steps: list[int] = []
    report = await verify(log, progress=lambda _step, done, _total: steps.append(done))
    assert report.whole and report.warnings == (), report.last_line()
    assert report.events == log.events >= 100_000
    assert (report.streams, report.seals) == (401, 10)
    assert steps == list(range(12))
    assert gc.isenabled(), "the collector is as it was"


async def test_memory_is_flat() -> None:
    """The streams are as many, the events ten times as many."""
    process = psutil.Process()

    async def resident_after(rounds: int) -> int:
        report = await verify(LongLog(streams=400, rounds=rounds))
        assert report.whole and report.events > 400 * rounds * 5
        return int(process.memory_info().rss)

    short = await resident_after(10)
    long = await resident_after(100)
    assert long - short < 10 * MEGABYTE


def test_its_events_are_of_the_usual_size() -> None:
    commits = LongLog(streams=1, rounds=1).commits(partition_of("subject-L-00000"))
    (rows,) = [each for each in commits if len(each) == 5]
    assert all(900 < len(value or b"") < 1400 for _, _, value in rows)
