"""Which adverse events of a participant count for which stopping rule, under the numbers of a protocol version.

The conditions of `safety.md` section 7 as far as they concern one adverse event; who counts participants is the desk.
Decided here, because the reference leaves room:

- The greatest grade ever reached counts, for SR2 the greatest one in the treatment-emergent window.
- An onset counts from the start of a session on, also while the session runs. Of an event that was there before
  treatment it is the moment from which it is treatment-emergent. A partial onset counts unless every instant that it
  can mean lies outside.
- A death is an adverse event of fatal outcome, of grade 5 or with the criterion DEATH.
- SR4 asks for no relation: what it names is a reaction to the treatment by its name.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_events.ae_terms import AeCode
from hepatrail_events.protocol_rules import SafetyRules, StoppingRule
from hepatrail_events.safety_desk import StoppingFact
from hepatrail_events.types import PartialDate
from hepatrail_projections.ae_facts import FATAL_GRADE
from hepatrail_projections.clinical.adverse_events.derived import DerivedAdverseEvent
from hepatrail_projections.clinical.adverse_events.predicates import PRODUCT_TARGETS
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.facts import AdverseEventFact, SubjectView
from hepatrail_projections.safety_course import evaluated
from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.treatment import first_start
from hepatrail_services.deciders.stopping_rules import TRIAL_RULES, Participant

RULE_OF_ONE = "SR4"
"""The rule that is hit by one participant alone."""

_THROMBOSES = frozenset({AeCode.THROMBOSIS_VENOUS, AeCode.THROMBOSIS_ARTERIAL, AeCode.THROMBOSIS_PORTAL})
_REACTIONS = frozenset({AeCode.INFUSION_REACTION, AeCode.ANAPHYLAXIS, AeCode.CYTOKINE_RELEASE})


def contribution(view: SubjectView, published: PublishedProtocol) -> Participant:
    """What a participant contributes to the enabled rules of the trial; nothing while none is enabled."""
    enabled = [rule for rule in _enabled(published) if rule.rule_id in TRIAL_RULES]
    if not enabled:
        return Participant(view.subject_id)
    zone = ZoneInfo(published.protocol.site_zone)
    facts = []
    for ae_id, found in evaluated(view, published).items():
        fact = view.adverse_events[ae_id]
        counted = [rule for rule in enabled if _counts(rule, view, fact, found, zone)]
        if counted:
            facts.append(_fact(fact, found, counted, published.protocol.safety))
    return Participant(view.subject_id, first_start(view.sessions), tuple(facts))


def reactions(view: SubjectView, published: PublishedProtocol) -> Mapping[UUID, AdverseEventFact]:
    """The adverse events that fulfil SR4; none while it is not enabled."""
    rule = next((rule for rule in _enabled(published) if rule.rule_id == RULE_OF_ONE), None)
    if rule is None:
        return {}
    return {
        ae_id: fact
        for ae_id, fact in view.adverse_events.items()
        if fact.voided is None and fact.reported.code in _REACTIONS and (fact.max_grade or 0) >= least(rule)
    }


def _counts(
    rule: StoppingRule, view: SubjectView, fact: AdverseEventFact, found: DerivedAdverseEvent, zone: ZoneInfo
) -> bool:
    """Whether an adverse event counts for a rule of the trial."""
    if fact.voided is not None or not found.predicates.related:
        return False
    grade, laboratory = fact.max_grade or 0, fact.reported.code == AeCode.LAB_ABNORMALITY
    onset = found.emergence.onset or fact.reported.onset
    match rule.rule_id:
        case "SR1":
            return _fatal(fact) and _in_window(rule, view, onset, zone)
        case "SR2":
            return not laboratory and found.emergence.teae and (found.emergence.max_grade or 0) >= least(rule)
        case "SR3":
            return fact.reported.code in _THROMBOSES and grade >= least(rule)
        case _:
            return not laboratory and grade >= least(rule) and _in_window(rule, view, onset, zone)


def _in_window(rule: StoppingRule, view: SubjectView, onset: PartialDate, zone: ZoneInfo) -> bool:
    """Whether the onset may lie between the start of a session and so many days after its end."""
    bounds = span(onset, zone)
    if bounds is None:
        return True
    first, behind = bounds
    after_end = timedelta(days=rule.window_days or 0)
    return any(
        session.started.started_at < behind and (session.ended_at is None or first <= session.ended_at + after_end)
        for session in view.sessions.values()
        if session.voided is None
    )


def _fatal(fact: AdverseEventFact) -> bool:
    return fact.outcome is Outcome.FATAL or fact.max_grade == FATAL_GRADE or Criterion.DEATH in fact.criteria


def least(rule: StoppingRule) -> int:
    """The least grade that counts for a rule."""
    assert rule.grade_ge is not None, "a protocol is not published without it"
    return rule.grade_ge


def _fact(
    fact: AdverseEventFact, found: DerivedAdverseEvent, counted: list[StoppingRule], rules: SafetyRules
) -> StoppingFact:
    return StoppingFact.model_validate(
        {
            "aeId": fact.reported.ae_id,
            "ruleIds": sorted(rule.rule_id for rule in counted),
            "provisional": not found.predicates.related_assessed,
            "eventIds": evidence(fact, [rule.grade_ge or FATAL_GRADE for rule in counted], rules),
        }
    )


def evidence(fact: AdverseEventFact, grades: list[int], rules: SafetyRules) -> tuple[UUID, ...]:
    """The report, the first point of the timeline of each grade that is asked for, the judgements that relate it."""
    points = (next((p.event_id for p in fact.grades if p.grade >= grade), None) for grade in grades)
    judged = (
        each.event_id
        for each in fact.causality_in_force.values()
        if each.target in PRODUCT_TARGETS and each.value in rules.related_set
    )
    wanted = {fact.event_ids[0], *points, *judged}
    return tuple(event_id for event_id in fact.event_ids if event_id in wanted)


def _enabled(published: PublishedProtocol) -> list[StoppingRule]:
    return [rule for rule in published.protocol.safety.stopping_rules if rule.enabled]
