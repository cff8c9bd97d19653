"""The clock port: the system's clock, or one that a player moves forward so that a year passes in a minute."""

import fcntl
import mmap
import os
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from hepatrail_events.errors import StartRefused

SIMULATED = "simulated-clock"
_BYTES = 8
_PRODUCT = "hepatrail"


class Clock(Protocol):
    """Tells the time; every process takes it from here and nowhere else."""

    @property
    def label(self) -> str:
        """Empty for the system's clock, else what the log says about it."""
        ...

    def now(self) -> datetime:
        """The present instant: aware, UTC, cut to milliseconds."""
        ...


class SystemClock:
    """The clock of the machine, which the operator keeps synchronised (TIM-03)."""

    @property
    def label(self) -> str:
        """Empty: an ordinary log says nothing about its clock."""
        return ""

    def now(self) -> datetime:
        """The present instant: aware, UTC, cut to milliseconds."""
        return _cut(datetime.now(UTC))


class SimulatedClock:
    """The system's clock plus an offset that all processes share and that never shrinks.

    The offset is one signed 64-bit number of milliseconds in a file that every process maps, so that a move
    is seen by all at once. It stays in the file over a restart.
    """

    def __init__(self, path: Path) -> None:
        """Maps the file and makes it when it is missing; StartRefused when it cannot be used."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.fstat(descriptor).st_size < _BYTES:
                    os.ftruncate(descriptor, _BYTES)
                self._map = mmap.mmap(descriptor, _BYTES)
            finally:
                # The mapping keeps the file open, and with it the lock.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)
        except OSError as error:
            raise StartRefused(f"The simulated clock {path} cannot be used: {error.strerror}.") from error
        self.path = path
        # One aligned store and load of a machine word: no reader sees half a number.
        self._offset = memoryview(self._map).cast("q")

    @property
    def label(self) -> str:
        """`simulated-clock`."""
        return SIMULATED

    def now(self) -> datetime:
        """The present simulated instant: aware, UTC, cut to milliseconds."""
        return _cut(datetime.now(UTC) + timedelta(milliseconds=self._offset[0]))

    def advance_to(self, instant: datetime) -> datetime:
        """Moves time forward to `instant` (aware) for all processes and returns the new now; never backwards."""
        with self.path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            ahead = -(-(instant - datetime.now(UTC)) // timedelta(milliseconds=1))
            self._offset[0] = max(self._offset[0], ahead)
        return self.now()

    def close(self) -> None:
        """Gives the mapping back."""
        self._offset.release()
        self._map.close()


def make_clock(simulated: Path | None) -> SystemClock | SimulatedClock:
    """The clock of this process, as its settings say."""
    return SystemClock() if simulated is None else SimulatedClock(simulated)


def producer_name(clock: Clock) -> str:
    """What the envelope says wrote an event: `hepatrail/<version>`, with the clock when it is not the system's."""
    name = f"{_PRODUCT}/{version(_PRODUCT)}"
    return f"{name} ({clock.label.replace('-', ' ')})" if clock.label else name


def _cut(value: datetime) -> datetime:
    return value.replace(microsecond=value.microsecond // 1000 * 1000)
