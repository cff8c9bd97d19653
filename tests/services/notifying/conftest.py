"""An outbox with one channel, in time that the test moves."""

import pytest

from notifying_world import Hours, Teller
from outbox_world import World


@pytest.fixture
def hours() -> Hours:
    """The time of the test."""
    return Hours()


@pytest.fixture
def teller(hours: Hours) -> Teller:
    """The channel, which takes everything unless the test says otherwise."""
    return Teller(hours)


@pytest.fixture
def world(teller: Teller, hours: Hours) -> World:
    """A desk without alerts, and its outbox."""
    return World(teller, hours=hours)
