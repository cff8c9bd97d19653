"""SES-07 with INV-16: what is unusual about a session (`endpoints.md` section 5).

Decided here, because the reference leaves room: treatment counts as discontinued from the moment at which the site
knew of the adverse event; where a follow-up says so, from the moment at which that information was received.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from hepatrail_events.adverse_events import ActionTaken
from hepatrail_events.protocol import Protocol
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SessionFact, SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, say, together
from hepatrail_projections.session import dose, duration_class, hours_text, in_band

NO_END = ":end"
_HOUR = timedelta(hours=1)


def unusual(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """One finding a session for all that is unusual, and one that opens when an end is overdue."""
    protocol = state.published.protocol
    overdue = timedelta(hours=protocol.session_end_overdue_hours)
    stopped = discontinued(view)
    for session_id, fact in view.sessions.items():
        if fact.voided is not None:
            continue
        since = [(ae, at) for ae, at in stopped if fact.started.started_at > at]
        conditions = (*_exposure(fact, state), *_weight(fact, protocol), *_rechallenge(since))
        if conditions:
            ids = together(fact.event_ids, *(ae.event_ids for ae, _ in since))
            yield Finding(QueryObject.SESSION, session_id, conditions, ids)
        if fact.ended_at is None:
            yield _no_end(session_id, fact, overdue)


def discontinued(view: SubjectView) -> list[tuple[AdverseEventFact, datetime]]:
    """The adverse events for which treatment was discontinued, each with the moment from which it was."""
    return [
        (fact, _discontinued_at(fact))
        for fact in view.adverse_events.values()
        if fact.action_taken is ActionTaken.TREATMENT_DISCONTINUED and fact.voided is None
    ]


def _discontinued_at(fact: AdverseEventFact) -> datetime:
    said = [entry.event for entry in fact.follow_ups if entry.event.action_taken is not None]
    again = takewhile(lambda event: event.action_taken is ActionTaken.TREATMENT_DISCONTINUED, reversed(said))
    return min((event.info_received_at for event in again), default=fact.reported.aware_at)


def _exposure(fact: SessionFact, state: ClinicalState) -> Iterator[Condition]:
    protocol, given = state.published.protocol, dose(fact, state.published)
    if given.hours is not None and duration_class(given.hours, protocol)[0] in "<>":
        low, high = protocol.session_hours_low, protocol.session_hours_high
        yield Condition(
            "DURATION",
            f"The session took {hours_text(given.hours)} h, planned are {low} to {high} h; correct its times or say "
            "why.",
        )
    by_session = protocol.endpoints.dose_target_scope == "SESSION"
    if by_session and given.ratio is not None and in_band(given.ratio, protocol) is False:
        percent = round(given.ratio * 100)
        yield Condition(
            "DOSE",
            f"The dose was {percent} % of the protocol's cells per kg; correct cells or weight, or say why.",
        )


def _weight(fact: SessionFact, protocol: Protocol) -> Iterator[Condition]:
    started = fact.started
    if started.started_at - started.weight_measured_at > timedelta(days=protocol.weight_max_age_days):
        yield Condition(
            "WEIGHT_AGE",
            f"The weight is older than {protocol.weight_max_age_days} days at the start; correct when it was measured, "
            "or say why no newer one was taken.",
        )


def _rechallenge(since: list[tuple[AdverseEventFact, datetime]]) -> Iterator[Condition]:
    if since:
        codes = ", ".join(dict.fromkeys(fact.reported.code for fact, _ in since))
        yield Condition(
            "INV-16",
            f"The session started after treatment was discontinued for an adverse event ({codes}, known since "
            f"{say(min(at for _, at in since))}); correct the action taken, or say why treatment went on.",
        )


def _no_end(session_id: UUID, fact: SessionFact, overdue: timedelta) -> Finding:
    message = f"The session has no end {overdue // _HOUR} h after its start; record its end, or void it."
    return Finding(
        QueryObject.SESSION,
        session_id,
        (Condition("NO_END", message),),
        fact.event_ids,
        opens_at=fact.started.started_at + overdue,
        aspect=NO_END,
    )


SES_07 = Rule("SES-07", "1", ((QueryObject.SESSION, ""), (QueryObject.SESSION, NO_END)), unusual)
