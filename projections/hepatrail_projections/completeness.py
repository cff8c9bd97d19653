"""Until when the projections are complete (DESIGN section 3, as of).

A partition is complete to the moment of a fetch that showed position = last stable offset = high watermark, less
4 s: 2 s may pass between a stamp and its send, 2 s clocks may differ. Decided here: a fetch counts from the moment
when the answer before it arrived, because the request was not sent earlier, and a process that was stopped between
an answer and its reading must not think the answer younger than it is.
"""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiokafka import TopicPartition

from hepatrail_infra.clock import Clock

MARGIN = timedelta(seconds=4)
_SAMPLE_SECONDS = 0.1
_SAMPLES = 128


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last fetch of a partition showed; `fetched_at` in seconds since the epoch on this machine's clock.

    `delivered` is the offset of the last record handed out, None when none was.
    """

    position: int
    stable: int | None
    high: int | None
    fetched_at: float | None
    delivered: int | None

    @property
    def at_end(self) -> bool:
        """Whether nothing more is there and no transaction is open."""
        return self.position == self.stable == self.high


class Completeness:
    """Follows what fetches show and says until when each partition is projected."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._skews: deque[tuple[float, timedelta]] = deque(maxlen=_SAMPLES)
        self._answers: dict[TopicPartition, tuple[float, float]] = {}
        self._complete: dict[TopicPartition, datetime] = {}

    def observe(self, seen: Mapping[TopicPartition, Seen], applied: Mapping[TopicPartition, int]) -> None:
        """Takes in what the last fetches showed; `applied` is the next offset of each partition in the tables."""
        self._sample()
        for partition, each in seen.items():
            if each.fetched_at is None:
                continue
            before, last = self._answers.get(partition, (0.0, 0.0))
            if each.fetched_at != last:
                before, last = last, each.fetched_at
                self._answers[partition] = (before, last)
            projected = each.delivered is None or applied[partition] > each.delivered
            moment = self._moment(before)
            if each.at_end and projected and moment is not None:
                known = self._complete.get(partition)
                self._complete[partition] = moment if known is None else max(known, moment)

    def complete_to(self) -> dict[TopicPartition, datetime]:
        """The moment of each partition, as far as one is known."""
        return dict(self._complete)

    def _sample(self) -> None:
        now = time.time()
        if not self._skews or now - self._skews[-1][0] >= _SAMPLE_SECONDS:
            self._skews.append((now, self._clock.now() - datetime.fromtimestamp(now, UTC)))

    def _moment(self, at: float) -> datetime | None:
        """An instant of the machine's clock on the process' clock, as that stood then at the latest."""
        skew = next((skew for sampled, skew in reversed(self._skews) if sampled <= at), None)
        return None if skew is None else datetime.fromtimestamp(at, UTC) + skew - MARGIN
