"""Stopping rules for specifications: a protocol that enables some, what participants contribute, hits and releases."""

from typing import Any
from uuid import UUID, uuid4

from builders.ids import SITE
from builders.safety_desk import alert_content
from builders.study import protocol_published
from builders.times import at
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.protocol_rules import StoppingRule
from hepatrail_events.safety_desk import StoppingFact, StoppingFactsRecorded
from hepatrail_events.study import HoldAction, HoldReleased, ProtocolPublished
from hepatrail_services.deciders.safety_desk import RecordStoppingFacts, TriggerStoppingRule
from hepatrail_services.deciders.stopping_rules import Participant

RULES: dict[str, StoppingRule] = {str(rule.rule_id): rule for rule in shipped_protocol().safety.stopping_rules}
"""The shipped rules, all switched off."""


def rule(rule_id: str, **changes: Any) -> StoppingRule:
    """A shipped rule, switched on."""
    return RULES[rule_id].model_copy(update={"enabled": True} | changes)


def enabling(*rules: str | StoppingRule) -> dict[str, Any]:
    """The change of the shipped protocol's content that switches these rules on, the others staying off."""
    chosen: dict[str, StoppingRule] = {
        each.rule_id: each for each in (rule(each) if isinstance(each, str) else each for each in rules)
    }
    stopping = tuple(chosen.get(rule_id, known) for rule_id, known in RULES.items())
    return {"safety": shipped_protocol().safety.model_copy(update={"stopping_rules": stopping})}


def protocol_with(*rules: str | StoppingRule, version: str = "1.0") -> ProtocolPublished:
    """The publication of a protocol in which these rules are switched on."""
    return protocol_published(version, **enabling(*rules))


def read(published: ProtocolPublished) -> Protocol:
    """Its content."""
    return Protocol.read(published.content)


def counting(
    *rule_ids: str, ae: UUID | None = None, provisional: bool = False, event_ids: tuple[UUID, ...] = ()
) -> StoppingFact:
    """An adverse event that counts for these rules."""
    return StoppingFact.model_validate(
        {"aeId": ae or uuid4(), "ruleIds": rule_ids, "provisional": provisional, "eventIds": event_ids}
    )


def participant(number: int, *facts: StoppingFact, treated: bool = True) -> Participant:
    """The participant who was treated as the so-manieth, one a day."""
    return Participant(f"S-{number:03}", at(days=100 - number) if treated else None, facts)


def facts_of(
    subject_id: str, *facts: StoppingFact, days: float | None = 10, commit: UUID | None = None, version: str = "1.0"
) -> RecordStoppingFacts:
    """What the participant, treated so many days before NOW, contributes after a commit."""
    return RecordStoppingFacts(
        command_id=uuid4(),
        subject_id=subject_id,
        commit_id=commit or uuid4(),
        treated_at=None if days is None else at(days=days),
        adverse_events=facts,
        protocol_version=version,
    )


def facts_recorded(subject_id: str, *facts: StoppingFact, days: float | None = 10) -> StoppingFactsRecorded:
    """The same as the desk records it."""
    treated_at = None if days is None else at(days=days)
    return StoppingFactsRecorded(subject_id=subject_id, commit_id=uuid4(), treated_at=treated_at, adverse_events=facts)


def reaction_of(subject_id: str, commit: UUID | None = None, studyseq: int = 0, **changes: Any) -> TriggerStoppingRule:
    """SR4 is hit by the participant."""
    alert = {
        "type": "STOPPING_RULE",
        "priority": "P1",
        "subjectId": subject_id,
        "siteId": SITE,
        "alertId": str(uuid4()),
    }
    return TriggerStoppingRule(
        command_id=uuid4(),
        rule_id="SR4",
        scope_id=subject_id,
        commit_id=commit or uuid4(),
        studyseq=studyseq,
        actions=(HoldAction.HOLD_SESSIONS,),
        event_ids=(),
        alert=alert_content(**alert, **changes),
    )


def released(hit_id: UUID, action: str) -> HoldReleased:
    """The hold of a hit was released."""
    return HoldReleased(hold_id=derived_id(hit_id, action), by="pi", reason="reviewed", dsmb_reference="DSMB-1")
