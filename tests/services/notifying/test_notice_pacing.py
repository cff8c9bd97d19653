"""The pause before the next try: longer each time, spread by chance, slow where only a person can help."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_services.notifying.notifier import Undelivered
from hepatrail_services.notifying.pacing import Pacing

AWAY = Undelivered("away", retryable=True)
REFUSED = Undelivered("refused", retryable=False)
PACING = Pacing()


def test_the_pause_doubles_from_a_second_to_a_minute() -> None:
    longest = [PACING.pause(number, AWAY, 1.0) for number in range(1, 9)]
    assert longest == [1, 2, 4, 8, 16, 32, 60, 60]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_chance_spreads_it_over_its_second_half(failures: int, chance: float) -> None:
    full = PACING.pause(failures, AWAY, 1.0)
    assert full / 2 <= PACING.pause(failures, AWAY, chance) <= full <= PACING.longest


@pytest.mark.parametrize("failures", [1, 2, 50])
def test_what_a_person_must_mend_is_tried_every_few_minutes(failures: int) -> None:
    assert PACING.pause(failures, REFUSED, 0.0) == 150
    assert PACING.pause(failures, REFUSED, 1.0) == 300


def test_who_asks_to_be_left_alone_is_but_not_for_ever() -> None:
    assert PACING.pause(1, Undelivered("busy", retryable=True, after=120), 0.5) == 120
    assert PACING.pause(1, Undelivered("busy", retryable=True, after=10**9), 0.5) == PACING.longest_asked
