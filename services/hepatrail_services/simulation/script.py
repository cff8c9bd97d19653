"""What one participant's people enter: commands in the making, each with its own id."""

from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.roles import Role
from hepatrail_events.types import format_instant
from hepatrail_services.simulation.participants import Participant
from hepatrail_services.simulation.trial import ACCEPTED, TimedCommand

COORDINATOR, INVESTIGATOR, LABORATORY = Role.COORDINATOR, Role.INVESTIGATOR, Role.LABORATORY
PRINCIPAL, SPONSOR, OFFICER, MONITOR = (
    Role.PRINCIPAL_INVESTIGATOR,
    Role.SPONSOR,
    Role.SAFETY_OFFICER,
    Role.MONITOR,
)


class Script:
    """Collects the commands about one participant; its random numbers depend on seed and participant only."""

    def __init__(self, seed: int, participant: Participant) -> None:
        self.participant = participant
        self.rng = Random(f"{seed}|script|{participant.number}")  # noqa: S311  a simulation, no secret
        self.commands: list[TimedCommand] = []
        self._seed = seed

    def enter(self, at: datetime, role: Role, mutation: str, values: dict[str, Any], *, expect: str = ACCEPTED) -> UUID:
        """Adds one command about the participant and returns its id."""
        subject = self.participant.subject_id
        identity = derived_id("simulate", self._seed, subject, len(self.commands))
        command = {"commandId": str(identity), "subjectId": subject, **values}
        self.commands.append(TimedCommand(at=at, role=role, mutation=mutation, input=command, expect=expect))
        return identity

    def later(self, at: datetime, low_minutes: int, high_minutes: int) -> datetime:
        """A moment some whole minutes after `at`."""
        return at + timedelta(minutes=self.rng.randint(low_minutes, high_minutes))


def minute(at: datetime) -> dict[str, str]:
    """A `PartialDate` known to the minute."""
    return {"value": at.strftime("%Y-%m-%dT%H:%MZ"), "precision": "MINUTE"}


def day(at: datetime) -> dict[str, str]:
    """A `PartialDate` known to the day, that of `at` in UTC."""
    return {"value": f"{at:%Y-%m-%d}", "precision": "DAY"}


def text(at: datetime) -> str:
    """An instant as input."""
    return format_instant(at)
