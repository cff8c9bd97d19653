"""The port `Clock`: the system's, a simulated one, and the one that tests set by hand."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from hepatrail_infra.clock import Clock, SimulatedClock, SystemClock, producer_name
from hepatrail_services.decider.memory import clock_label
from runtime_support import SetClock


@pytest.fixture(params=["system", "simulated", "set"])
def clock(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clock]:
    if request.param != "simulated":
        yield SystemClock() if request.param == "system" else SetClock()
        return
    simulated = SimulatedClock(tmp_path / "clock")
    simulated.advance_to(simulated.now() + timedelta(days=400))
    yield simulated
    simulated.close()


def test_now_is_utc_and_cut_to_milliseconds(clock: Clock) -> None:
    now = clock.now()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


def test_time_goes_on(clock: Clock) -> None:
    first = clock.now()
    second = clock.now()
    assert first <= second < first + timedelta(seconds=5)


def test_a_decider_finds_the_clock_of_a_log_in_its_events(clock: Clock) -> None:
    assert clock_label(producer_name(clock)) == clock.label
