"""The log itself says on which clock its study runs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hepatrail_cli.log_origin import LogOrigin, hold_clock, log_origin
from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import STUDY
from hepatrail_infra.clock import Clock, SimulatedClock, SystemClock, producer_name
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import close_producer, make_producer, partition_of


async def write(bootstrap: str, key: str, clock: Clock, abort: bool = False) -> None:
    producer = make_producer(bootstrap, "test-log-origin")
    await producer.start()
    await producer.begin_transaction()
    value = canonical_json({"producer": producer_name(clock), "subject": key})
    await producer.send_and_wait(EVENTS, value, key.encode(), partition_of(STUDY))
    await (producer.abort_transaction() if abort else producer.commit_transaction())
    await close_producer(producer)


async def test_a_study_keeps_the_clock_it_began_with(kafka: str, tmp_path: Path) -> None:
    simulated, system = SimulatedClock(tmp_path / "clock"), SystemClock()
    assert simulated.advance_to(datetime(2027, 1, 1, tzinfo=UTC)) >= datetime(2027, 1, 1, tzinfo=UTC)
    for clock in (simulated, system):
        assert await hold_clock(kafka, clock) == LogOrigin(False)

    await write(kafka, STUDY, system, abort=True)
    await write(kafka, "subject-X1", system)
    assert await log_origin(kafka) == LogOrigin(False)

    await write(kafka, STUDY, simulated)
    await write(kafka, STUDY, system)
    assert await hold_clock(kafka, simulated) == LogOrigin(True, simulated=True)
    with pytest.raises(StartRefused, match="refused without one"):
        await hold_clock(kafka, system)
    simulated.close()
