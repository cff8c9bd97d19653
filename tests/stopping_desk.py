"""The safety desk under a protocol with stopping rules: what it is told, what it hit, what is held."""

from typing import Any
from uuid import UUID, uuid4

from builders.study import hold_placed, site_activated
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import StoppingFactsRecorded, StoppingRuleTriggered
from hepatrail_events.study import ProtocolPublished
from hepatrail_services.deciders.safety_desk import RecordStoppingFacts
from specification import By, Given, Outcome, given
from stopping import counting, facts_recorded, protocol_with

HIT = StoppingRuleTriggered
FACTS = StoppingFactsRecorded


def hit_id(rule_id: str, n: int = 0, scope: str = "TRIAL") -> UUID:
    """The id of a rule's hit under a number."""
    return derived_id(rule_id, scope, n)


def desk(*history: Event | By, under: ProtocolPublished, study: tuple[Event | By, ...] = ()) -> Given:
    """The desk under a protocol; what else stands in the study follows it."""
    return given(*history).in_study(under, site_activated(), *study)


def tell(history: Given, asked: RecordStoppingFacts) -> Outcome:
    """The desk is told what a participant contributes."""
    return history.when(asked, by=Role.SYSTEM, who="hepatrail-safety")


SR2 = protocol_with("SR2")
FIRST = facts_recorded("S-001", counting("SR2"))


def triggered(n: int = 0, rule_id: str = "SR2", *actions: str, **changes: Any) -> StoppingRuleTriggered:
    """A hit under a number, by default of SR2."""
    body = {
        "hitId": str(hit_id(rule_id, n)),
        "ruleId": rule_id,
        "scopeId": "TRIAL",
        "commitId": str(uuid4()),
        "actions": actions or ("HOLD_ENROLMENT",),
    }
    return StoppingRuleTriggered.model_validate(body | changes)


def placed_hold(n: int = 0, rule_id: str = "SR2", action: str = "HOLD_ENROLMENT") -> Event:
    """The hold that follows a hit."""
    return hold_placed(action, holdId=str(derived_id(hit_id(rule_id, n), action)), ruleId=rule_id, requires="DSMB")
