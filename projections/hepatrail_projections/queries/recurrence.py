"""INV-19: a worsening after the end is a new adverse event when the gap is long, and a reopened one when it is not.

Decided here, because the reference leaves room:

- Asked about is what is certain at the precision to which the times are known.
- A reopened event has worsened after its end when a later grade is greater than the one in force at the end, or when
  it came more often since.
- A recurrence within the gap that begins the other side of TE_START is right all the same: what was resolved before
  treatment and recurs after it is a new event (`safety.md` section 3).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hepatrail_events.types import PartialDate
from hepatrail_projections.adverse_event import treatment_of
from hepatrail_projections.ae_facts import AdverseEventFact, grade_in_force
from hepatrail_projections.clinical.adverse_events.window import TeWindow, span
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.adverse_events import ABOUT, counted
from hepatrail_projections.queries.finding import Condition, Finding, Rule, say, together

_MINUTE = timedelta(minutes=1)


def wrong_side_of_the_gap(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """Reopened events that should be new ones, and new ones that should be reopened."""
    hours = state.published.protocol.safety.recurrence_gap_hours
    gap = timedelta(hours=hours)
    for fact in counted(view):
        conditions, ids = list[Condition](), fact.event_ids
        end = next((end for end in fact.reopened_ends if _worse_after(fact, end, gap, state.zone)), None)
        if end is not None:
            message = (
                f"The adverse event {fact.reported.code} ended on {say(end)} and worsened more than {hours} h later; "
                "report what followed as a new adverse event with recurrenceOf."
            )
            conditions.append(Condition("SHOULD_BE_NEW", message))
        recurred = view.adverse_events.get(fact.reported.recurrence_of) if fact.reported.recurrence_of else None
        if recurred is not None and recurred.voided is None:
            ids = together(ids, recurred.event_ids)
            if _within(fact, recurred, gap, treatment_of(view, state).window, state.zone):
                message = (
                    f"The adverse event {fact.reported.code} began within {hours} h of the end of the one that it "
                    "recurs from; reopen that one and void this one."
                )
                conditions.append(Condition("SHOULD_BE_REOPENED", message))
        if conditions:
            yield Finding(QueryObject.ADVERSE_EVENT, fact.reported.ae_id, tuple(conditions), ids)


def _worse_after(fact: AdverseEventFact, end: PartialDate, gap: timedelta, zone: ZoneInfo) -> bool:
    ended = span(end, zone)
    if ended is None:
        return False
    begins = ended[1] + gap
    if any(since is not None and since[0] >= begins for since in _spans(fact.frequency_worsened, zone)):
        return True
    spans = [(point, None if point.grade_at is None else span(point.grade_at, zone)) for point in fact.grades]
    at_end = grade_in_force(tuple(point for point, since in spans if since is None or since[0] < ended[1]), zone)
    return at_end is not None and any(
        since is not None and since[0] >= begins and point.grade > at_end.grade for point, since in spans
    )


def _within(
    fact: AdverseEventFact, recurred: AdverseEventFact, gap: timedelta, window: TeWindow | None, zone: ZoneInfo
) -> bool:
    onset, end = fact.reported.onset, recurred.end_at
    began, ended = span(onset, zone), None if end is None else span(end, zone)
    if began is None or ended is None or end is None or began[0] < ended[0]:
        return False
    if window is not None and window.is_before(end) and not window.is_before(onset):
        return False
    return began[1] <= ended[0] + gap + _MINUTE


def _spans(times: tuple[PartialDate, ...], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime] | None]:
    return (span(when, zone) for when in times)


INV_19 = Rule("INV-19", "1", ABOUT, wrong_side_of_the_gap)
