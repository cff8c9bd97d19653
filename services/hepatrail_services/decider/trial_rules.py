"""The rules of the trial behind the runtime's port."""

from collections.abc import Sequence
from datetime import datetime

from hepatrail_events.codec import Recorded
from hepatrail_events.commands import CommandMessage
from hepatrail_events.errors import InvalidPayload, UnknownType
from hepatrail_events.event import Event
from hepatrail_services.command import Command, read_command
from hepatrail_services.decider.rules import StudyFacts
from hepatrail_services.deciders.catalogue import COMMANDS, INTERNAL_COMMANDS, State, decide, evolve, initial_state
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState

_KNOWN = {**COMMANDS, **INTERNAL_COMMANDS}


class TrialRules:
    """The pure deciders as `Rules`."""

    def initial(self, stream: str) -> State:
        """The state of a stream without events."""
        return initial_state(stream)

    def parse(self, message: CommandMessage) -> Command:
        """The command in a message; its input holds the command's id and leads to the message's stream."""
        kind = _KNOWN.get(message.commandtype)
        if kind is None:
            raise UnknownType(f"no command is called {message.commandtype!r} here")
        command = read_command(kind, message.input)
        if (command.command_id, command.stream()) != (message.commandid, message.stream):
            raise InvalidPayload(f"{message.commandtype}: the input belongs to another command or stream")
        return command

    def decide(
        self, state: State, study: StudyState, command: Command, message: CommandMessage, now: datetime
    ) -> Sequence[Event]:
        """The events that follow; CommandRejected names the rule that was broken."""
        context = Context(now, message.actor, message.commandid, message.receivedat)
        return decide(state, study, command, context)

    def evolve(self, state: State, recorded: Recorded) -> State:
        """The state after an event."""
        return evolve(state, recorded)

    def study_facts(self, study: StudyState, now: datetime) -> StudyFacts:
        """Whether a protocol was published, and the version in force."""
        in_force = study.protocol_at(now)
        return StudyFacts(study.published, None if in_force is None else in_force.version)
