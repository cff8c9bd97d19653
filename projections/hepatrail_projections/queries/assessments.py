"""VIS-06: assessments and survival statuses that do not fit the rest of the record (`events.md` 3.5).

Decided here, because the reference leaves room:

- An assessment that found something new asks for an adverse event that was reported after the assessment before it
  was recorded, and that can have begun by then; so the report may follow the assessment, however late.
- A stated transplantation asks for a `TransplantDone` of that time at the coarser precision, whichever of several.
- An assessment of adverse events after death or after withdrawal from follow-up is asked about as a sample is
  (LAB-04); a survival status is not: to know it then may be allowed.
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

from hepatrail_events.assessments import AEAssessmentDone, SurvivalStatusRecorded, TransplantDone, VitalStatus, YesNo
from hepatrail_events.assessments import TransplantStatus as Transplant
from hepatrail_events.types import PartialDate
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.clinical.inputs import Collected
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.corrections import Record
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import Assessment, SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, say, together
from hepatrail_projections.queries.results import after_end, ends_of, impossible_visit, passed, session_events

_Asked = tuple[list[Condition], tuple[UUID, ...]]


def doubtful(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """One finding an assessment, for all that is doubtful about it."""
    unplaced = {each.result_id for each in state.assignment.impossible_codes}
    for event_id, record in view.assessments.items():
        if record.voided is not None:
            continue
        match record.fact:
            case AEAssessmentDone() as done:
                conditions, ids = _of_assessment(done, event_id, view, state)
            case SurvivalStatusRecorded() as status:
                conditions, ids = _of_status(status, view, state)
            case _:
                continue
        if event_id in unplaced:
            conditions.append(impossible_visit("the assessment", record.fact.visit_code))
            ids = together(ids, session_events(view))
        if conditions:
            yield Finding(QueryObject.ASSESSMENT, event_id, tuple(conditions), together(record.event_ids, ids))


def _of_assessment(done: AEAssessmentDone, event_id: UUID, view: SubjectView, state: ClinicalState) -> _Asked:
    conditions: list[Condition] = []
    ids: tuple[UUID, ...] = ()
    before = _assessment_before(done, event_id, view.assessments)
    since = [fact for fact in view.adverse_events.values() if before is None or fact.reported_at > before.recorded_at]
    if done.any_new is YesNo.Y and not any(_begun(fact, done, state) for fact in since):
        message = (
            f"The assessment at {say(done.at)} found a new adverse event, but none was reported since the assessment "
            "before it; report it, or correct the assessment."
        )
        conditions.append(Condition("NONE_REPORTED", message))
        ids = together(() if before is None else before.event_ids, *(fact.event_ids for fact in since))
    for stop in passed(ends_of(state), Collected(done.at), state):
        conditions.append(after_end("the assessment", Collected(done.at), stop))
        ids = together(ids, stop.event_ids)
    return conditions, ids


def _begun(fact: AdverseEventFact, done: AEAssessmentDone, state: ClinicalState) -> bool:
    """Whether it counts and can have begun by the assessment."""
    onset = span(fact.reported.onset, state.zone)
    return fact.voided is None and (onset is None or onset[0] <= done.at)


def _assessment_before(
    done: AEAssessmentDone, event_id: UUID, assessments: Mapping[UUID, Record[Assessment]]
) -> Record[Assessment] | None:
    """The one with the greatest time before this one's, of equal times the one recorded before it."""
    own = (done.at, assessments[event_id].streamseq)
    earlier = [
        (record.fact.at, record.streamseq, record)
        for record in assessments.values()
        if isinstance(record.fact, AEAssessmentDone)
        and record.voided is None
        and (record.fact.at, record.streamseq) < own
    ]
    return max(earlier, key=lambda each: each[:2])[2] if earlier else None


def _of_status(status: SurvivalStatusRecorded, view: SubjectView, state: ClinicalState) -> _Asked:
    conditions: list[Condition] = []
    ids: tuple[UUID, ...] = ()
    death = next((stop for stop in state.stops if stop.cause == "DEATH"), None)
    if status.alive is VitalStatus.Y and death is not None and status.at > death.time:
        message = (
            f"The participant was alive at {say(status.at)}, after the death on record; correct the status or the "
            "death record."
        )
        conditions.append(Condition("ALIVE_AFTER_DEATH", message))
        ids = death.event_ids
    transplants = [
        (fact.transplant_at, record)
        for record in view.assessments.values()
        if isinstance(fact := record.fact, TransplantDone)
    ]
    known = [when for when, record in transplants if record.voided is None]
    stated = status.transplant_at
    says_so = status.transplant is Transplant.DONE or stated is not None
    if says_so and not any(_same(stated, when, state) for when in known):
        there = f"on record is {', '.join(map(say, known))}" if known else "none is on record"
        when = "" if stated is None else f" at {say(stated)}"
        message = f"The status says that a liver was transplanted{when}, but {there}; correct the one or the other."
        conditions.append(Condition("TRANSPLANT_DIFFERS", message))
        ids = together(ids, *(record.event_ids for _, record in transplants))
    return conditions, ids


def _same(stated: PartialDate | None, known: PartialDate, state: ClinicalState) -> bool:
    """Whether both may mean the same time; a status without one names any."""
    one, other = (None if stated is None else span(stated, state.zone)), span(known, state.zone)
    return one is None or other is None or (one[0] < other[1] and other[0] < one[1])


VIS_06 = Rule("VIS-06", "1", ((QueryObject.ASSESSMENT, ""),), doubtful)
