import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.clock import SimulatedClock, SystemClock, make_clock, producer_name


def test_the_system_clock_tells_utc_in_milliseconds() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=1)


def test_a_simulated_clock_moves_forward_and_goes_on_from_there(tmp_path: Path) -> None:
    clock = SimulatedClock(tmp_path / "clock")
    there = clock.now() + timedelta(days=400)
    assert there <= clock.advance_to(there) < there + timedelta(seconds=1)
    assert there <= clock.now() < there + timedelta(seconds=1)
    clock.close()


def test_a_simulated_clock_never_goes_backwards(tmp_path: Path) -> None:
    clock = SimulatedClock(tmp_path / "clock")
    before = clock.advance_to(clock.now() + timedelta(days=2))
    assert clock.advance_to(before - timedelta(days=1)) >= before
    clock.close()


def test_another_process_sees_a_move_at_once(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    here = SimulatedClock(path)
    program = f"""
from pathlib import Path
from hepatrail_infra.clock import SimulatedClock
clock = SimulatedClock(Path({str(path)!r}))
input()
print(clock.now().isoformat(), flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as there:
        target = here.advance_to(here.now() + timedelta(days=300))
        seen, _ = there.communicate("go\n", timeout=20)
    assert abs(datetime.fromisoformat(seen.strip()) - target) < timedelta(seconds=20)
    here.close()


def test_the_offset_outlives_the_process(tmp_path: Path) -> None:
    first = SimulatedClock(tmp_path / "clock")
    there = first.advance_to(first.now() + timedelta(days=30))
    first.close()
    second = SimulatedClock(tmp_path / "clock")
    assert second.now() >= there
    second.close()


def test_the_log_says_which_clock_it_was(tmp_path: Path) -> None:
    clock = make_clock(tmp_path / "clock")
    assert isinstance(clock, SimulatedClock)
    assert producer_name(clock) == producer_name(make_clock(None)) + " (simulated clock)"
    assert producer_name(make_clock(None)).startswith("hepatrail/")
    clock.close()


def test_a_clock_that_cannot_be_made_refuses_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be used"):
        SimulatedClock(tmp_path / "missing" / "clock")
