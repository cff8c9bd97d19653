"""CTCAE v5.0 grades of a participant's results, and the findings nobody has reviewed: from the view to `grading/`."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from hepatrail_events.ae_terms import AE_TERMS
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.assignment import before_t0
from hepatrail_projections.clinical.baseline import baseline_values
from hepatrail_projections.clinical.grading.circumstances import (
    ANTICOAGULATION,
    STATED,
    Circumstances,
    covers,
    moment,
)
from hepatrail_projections.clinical.grading.reported import UNGRADED, Against, Graded, Reported, graded
from hepatrail_projections.clinical.grading.terms import TERMS_OF
from hepatrail_projections.clinical.grading.unreviewed import Finding, GradedResult, new_severe_grades
from hepatrail_projections.clinical.inputs import Observation, Period
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import ResultFact, SubjectView

Gradings = Sequence[Graded]
"""One for each result of a view, in its order."""


def gradings(view: SubjectView, state: ClinicalState | None) -> Gradings:
    """The grades of every result; none of a result that is void, not accepted or without value (R12)."""
    if state is None:
        return [UNGRADED] * len(view.results)
    return list(map(grader(view, state), view.results.values()))


def grader(view: SubjectView, state: ClinicalState) -> Callable[[ResultFact], Graded]:
    """Grades a result, also an earlier version of it, against what is known of the participant now."""
    against = _Against(view, state)

    def grades_of(fact: ResultFact) -> Graded:
        if fact.code not in TERMS_OF or fact.voided is not None or fact.observation.unusable is not None:
            return UNGRADED
        return graded(fact.code, reported(fact), against.of(fact))

    return grades_of


def reported(fact: ResultFact) -> Reported:
    """A result as its report prints it."""
    return Reported(fact.value or "", fact.comparator, fact.unit, fact.low, fact.high)


def unreviewed_findings(view: SubjectView, state: ClinicalState, grades: Gradings | None = None) -> tuple[Finding, ...]:
    """The findings `LAB_GRADE_UNREVIEWED` (R13) by when they became known; `grades` are those of the view, if at hand.

    Whether one is to be shown at an instant is `opens_at`; nothing here looks at the time.
    """
    if state.anchored is None:
        return ()
    severe = state.published.protocol.safety.alert_lab_grade_ge
    review_within = timedelta(hours=state.published.protocol.safety.lab_review_hours)
    by_code: dict[str, list[GradedResult]] = defaultdict(list)
    for result in _severe_analytes(view, state, gradings(view, state) if grades is None else grades, severe):
        by_code[result.code].append(result)
    found = [
        finding
        for results in by_code.values()
        for finding in new_severe_grades(results, severe, review_within)
        if finding.result_id not in view.reviews and not _linked(finding, view, state)
    ]
    return tuple(sorted(found, key=lambda each: (each.since, each.result_id, each.term)))


def _severe_analytes(view: SubjectView, state: ClinicalState, grades: Gradings, severe: int) -> Iterator[GradedResult]:
    """The results from T0 on of every analyte that was ever graded as severe."""
    anchored = state.anchored
    assert anchored is not None, "findings begin at T0"
    facts = list(zip(view.results.values(), grades, strict=True))
    codes = {fact.code for fact, each in facts if each.worst >= severe}
    for fact, each in facts:
        collected = fact.observation.collected
        if fact.code in codes and each.terms and not before_t0(collected, fact.sample.pre_session, anchored):
            known_at = max((fact.sample.recorded_at, *(made.recorded_at for made in fact.corrections)))
            yield GradedResult(
                fact.result_id,
                fact.code,
                collected,
                moment(collected, state.zone),
                known_at,
                each.terms,
                fact.event_ids,
            )


def _linked(finding: Finding, view: SubjectView, state: ClinicalState) -> bool:
    """Whether an adverse event of the same CTCAE term, not void, was ongoing at collection."""
    return any(
        event.voided is None
        and ctcae_term(event) == finding.term.casefold()
        and covers(event.reported.onset, event.end_at, finding.collected, state.zone)
        for event in view.adverse_events.values()
    )


def ctcae_term(event: AdverseEventFact) -> str | None:
    """The CTCAE term that was named, else the one of the event's code; casefolded, None where there is none."""
    known = AE_TERMS.get(event.reported.code)
    term = event.reported.ctcae_term or (None if known is None else known.ctcae_term)
    return None if term is None else term.strip().casefold()


class _Against:
    """What each result of a participant is graded against."""

    def __init__(self, view: SubjectView, state: ClinicalState) -> None:
        self._circumstances = Circumstances.of(_periods(view), _statements(view), state.zone, state.plan.lookback)
        self._by_code = {
            code: self._of_baseline(view.results[first.result_id], first)
            for code, first in baseline_values(state.assignment, state.anchored).items()
            if code in TERMS_OF
        }

    def of(self, fact: ResultFact) -> Against:
        """The baseline of its code and what held when it was collected."""
        known = self._by_code.get(fact.code, _NOTHING)
        match fact.code:
            case "inr":
                return known._replace(anticoagulated=self._circumstances.anticoagulated(fact.observation.collected))
            case "creatinine":
                collected = fact.observation.collected
                return known._replace(renal_replacement=self._circumstances.renal_replacement(collected))
            case "glucose":
                return known._replace(fasting=fact.fasting)
            case _:
                return known

    def _of_baseline(self, fact: ResultFact, first: Observation) -> Against:
        anticoagulated = fact.code == "inr" and self._circumstances.anticoagulated(first.collected).holds
        return Against(reported(fact), tuple(str(each) for each in first.event_ids), anticoagulated)


_NOTHING = Against()


def _periods(view: SubjectView) -> Iterator[Period]:
    for drug in view.medications.values():
        if drug.voided is None and drug.fact.therapeutic_anticoagulant:
            yield Period(ANTICOAGULATION, drug.fact.started_at, drug.fact.ended_at, drug.event_ids)
    for done in view.procedures.values():
        if done.voided is None:
            yield Period(done.fact.kind, done.fact.started_at, done.fact.ended_at, done.event_ids)


def _statements(view: SubjectView) -> Iterator[Observation]:
    for fact in view.results.values():
        if fact.code in STATED and fact.voided is None and fact.observation.unusable is None:
            yield fact.observation


def findings_of(findings: Sequence[Finding]) -> Mapping[UUID, Finding]:
    """By result, which is what an alert is about: of several terms the most urgent."""
    chosen: dict[UUID, Finding] = {}
    for each in findings:
        known = chosen.get(each.result_id)
        if known is None or each.grade > known.grade:
            chosen[each.result_id] = each
    return chosen
