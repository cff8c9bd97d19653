"""The SOFT rules of this slice: LAB-02, LAB-04, SES-07 (`events.md` 3.2, 3.3). Pure; open while the condition holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from hepatrail_events.acceptance import Unaccepted, accept
from hepatrail_events.adverse_events import ActionTaken
from hepatrail_events.ids import derived_id
from hepatrail_projections.clinical.calendar import local_date
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryRow
from hepatrail_projections.facts import ResultFact, SessionFact, SubjectView
from hepatrail_projections.session import dose, duration_class, hours_text

_SENTENCES = {
    "TIME_IN_FUTURE": "was collected later than it was recorded; correct the time",
    "SOURCE_UNKNOWN": "comes from a laboratory that the protocol does not list; correct the laboratory",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One reason for a query: its code and a sentence for the site."""

    code: str
    message: str


def query_rows(view: SubjectView, state: ClinicalState | None) -> tuple[QueryRow, ...]:
    """All queries of a participant, one a rule and object."""
    return (*_of_results(view, state), *(() if state is None else _of_sessions(view, state)))


def _query(
    view: SubjectView,
    state: ClinicalState | None,
    rule: str,
    kind: str,
    object_id: UUID,
    conditions: list[Condition],
    event_ids: tuple[UUID, ...],
    *,
    opens_at: datetime | None = None,
    aspect: str = "",
) -> QueryRow:
    listed: list[dict[str, Any]] = [{"code": each.code, "message": each.message} for each in conditions]
    return QueryRow(
        subject_id=view.subject_id,
        query_id=derived_id(rule, view.subject_id, f"{object_id}{aspect}"),
        rule=rule,
        code=conditions[0].code,
        object_kind=kind,
        object_id=object_id,
        message=" ".join(each.message for each in conditions),
        details=listed,
        opens_at=opens_at,
        protocol_version=None if state is None else state.published.version,
        event_ids=event_ids,
    )


def _of_results(view: SubjectView, state: ClinicalState | None) -> Iterator[QueryRow]:
    impossible = () if state is None else state.assignment.impossible_codes
    unplaced = {each.result_id for each in impossible}
    for fact in view.results.values():
        if fact.voided is not None:
            continue
        if not fact.accepted:
            condition = Condition(fact.reject_reason or "NOT_ACCEPTED", _unaccepted(fact))
            yield _query(view, state, "LAB-02", "LAB_RESULT", fact.result_id, [condition], fact.event_ids)
        conditions = _misplaced(fact, unplaced, state)
        if conditions:
            yield _query(view, state, "LAB-04", "LAB_RESULT", fact.result_id, conditions, fact.event_ids)


def _unaccepted(fact: ResultFact) -> str:
    known = _SENTENCES.get(fact.reject_reason or "")
    if known is not None:
        return f"{fact.code} {known}."
    judged = accept(fact.code, fact.value, fact.comparator, fact.unit)
    if isinstance(judged, Unaccepted) and judged.reason == fact.reject_reason:
        return f"{judged.message}."
    return f"{fact.code} was not accepted when it was recorded ({fact.reject_reason}); correct or void it."


def _misplaced(fact: ResultFact, unplaced: set[UUID], state: ClinicalState | None) -> list[Condition]:
    conditions = []
    if fact.result_id in unplaced:
        message = f"The visit code {fact.sample.visit_code} is impossible for the time of {fact.code}; it is ignored."
        conditions.append(Condition("IMPOSSIBLE_VISIT", message))
    for stop in () if state is None else state.stops:
        if stop.cause not in ("DEATH", "WITHDRAWAL") or state is None:
            continue
        collected = fact.observation.collected
        day = collected.local_date
        late = collected.instant is not None and collected.instant > stop.time
        late = late or (day is not None and day > local_date(stop.time, state.zone))
        if late:
            what = "death" if stop.cause == "DEATH" else "withdrawal of follow-up"
            conditions.append(Condition(f"AFTER_{stop.cause}", f"{fact.code} was collected after the {what}."))
    return conditions


def _of_sessions(view: SubjectView, state: ClinicalState) -> Iterator[QueryRow]:
    overdue = timedelta(hours=state.published.protocol.session_end_overdue_hours)
    for session_id, fact in view.sessions.items():
        if fact.voided is not None:
            continue
        conditions = list(_unusual(view, fact, state))
        if conditions:
            yield _query(view, state, "SES-07", "SESSION", session_id, conditions, fact.event_ids)
        if fact.ended_at is None:
            message = f"The session has no end {overdue // timedelta(hours=1)} h after its start."
            yield _query(
                view,
                state,
                "SES-07",
                "SESSION",
                session_id,
                [Condition("NO_END", message)],
                fact.event_ids,
                opens_at=fact.started.started_at + overdue,
                aspect=":end",
            )


def _unusual(view: SubjectView, fact: SessionFact, state: ClinicalState) -> Iterator[Condition]:
    protocol, given, started = state.published.protocol, dose(fact, state.published), fact.started
    if given.hours is not None and duration_class(given.hours, protocol)[0] in "<>":
        low, high = protocol.session_hours_low, protocol.session_hours_high
        yield Condition("DURATION", f"The session took {hours_text(given.hours)} h, planned are {low} to {high} h.")
    if given.ratio is not None and abs(given.ratio - 1) > Fraction(protocol.dose_tolerance):
        percent = round(given.ratio * 100)
        yield Condition("DOSE", f"The dose was {percent} % of the protocol's cells per kg.")
    if started.started_at - started.weight_measured_at > timedelta(days=protocol.weight_max_age_days):
        yield Condition("WEIGHT_AGE", f"The weight is older than {protocol.weight_max_age_days} days at the start.")
    discontinued = any(
        ae.reported.action_taken is ActionTaken.TREATMENT_DISCONTINUED and started.started_at > ae.reported.aware_at
        for ae in view.adverse_events.values()
    )
    if discontinued:
        yield Condition("INV-16", "The session started after treatment was discontinued for an adverse event.")
