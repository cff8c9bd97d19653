"""Until when the projections are complete, and how a tail that stands still is found out."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from hepatrail_projections import completeness
from hepatrail_projections.completeness import MARGIN, Completeness, Seen

TP = TopicPartition("hepatrail.events", 0)


class Hands:
    """A machine's clock and a process' clock that a test moves."""

    label = ""

    def __init__(self) -> None:
        self.machine = 1_800_000_000.0
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.machine, UTC) + self.ahead


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr(completeness, "time", SimpleNamespace(time=lambda: made.machine))
    return made


def at_end(hands: Hands, **changes: Any) -> dict[TopicPartition, Seen]:
    fields = {"position": 5, "stable": 5, "high": 5, "fetched_at": hands.machine, "delivered": 4}
    return {TP: Seen(**{**fields, **changes})}


def test_a_fetch_counts_from_the_answer_before_it_less_the_margin(hands: Hands) -> None:
    complete = Completeness(hands)
    complete.observe(at_end(hands), {TP: 5})
    assert complete.complete_to() == {}
    first = hands.machine
    hands.machine += 0.5
    complete.observe(at_end(hands), {TP: 5})
    assert complete.complete_to() == {TP: datetime.fromtimestamp(first, UTC) - MARGIN}
    # Stopped for a minute between the answer and its reading: the answer is no younger for that.
    second = hands.machine
    hands.machine += 60
    complete.observe(at_end(hands), {TP: 5})
    assert complete.complete_to() == {TP: datetime.fromtimestamp(second, UTC) - MARGIN}


@pytest.mark.parametrize(
    ("changes", "applied"),
    [({"stable": 4}, 5), ({"high": 6}, 5), ({"position": 4}, 5), ({"delivered": 4}, 4), ({"fetched_at": None}, 5)],
)
def test_it_stands_still_while_anything_is_open_or_not_projected(
    hands: Hands, changes: dict[str, Any], applied: int
) -> None:
    complete = Completeness(hands)
    for _ in range(3):
        hands.machine += 0.5
        complete.observe(at_end(hands, **changes), {TP: applied})
    assert complete.complete_to() == {}


def test_a_simulated_clock_that_jumps_does_not_carry_an_older_fetch_with_it(hands: Hands) -> None:
    complete = Completeness(hands)
    for _ in range(3):
        complete.observe(at_end(hands), {TP: 5})
        hands.machine += 0.5
    before = hands.now()
    hands.ahead = timedelta(days=30)
    complete.observe(at_end(hands), {TP: 5})
    assert complete.complete_to()[TP] < before
    for _ in range(2):
        hands.machine += 0.5
        complete.observe(at_end(hands), {TP: 5})
    assert complete.complete_to()[TP] > before + timedelta(days=29)
