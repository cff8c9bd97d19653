"""The port between the runtime and the rules of the trial: pure functions, handed in by whoever wires the process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hepatrail_events.codec import Recorded
from hepatrail_events.commands import CommandMessage
from hepatrail_events.event import Event


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What the runtime itself needs of the study: whether a protocol was published, and the version in force."""

    published: bool
    protocol_version: str | None


class Rules(Protocol):
    """Everything that is decided, without I/O, clock or chance.

    States are values that the runtime keeps and hands back, and never looks into.
    """

    def initial(self, stream: str) -> Any:
        """The state of a stream without events."""
        ...

    def parse(self, message: CommandMessage) -> Any:
        """The command in a message; InvalidMessage when it cannot be read, CommandRejected when its shape is wrong."""
        ...

    def decide(self, state: Any, study: Any, command: Any, message: CommandMessage, now: datetime) -> Sequence[Event]:
        """The events that follow, stamped with `now` by the runtime; CommandRejected names the rule that was broken."""
        ...

    def evolve(self, state: Any, recorded: Recorded) -> Any:
        """The state after an event; never fails."""
        ...

    def study_facts(self, study: Any, now: datetime) -> StudyFacts:
        """The facts of a study state at an instant."""
        ...
