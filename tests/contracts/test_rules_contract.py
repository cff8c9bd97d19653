"""The port `Rules`: what the runtime relies on, held by the small rules of its tests and by those of the trial."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from hepatrail_events.codec import read, record
from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.envelope import GENESIS, Envelope
from hepatrail_events.errors import CommandRejected, InvalidMessage
from hepatrail_events.ids import uuid7
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_services.decider.rules import Rules
from hepatrail_services.decider.trial_rules import TrialRules
from hepatrail_services.deciders.study import PublishProtocol
from runtime_support import NoteRules, note

NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
SPONSOR = Actor(id="office", role=Role.SPONSOR, org="Sponsor", sites=("*",))


def publication(role: Role) -> CommandMessage:
    """The command that publishes the shipped protocol, as a gateway sends it."""
    content = shipped_protocol().content()
    id = uuid4()
    body = {
        "commandId": str(id),
        "version": "1",
        "content": content,
        "approvedBy": "Steering committee",
        "reason": "first version",
        "effectiveAt": "2026-03-01T00:00:00.000Z",
    }
    return CommandMessage(
        commandid=id,
        commandtype="publishProtocol",
        stream=STUDY,
        input=body,
        actor=SPONSOR.model_copy(update={"role": role}),
        receivedat=NOW,
    )


def _trial_publication() -> CommandMessage:
    return publication(sorted(PublishProtocol.ROLES)[0])


CASES = [
    pytest.param(NoteRules(), note(STUDY), note("subject-P01", "reject"), id="notes"),
    pytest.param(
        TrialRules(),
        _trial_publication(),
        note("subject-P01").model_copy(update={"commandtype": "withdrawSubject"}),
        id="trial",
    ),
]


@pytest.mark.parametrize(("rules", "publish", "refused"), CASES)
class TestRules:
    def test_a_first_state_is_a_value(self, rules: Rules, publish: CommandMessage, refused: CommandMessage) -> None:
        for stream in (STUDY, SAFETY_DESK, "subject-P01"):
            assert rules.initial(stream) == rules.initial(stream)

    def test_nothing_is_published_at_first(
        self, rules: Rules, publish: CommandMessage, refused: CommandMessage
    ) -> None:
        facts = rules.study_facts(rules.initial(STUDY), NOW)
        assert (facts.published, facts.protocol_version) == (False, None)

    def test_publishing_makes_it_so(self, rules: Rules, publish: CommandMessage, refused: CommandMessage) -> None:
        before = rules.initial(STUDY)
        state, after = before, self.publish(rules, before, publish)
        assert state == rules.initial(STUDY), "states are values: deciding and folding leave the old one alone"
        facts = rules.study_facts(after, NOW)
        assert (facts.published, facts.protocol_version) == (True, "1")

    def test_deciding_twice_gives_the_same_events(
        self, rules: Rules, publish: CommandMessage, refused: CommandMessage
    ) -> None:
        state, command = rules.initial(STUDY), rules.parse(publish)
        first = rules.decide(state, state, command, publish, NOW)
        assert first == rules.decide(state, state, rules.parse(publish), publish, NOW)
        assert len(first) == 1

    def test_an_unknown_command_cannot_be_read(
        self, rules: Rules, publish: CommandMessage, refused: CommandMessage
    ) -> None:
        with pytest.raises(InvalidMessage):
            rules.parse(publish.model_copy(update={"commandtype": "dance"}))

    def test_what_is_refused_is_a_command_rejected(
        self, rules: Rules, publish: CommandMessage, refused: CommandMessage
    ) -> None:
        study = self.publish(rules, rules.initial(STUDY), publish)
        with pytest.raises(CommandRejected):
            rules.decide(rules.initial(refused.stream), study, rules.parse(refused), refused, NOW)

    @staticmethod
    def publish(rules: Rules, state: Any, message: CommandMessage) -> Any:
        for event in rules.decide(state, state, rules.parse(message), message, NOW):
            envelope = Envelope(
                id=uuid7(NOW),
                type=event.type_name(),
                version=event.VERSION,
                stream=message.stream,
                streamseq=1,
                commitid=message.commandid,
                commitindex=0,
                commitsize=1,
                prevhash=GENESIS,
                receivedat=NOW,
                recordedat=NOW,
                actorid=message.actor.id,
                actorrole=message.actor.role.value,
                actororg=message.actor.org,
                producer="test",
                studyseq=0,
            )
            state = rules.evolve(state, read(record(envelope, event).raw))
        return state


def test_an_input_that_belongs_to_another_command_cannot_be_read() -> None:
    message = _trial_publication()
    with pytest.raises(InvalidMessage, match="another command or stream"):
        TrialRules().parse(message.model_copy(update={"commandid": uuid4()}))
