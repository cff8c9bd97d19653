"""A trial in memory whose participants were treated, under stopping rules, and what befalls them."""

from typing import Any
from uuid import UUID

from builders.payloads import sealed
from hepatrail_events.adverse_events import AEVoided
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import AlertRaised, StoppingFactsRecorded, StoppingRuleTriggered
from stopping import protocol_with
from stopping_world import TREATED, StoppingWorld, reaction

BLEEDING, THROMBOSIS = {"grade": 4}, {"code": "THROMBOSIS_VENOUS", "grade": 3}
ANAPHYLAXIS = {"code": "ANAPHYLAXIS", "grade": 3}
OF_TRIAL = [StoppingFactsRecorded, StoppingRuleTriggered, AlertRaised]
"""What the desk records when a rule of the whole trial is hit."""


def treated_trial(*rules: Any, treated: int = 3) -> StoppingWorld:
    """So many participants, each treated once."""
    world = StoppingWorld(protocol_with(*rules))
    for number in range(1, treated + 1):
        world.commit(subject(number), *TREATED)
    return world


def subject(number: int) -> str:
    """The id of a participant."""
    return f"S-{number:03}"


def suffers(world: StoppingWorld, number: int, **changes: Any) -> list[Event]:
    """The participant has an adverse event, which is reported in a commit of its own."""
    return world.commit(subject(number), reaction(number, **changes))


def voided(number: int) -> AEVoided:
    """The participant's adverse event is void."""
    body = {"aeId": str(UUID(int=number)), "aeVersion": 9, "reasonCode": "ENTERED_IN_ERROR"}
    return AEVoided.model_validate(body | {"reasonText": sealed("reasonText")})


def kinds(events: list[Event]) -> list[type[Event]]:
    """The types of the events."""
    return [type(event) for event in events]
