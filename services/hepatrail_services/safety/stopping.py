"""From a commit of a participant to what the stopping rules are told, and from a hit to its holds (`safety.md` 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.envelope import Envelope
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol_rules import SafetyRules, StoppingRule
from hepatrail_events.safety_desk import AlertContent, AlertType, Priority, StoppingRuleTriggered
from hepatrail_events.study import HoldRequires, HoldScope
from hepatrail_projections.facts import AdverseEventFact, SubjectView
from hepatrail_projections.safety_course import took_effect_between
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_services.command import Command
from hepatrail_services.deciders.safety_desk import RecordStoppingFacts, TriggerStoppingRule
from hepatrail_services.deciders.stopping_rules import TRIAL, Participant, held_until
from hepatrail_services.deciders.study import PlaceHold, reason_of_rule
from hepatrail_services.safety.identity import PROCESSOR
from hepatrail_services.safety.stopping_facts import RULE_OF_ONE, contribution, evidence, least, reactions


def stopping_commands(
    before: SubjectView,
    after: SubjectView,
    commit_id: UUID,
    published: PublishedProtocol,
    study: StudyView,
    *,
    again: bool = False,
) -> tuple[Command, ...]:
    """What a commit of a participant means for the stopping rules: facts for those of the trial, a hit of its own.

    `again`: the version `published` took effect and nothing else happened; everything is said anew, because what is
    there already counts under its rules too. The commands depend on the log alone, whatever desk and study hold, so
    that a processor which starts from nothing asks for the same again.
    """
    if not again and _same(before, after):
        return ()
    step = _Step(before, after, commit_id, _version_before(study, published) if again else published, published, again)
    return (*_facts(step), *_trigger(step))


def hold_commands(hit: StoppingRuleTriggered, envelope: Envelope, study: StudyView) -> tuple[PlaceHold, ...]:
    """The holds of a hit, one an action; who may release them says the protocol in force when it was recorded."""
    published = study.published_at(envelope.recordedat)
    rule = None if published is None else _rules(published.protocol.safety).get(hit.rule_id)
    of_trial = hit.scope_id == TRIAL
    return tuple(
        PlaceHold(
            command_id=derived_id(hit.hit_id, action, "place"),
            action=action,
            scope=HoldScope.TRIAL if of_trial else HoldScope.PARTICIPANT,
            subject_id=None if of_trial else hit.scope_id,
            rule_id=hit.rule_id,
            hit_id=hit.hit_id,
            requires=HoldRequires.DSMB if rule is None else rule.requires,
            reason=reason_of_rule(hit.rule_id),
        )
        for action in hit.actions
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """A participant before and after, and the protocol version then and now; `earlier` None: there was none."""

    before: SubjectView
    after: SubjectView
    commit_id: UUID
    earlier: PublishedProtocol | None
    published: PublishedProtocol
    again: bool

    @property
    def at(self) -> datetime:
        """When the commit was recorded, or the version took effect."""
        recorded_at = self.after.recorded_at
        assert recorded_at is not None, "a participant who is told of has events"
        return self.published.row.effective_from if self.again else recorded_at

    @property
    def studyseq(self) -> int:
        """How far the study was known to it."""
        if self.again:
            return self.published.row.streamseq
        return self.after.safety_history[-1].studyseq


def _facts(step: _Step) -> tuple[RecordStoppingFacts, ...]:
    nothing = Participant(step.after.subject_id)
    old = nothing if step.earlier is None else contribution(step.before, step.earlier)
    new = contribution(step.after, step.published)
    if new == old and (not step.again or new == nothing):
        return ()
    told = RecordStoppingFacts(
        command_id=derived_id(new.subject_id, "STOPPING_FACTS", step.commit_id),
        subject_id=new.subject_id,
        commit_id=step.commit_id,
        treated_at=new.treated_at,
        adverse_events=new.adverse_events,
        protocol_version=step.published.version,
    )
    return (told,)


def _trigger(step: _Step) -> tuple[TriggerStoppingRule, ...]:
    """The hit of one participant alone, by adverse events that did not fulfil its condition before."""
    known = {} if step.earlier is None else reactions(step.before, step.earlier)
    new = [fact for ae_id, fact in reactions(step.after, step.published).items() if ae_id not in known]
    if not new:
        return ()
    safety, subject_id = step.published.protocol.safety, step.after.subject_id
    rule = _rules(safety)[RULE_OF_ONE]
    command_id = derived_id(RULE_OF_ONE, subject_id, step.commit_id)
    command = TriggerStoppingRule(
        command_id=command_id,
        rule_id=RULE_OF_ONE,
        scope_id=subject_id,
        commit_id=step.commit_id,
        studyseq=step.studyseq,
        actions=rule.actions,
        event_ids=tuple(dict.fromkeys(each for fact in new for each in evidence(fact, [least(rule)], safety))),
        alert=_alert(step, rule, new[-1], command_id),
    )
    return (command,)


def _alert(step: _Step, rule: StoppingRule, fact: AdverseEventFact, alert_id: UUID) -> AlertContent:
    reported, zone = fact.reported, ZoneInfo(step.published.protocol.site_zone)
    return AlertContent(
        alert_id=alert_id,
        type=AlertType.STOPPING_RULE,
        priority=Priority.P1,
        reasons=(rule.rule_id,),
        raised_at=step.at,
        commit_id=step.commit_id,
        reporter_id=PROCESSOR,
        subject_id=step.after.subject_id,
        site_id=step.after.site_id,
        ae_id=reported.ae_id,
        ae_version=fact.version,
        code=reported.code,
        verbatim=reported.verbatim,
        grade=fact.current_grade(zone),
        max_grade=fact.max_grade,
        criteria=fact.criteria,
        outcome=fact.outcome,
        onset=reported.onset,
        action_taken=fact.action_taken,
        aware_at=fact.serious_aware_at or reported.aware_at,
        detail=f"{rule.rule_id}: {reported.code} of grade {fact.max_grade}; {held_until(rule)}",
    )


def _same(before: SubjectView, after: SubjectView) -> bool:
    """Whether the commit touched nothing that a rule looks at."""
    return (
        before.adverse_events is after.adverse_events
        and before.sessions is after.sessions
        and before.baseline_conditions is after.baseline_conditions
    )


def _version_before(study: StudyView, published: PublishedProtocol) -> PublishedProtocol | None:
    versions = took_effect_between(study, None, published)
    return versions[-2] if len(versions) > 1 else None


def _rules(rules: SafetyRules) -> Mapping[str, StoppingRule]:
    return {rule.rule_id: rule for rule in rules.stopping_rules}
