"""The log itself says on which clock its study runs."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hepatrail_cli.log_origin import LogOrigin, hold_clock, log_origin
from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import STUDY
from hepatrail_infra.clock import Clock, SimulatedClock, SystemClock, producer_name
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import EVENTS, ensure_topics
from hepatrail_infra.kafka_log import close_producer, make_producer, partition_of


@pytest.fixture(scope="module")
async def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    server = EmbeddedKafka(tmp_path_factory.mktemp("kafka"))
    try:
        servers = await server.start()
        await ensure_topics(servers)
        yield servers
    finally:
        await server.stop()


async def write(bootstrap: str, key: str, clock: Clock, abort: bool = False) -> None:
    producer = make_producer(bootstrap, "test-log-origin")
    await producer.start()
    await producer.begin_transaction()
    value = canonical_json({"producer": producer_name(clock), "subject": key})
    await producer.send_and_wait(EVENTS, value, key.encode(), partition_of(STUDY))
    await (producer.abort_transaction() if abort else producer.commit_transaction())
    await close_producer(producer)


async def test_a_study_keeps_the_clock_it_began_with(bootstrap: str, tmp_path: Path) -> None:
    simulated, system = SimulatedClock(tmp_path / "clock"), SystemClock()
    assert simulated.advance_to(datetime(2027, 1, 1, tzinfo=UTC)) >= datetime(2027, 1, 1, tzinfo=UTC)
    for clock in (simulated, system):
        assert await hold_clock(bootstrap, clock) == LogOrigin(False)

    await write(bootstrap, STUDY, system, abort=True)
    await write(bootstrap, "subject-X1", system)
    assert await log_origin(bootstrap) == LogOrigin(False)

    await write(bootstrap, STUDY, simulated)
    await write(bootstrap, STUDY, system)
    assert await hold_clock(bootstrap, simulated) == LogOrigin(True, simulated=True)
    with pytest.raises(StartRefused, match="refused without one"):
        await hold_clock(bootstrap, system)
    simulated.close()
