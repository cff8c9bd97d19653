"""OBS-01 and OBS-02: the coma scale, and stated dialysis counts against recorded procedures.

Decided here, because the reference leaves room:

- A total stands beside components that were recorded with it or assessed at the very same time.
- Stated counts are held against the 168 h before the creatinine sample of their time point, as the scores count
  (`scores.md` section 9, rule 8); without such a sample before the moment at which they were stated.
- Procedures of which the times are known in part give a range: only what cannot be true is asked about. Hours agree
  when they differ by less than one, because they are stated in whole hours.
"""

from collections.abc import Iterator
from fractions import Fraction
from uuid import UUID

from hepatrail_events.catalogue import NOT_TESTABLE
from hepatrail_events.units import fraction_str
from hepatrail_projections.clinical.inputs import Collected, Period
from hepatrail_projections.clinical.scores.common import ScoreInput
from hepatrail_projections.clinical.scores.gcs import COMPONENTS, TOTAL
from hepatrail_projections.clinical.scores.meld_common import HOURS, SESSIONS
from hepatrail_projections.clinical.scores.periods import dialysis_counts
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import ResultFact, SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, together
from hepatrail_projections.queries.results import ROWS, kind_of
from hepatrail_projections.queries.samples import sample_of

_CREATININE = "creatinine"
_TOLERANCE = {SESSIONS: Fraction(0), HOURS: Fraction(1)}
_WORDS = {SESSIONS: "dialysis sessions", HOURS: "hours of continuous dialysis"}


def unclear_coma(view: SubjectView, _: ClinicalState) -> Iterator[Finding]:
    """Components that were not testable without reason, and totals beside components."""
    components: list[ResultFact] = []
    totals: list[ResultFact] = []
    for fact in view.results.values():
        if fact.voided is None and fact.accepted and fact.not_done is None:
            if fact.code in COMPONENTS:
                components.append(fact)
            elif fact.code == TOTAL:
                totals.append(fact)
    for fact in components:
        if fact.canonical.value == NOT_TESTABLE and fact.nt_reason is None:
            message = f"{fact.code} was not testable; say why (ntReason: intubated, sedated, ...)."
            yield Finding(kind_of(fact), fact.result_id, (Condition("NT_WITHOUT_REASON", message),), fact.event_ids)
    for fact in totals:
        beside = [each for each in components if _go_together(fact, each)]
        if beside:
            message = "gcs_total is ignored, because components were recorded beside it; void the total."
            ids = together(fact.event_ids, *(each.event_ids for each in beside))
            yield Finding(kind_of(fact), fact.result_id, (Condition("TOTAL_BESIDE_COMPONENTS", message),), ids)


def disagreeing_dialysis(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """Stated counts that the recorded procedures contradict; the procedures count."""
    procedures = [
        Period(each.fact.kind.value, each.fact.started_at, each.fact.ended_at, each.event_ids)
        for each in view.procedures.values()
        if each.voided is None
    ]
    if not procedures:
        return
    kinds = frozenset(kind.value for kind in state.published.protocol.scores.crrt_modalities_counting_as_cvvhd)
    for fact in view.results.values():
        if fact.code not in _WORDS or fact.voided is not None or fact.observation.unusable is not None:
            continue
        sample, sample_ids = _before_what(fact, state)
        counts = dialysis_counts(procedures, sample, kinds, state.zone)
        if counts is None:
            continue
        counted = counts.sessions if fact.code == SESSIONS else counts.hours
        if _contradicts(fact, counted):
            ids = together(fact.event_ids, counted.event_ids, sample_ids)
            yield Finding(kind_of(fact), fact.result_id, (_disagreement(fact, counted),), ids)


def _before_what(fact: ResultFact, state: ClinicalState) -> tuple[Collected, tuple[UUID, ...]]:
    assigned = state.assigned.get(fact.result_id)
    if assigned is not None and assigned.placement.point is not None:
        used = state.assignment.points[assigned.placement.point].used.get(_CREATININE)
        if used is not None:
            return used.observation.collected, used.observation.event_ids
    return fact.observation.collected, ()


def _contradicts(fact: ResultFact, counted: ScoreInput) -> bool:
    """Whether no number can be both what was stated and what was counted."""
    stated, number = fact.canonical.value, counted.number
    if not isinstance(stated, Fraction) or number is None:
        return False
    tolerance = _TOLERANCE[fact.code]
    low = None if fact.comparator in ("<", "<=") else stated
    high = None if fact.comparator in (">", ">=") else stated
    above = counted.comparator is None and low is not None and low - number >= (tolerance or 1)
    below = high is not None and number - high >= (tolerance or 1)
    return above or below


def _disagreement(fact: ResultFact, counted: ScoreInput) -> Condition:
    number = fraction_str(counted.number) if counted.number is not None else ""
    least = "at least " if counted.comparator is not None else ""
    return Condition(
        "DIALYSIS_DISAGREES",
        f"{fact.comparator or ''}{fact.value} {_WORDS[fact.code]} were stated, the recorded procedures of the 168 h "
        f"give {least}{number} and count; correct the number or the procedures.",
    )


def _go_together(total: ResultFact, component: ResultFact) -> bool:
    if sample_of(total) == sample_of(component):
        return True
    at = total.observation.collected.instant
    return at is not None and at == component.observation.collected.instant


OBS_01 = Rule("OBS-01", "1", ROWS, unclear_coma)
OBS_02 = Rule("OBS-02", "1", ROWS, disagreeing_dialysis)
