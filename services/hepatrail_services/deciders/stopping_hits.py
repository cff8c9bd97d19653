"""When a stopping rule is hit, and the alert of the hit (`safety.md` section 7).

Decided here, because the reference leaves room:

- A rule is hit once until every hold of the hit is released; n of its id counts the hits before.
- A release alone hits nothing again. After it a rule is hit when its condition holds and did not hold, or counts a
  participant who did not count, by what the desk knew when the last of the holds was released.
- The desk evaluates every rule of the trial that is enabled whenever it is told facts, whether they differ or not, so
  that a protocol version with other numbers counts what is there already.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from hepatrail_events.event import Event
from hepatrail_events.protocol_rules import SafetyRules, StoppingRule
from hepatrail_events.safety_desk import (
    AlertContent,
    AlertRaised,
    AlertType,
    Priority,
    StoppingFactsRecorded,
    StoppingRuleTriggered,
)
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.desk_state import DeskState, contributed
from hepatrail_services.deciders.stopping_rules import (
    TRIAL,
    TRIAL_RULES,
    Condition,
    Participant,
    condition,
    hit_id,
    provisionally,
    words,
)
from hepatrail_services.deciders.study_state import StudyState


def record_facts(
    state: DeskState, told: StoppingFactsRecorded, context: Context, rules: SafetyRules, study: StudyState
) -> tuple[Event, ...]:
    """The facts where they differ from what is held, and the hits that they complete, each with its alert.

    What a commit contributes is recorded once: told again later it would replace what came after.
    """
    history = state.contributions.get(told.subject_id, ())
    if any(each.commit_id == told.commit_id for each in history):
        return ()
    participant = contributed(told)
    before = history[-1].participant if history else Participant(told.subject_id)
    participants = {**state.participants(), told.subject_id: participant}
    events: list[Event] = [] if participant == before else [told]
    number = state.last_alert_seq
    for rule, found in _hit(state, participants, rules, study):
        number += 1
        hit = _trial_hit(state, rule, found, told)
        provisional = provisionally(rule, participants.values())
        content = AlertContent(
            alert_id=hit.hit_id,
            type=AlertType.STOPPING_RULE,
            priority=Priority.P1,
            reasons=(rule.rule_id,),
            raised_at=context.now,
            commit_id=told.commit_id,
            reporter_id=context.actor.id,
            provisional=provisional,
            detail=words(rule, found, provisional=provisional),
        )
        events += hit, AlertRaised(**dict(content), alert_seq=number)
    return tuple(events)


def next_hit_id(
    state: DeskState, rule_id: str, scope_id: str, studyseq: int, at: datetime, study: StudyState
) -> UUID | None:
    """The id of the hit that a participant's commit makes; None where it makes none.

    None while the holds of the former hit are in force, and where the commit (`at`, decided under `studyseq`) was
    there before they were released: read again later, it says nothing new.
    """
    former = state.hits_of(rule_id, scope_id)
    if former:
        release = former[-1].release(study)
        if release is None or not release.precedes(studyseq, at):
            return None
    return hit_id(rule_id, scope_id, len(former))


def _hit(
    state: DeskState, participants: Mapping[str, Participant], rules: SafetyRules, study: StudyState
) -> Iterator[tuple[StoppingRule, Condition]]:
    for rule in rules.stopping_rules:
        if rule.enabled and rule.rule_id in TRIAL_RULES:
            found = condition(rule, participants.values())
            if found.fulfilled and _says_something_new(state, rule, found, study):
                yield rule, found


def _says_something_new(state: DeskState, rule: StoppingRule, found: Condition, study: StudyState) -> bool:
    former = state.hits_of(rule.rule_id, TRIAL)
    if not former:
        return True
    release = former[-1].release(study)
    if release is None:
        return False
    then = condition(rule, state.participants(until=release).values())
    return not then.fulfilled or not found.subject_ids <= then.subject_ids


def _trial_hit(
    state: DeskState, rule: StoppingRule, found: Condition, told: StoppingFactsRecorded
) -> StoppingRuleTriggered:
    return StoppingRuleTriggered(
        hit_id=hit_id(rule.rule_id, TRIAL, len(state.hits_of(rule.rule_id, TRIAL))),
        rule_id=rule.rule_id,
        scope_id=TRIAL,
        commit_id=told.commit_id,
        actions=rule.actions,
        event_ids=found.event_ids(rule.rule_id),
    )
