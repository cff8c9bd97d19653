"""INV-15, INV-17, INV-19 and INV-20: what adverse events leave open (`safety.md` 4.2).

Decided here, because the reference leaves room:

- INV-15 goes by the greatest grade, because LIFE_THREATENING stands after the event has become milder. A fatal event
  needs no LIFE_THREATENING.
- INV-20: an SAE lacks the investigator's causality while either target that `safety.md` 5.1 asks for, cell product or
  device, is not assessed. The 24 h run from the report; from what made it serious, where that came later.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hepatrail_events.adverse_events import Assessor, CausalityTarget, Criterion
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.clinical.calendar import to_minute
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.admission import Admission
from hepatrail_projections.queries.finding import Condition, Finding, Rule, say, together
from hepatrail_projections.queries.results import session_events

NO_GRADE = ":grade"
ABOUT = ((QueryObject.ADVERSE_EVENT, ""),)
_INFUSION_REACTION = "INFUSION_REACTION"
_LIFE_THREATENING_GRADE, _SEVERE = 4, 3
_OPEN = datetime(9999, 1, 1, tzinfo=UTC)
_NEEDED = {CausalityTarget.CELL_PRODUCT: "the cell product", CausalityTarget.DEVICE: "the device"}


def counted(view: SubjectView) -> Iterator[AdverseEventFact]:
    """The adverse events that are not void."""
    return (fact for fact in view.adverse_events.values() if fact.voided is None)


def grade_and_criteria(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """INV-15: grade 4 and LIFE_THREATENING belong together; a severe event of an inpatient may prolong the stay."""
    admission = Admission(view, state)
    for fact in counted(view):
        grade, conditions = fact.max_grade, list[Condition]()
        if grade is None:
            continue
        threatening = Criterion.LIFE_THREATENING in fact.criteria
        if grade == _LIFE_THREATENING_GRADE and not threatening:
            message = f"{_name(fact)} has grade 4 and is not LIFE_THREATENING; correct the grade or the criteria."
            conditions.append(Condition("GRADE_4_NOT_LIFE_THREATENING", message))
        if grade < _LIFE_THREATENING_GRADE and threatening:
            message = f"{_name(fact)} is LIFE_THREATENING with grade {grade}; correct the grade or the criteria."
            conditions.append(Condition("LIFE_THREATENING_BELOW_GRADE_4", message))
        ids = fact.event_ids
        if grade >= _SEVERE and not fact.serious:
            outpatient, known_by = admission.outpatient_at(fact.reported.onset)
            if not outpatient:
                ids = together(ids, known_by)
                message = (
                    f"{_name(fact)} has grade {grade} and is not serious; say whether it prolonged the stay in "
                    "hospital, which would be HOSPITALISATION."
                )
                conditions.append(Condition("ASK_PROLONGATION", message))
        if conditions:
            yield Finding(QueryObject.ADVERSE_EVENT, fact.reported.ae_id, tuple(conditions), ids)


def infusion_reaction(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """INV-17: an infusion reaction that certainly began outside every session and the hours after it."""
    hours = state.published.protocol.safety.acute_reaction_hours
    for fact in counted(view):
        onset = span(fact.reported.onset, state.zone) if fact.reported.code == _INFUSION_REACTION else None
        if onset is None:
            continue
        near = (
            to_minute(each.started_at) < onset[1]
            and onset[0] <= (_OPEN if each.ended_at is None else each.ended_at + timedelta(hours=hours))
            for each in state.sessions
        )
        if not any(near):
            message = (
                f"{_name(fact)} began on {say(fact.reported.onset)}, outside every session and the {hours} h after it; "
                "correct the onset, the code or the session."
            )
            ids = together(fact.event_ids, session_events(view))
            condition = Condition("OUTSIDE_SESSION", message)
            yield Finding(QueryObject.ADVERSE_EVENT, fact.reported.ae_id, (condition,), ids)


def unassessed(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """INV-20: no causality of the investigator, or no grade, some hours after the report."""
    within = timedelta(hours=state.published.protocol.safety.entry_reminder_hours)
    for fact in counted(view):
        judged = {target for assessor, target in fact.causality_in_force if assessor is Assessor.INVESTIGATOR}
        lacking = [words for target, words in _NEEDED.items() if target not in judged]
        made = fact.made_serious
        if fact.serious and lacking and made is not None:
            message = f"{_name(fact)} is serious; assess its causality for {' and '.join(lacking)}."
            opens_at = max(fact.reported_at, made.recorded_at) + within
            yield _opening(fact, Condition("NO_CAUSALITY", message), opens_at, "")
        if not fact.grades:
            message = f"{_name(fact)} has no grade; grade it by CTCAE."
            yield _opening(fact, Condition("NO_GRADE", message), fact.reported_at + within, NO_GRADE)


def _opening(fact: AdverseEventFact, condition: Condition, opens_at: datetime, aspect: str) -> Finding:
    ae_id = fact.reported.ae_id
    return Finding(QueryObject.ADVERSE_EVENT, ae_id, (condition,), fact.event_ids, opens_at=opens_at, aspect=aspect)


def _name(fact: AdverseEventFact) -> str:
    return f"The adverse event {fact.reported.code}"


INV_15 = Rule("INV-15", "1", ABOUT, grade_and_criteria)
INV_17 = Rule("INV-17", "1", ABOUT, infusion_reaction)
INV_20 = Rule("INV-20", "1", (*ABOUT, (QueryObject.ADVERSE_EVENT, NO_GRADE)), unassessed)
