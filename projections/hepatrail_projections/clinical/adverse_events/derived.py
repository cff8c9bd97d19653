"""An adverse event as the fold keeps it, under one protocol version: emergence and predicates in one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.baseline_conditions import BaselineConditionRecorded
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.adverse_events.emergence import (
    Emergence,
    TeInputs,
    is_after_transplant,
    treatment_emergence,
)
from hepatrail_projections.clinical.adverse_events.predicates import Judgements, Predicates, predicates
from hepatrail_projections.clinical.adverse_events.window import TeWindow
from hepatrail_projections.corrections import Record

Conditions = Mapping[UUID, Record[BaselineConditionRecorded]]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What every adverse event of a participant is held against; `window` None: never treated."""

    window: TeWindow | None
    transplant_at: datetime | None
    rules: SafetyRules
    zone: ZoneInfo
    event_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class DerivedAdverseEvent:
    """What follows from an adverse event; `event_ids` are events beside its own on which that rests."""

    emergence: Emergence
    predicates: Predicates
    post_transplant: bool
    event_ids: tuple[UUID, ...]


def derived(fact: AdverseEventFact, conditions: Conditions, treatment: Treatment) -> DerivedAdverseEvent:
    """Emergence and predicates of one adverse event."""
    given = te_inputs(fact, conditions, treatment.zone)
    window, rules = treatment.window, treatment.rules
    condition = conditions.get(fact.reported.baseline_condition_id) if fact.reported.baseline_condition_id else None
    return DerivedAdverseEvent(
        emergence=treatment_emergence(given, window, rules, treatment.transplant_at),
        predicates=predicates(given, judgements(fact), window, rules),
        post_transplant=is_after_transplant(fact.reported.onset, treatment.transplant_at, treatment.zone),
        event_ids=(*treatment.event_ids, *(() if condition is None else condition.event_ids)),
    )


def te_inputs(fact: AdverseEventFact, conditions: Conditions, zone: ZoneInfo) -> TeInputs:
    """What its emergence depends on."""
    reported = fact.reported
    condition_id = reported.baseline_condition_id
    condition = None if condition_id is None else conditions.get(condition_id)
    void = condition is not None and condition.voided is not None
    return TeInputs(
        onset=reported.onset,
        end_at=reported.end_at,
        grades=fact.grades,
        frequency_worsened=fact.frequency_worsened,
        serious_since=fact.first_serious_since(zone),
        serious=fact.serious,
        onset_before_first_session=reported.onset_before_first_session is True,
        linked=condition_id is not None and not void,
        condition_grade=None if condition is None or void else condition.fact.grade,
        voided=fact.voided is not None,
    )


def judgements(fact: AdverseEventFact) -> Judgements:
    """What assessors have said of it."""
    return Judgements(
        causality={key: each.value for key, each in fact.causality_in_force.items()},
        criteria=fact.criteria,
        expectedness=fact.expectedness,
        voided=fact.voided is not None,
    )
