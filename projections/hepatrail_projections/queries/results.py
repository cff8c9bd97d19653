"""LAB-02 and LAB-04: measured rows that were not accepted, or whose time or visit code is not possible.

Decided here, because the reference leaves room: both ask row by row (DAT-04), because rows are corrected one by one.
Whether a visit code is possible depends on all sessions, so its query rests on their events too.
"""

from collections.abc import Iterator
from uuid import UUID

from hepatrail_events.acceptance import Unaccepted, accept
from hepatrail_events.measurements import RejectReason
from hepatrail_projections.clinical.calendar import local_date
from hepatrail_projections.clinical.inputs import Collected, Stop
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import ResultFact, SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, say, together

ROWS = ((QueryObject.LAB_RESULT, ""), (QueryObject.OBSERVATION, ""))
_ENDS = {"DEATH": "death", "WITHDRAWAL": "withdrawal from follow-up"}


def kind_of(fact: ResultFact) -> QueryObject:
    """Whether the row was read at the bedside or in a laboratory."""
    return QueryObject.OBSERVATION if fact.sample.observed else QueryObject.LAB_RESULT


def not_accepted(view: SubjectView, state: ClinicalState | None) -> Iterator[Finding]:
    """Rows that are stored as reported and feed nothing; the only rule that needs no protocol."""
    for fact in view.results.values():
        if not fact.accepted and fact.voided is None:
            condition = Condition(fact.reject_reason or "NOT_ACCEPTED", _why_not_accepted(fact, state))
            yield Finding(kind_of(fact), fact.result_id, (condition,), fact.event_ids)


def misplaced(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """Rows with an impossible visit code, or collected after death or withdrawal from follow-up."""
    unplaced = {each.result_id for each in state.assignment.impossible_codes}
    ends = ends_of(state)
    if not unplaced and not ends:
        return
    for fact in view.results.values():
        if fact.voided is not None:
            continue
        conditions: list[Condition] = []
        ids = fact.event_ids
        if fact.result_id in unplaced:
            conditions.append(impossible_visit(fact.code, fact.sample.visit_code))
            ids = together(ids, session_events(view))
        for stop in passed(ends, fact.observation.collected, state):
            conditions.append(after_end(fact.code, fact.observation.collected, stop))
            ids = together(ids, stop.event_ids)
        if conditions:
            yield Finding(kind_of(fact), fact.result_id, tuple(conditions), ids)


def ends_of(state: ClinicalState) -> tuple[Stop, ...]:
    """Death and withdrawals from follow-up."""
    return tuple(stop for stop in state.stops if stop.cause in _ENDS)


def passed(ends: tuple[Stop, ...], collected: Collected, state: ClinicalState) -> Iterator[Stop]:
    """The ends that a time lies behind for certain; of several of one kind the first."""
    seen = set()
    for stop in ends:
        if stop.cause not in seen and _is_after(collected, stop, state):
            seen.add(stop.cause)
            yield stop


def impossible_visit(what: str, visit_code: str | None) -> Condition:
    """A visit code that is ignored (`visits.md` section 4, rule 1)."""
    return Condition(
        "IMPOSSIBLE_VISIT",
        f"The visit code {visit_code} is impossible for the time of {what} and is ignored; correct the code or the "
        "time.",
    )


def after_end(what: str, collected: Collected, stop: Stop) -> Condition:
    """A time after the participant's end."""
    return Condition(
        f"AFTER_{stop.cause}",
        f"The time of {what}, {say(collected)}, lies after the {_ENDS[stop.cause]}; correct the one or the other.",
    )


def session_events(view: SubjectView) -> tuple[UUID, ...]:
    """The events of all sessions, void ones included: what anchor and windows hang on."""
    return together(*(fact.event_ids for fact in view.sessions.values()))


def _is_after(collected: Collected, stop: Stop, state: ClinicalState) -> bool:
    if collected.instant is not None:
        return collected.instant > stop.time
    return collected.local_date is not None and collected.local_date > local_date(stop.time, state.zone)


def _why_not_accepted(fact: ResultFact, state: ClinicalState | None) -> str:
    if fact.reject_reason == RejectReason.TIME_IN_FUTURE:
        return f"{fact.code} was collected later than it was recorded; correct the time."
    if fact.reject_reason == RejectReason.SOURCE_UNKNOWN:
        listed = () if state is None else state.published.protocol.laboratories
        known = f", which lists {', '.join(listed)}" if listed else ""
        return f"{fact.code} comes from {fact.sample.laboratory}, no laboratory of the protocol{known}; correct it."
    judged = accept(fact.code, fact.value, fact.comparator, fact.unit)
    if isinstance(judged, Unaccepted) and judged.reason == fact.reject_reason:
        return f"{judged.message}."
    return f"{fact.code} was not accepted when it was recorded ({fact.reject_reason}); correct or void it."


LAB_02 = Rule("LAB-02", "1", ROWS, not_accepted)
LAB_04 = Rule("LAB-04", "1", ROWS, misplaced)
