from datetime import UTC, datetime
from uuid import UUID

import pytest

from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.errors import CommandRejected, InvalidPayload, UnknownType
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.study import ProtocolPublished
from hepatrail_services.decider.rules import Rules
from hepatrail_services.decider.trial_rules import TrialRules

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ID = UUID(int=1)
RULES: Rules = TrialRules()


def publish(**changes: object) -> CommandMessage:
    body = {
        "commandId": str(ID),
        "version": "1.0",
        "content": shipped_protocol().content(),
        "approvedBy": "PI",
        "reason": "first version",
        "effectiveAt": "2026-03-01T08:00:00.000Z",
    }
    message = {
        "commandid": ID,
        "commandtype": "publishProtocol",
        "stream": "study",
        "input": body,
        "actor": Actor(id="pi", role=Role.PRINCIPAL_INVESTIGATOR, org="site"),
        "receivedat": NOW,
    }
    return CommandMessage.model_validate({**message, **changes})


def test_a_command_is_read_and_decided() -> None:
    message = publish()
    state = RULES.initial("study")
    assert RULES.study_facts(state, NOW).published is False
    (event,) = RULES.decide(state, state, RULES.parse(message), message, NOW)
    assert isinstance(event, ProtocolPublished)
    assert event.version == "1.0"


def test_a_message_whose_envelope_and_input_differ_cannot_be_read() -> None:
    for changes in ({"commandid": UUID(int=2)}, {"stream": "subject-BFH-001"}):
        with pytest.raises(InvalidPayload):
            RULES.parse(publish(**changes))


def test_an_unknown_command_cannot_be_read() -> None:
    with pytest.raises(UnknownType):
        RULES.parse(publish(commandtype="dropTable"))


def test_a_wrong_shape_is_the_senders_fault() -> None:
    with pytest.raises(CommandRejected) as refusal:
        RULES.parse(publish(input={"commandId": str(ID)}))
    assert refusal.value.code == "SHAPE"


def test_the_role_is_checked_again_by_the_decider() -> None:
    message = publish(actor=Actor(id="aud", role=Role.AUDITOR, org="site"))
    state = RULES.initial("study")
    with pytest.raises(CommandRejected) as refusal:
        RULES.decide(state, state, RULES.parse(message), message, NOW)
    assert refusal.value.code == "FORBIDDEN"
