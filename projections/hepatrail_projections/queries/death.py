"""INV-18: a death without a fatal adverse event, 24 hours after it was recorded."""

from collections.abc import Iterator
from datetime import timedelta

from hepatrail_events.adverse_events import Outcome
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, together


def without_fatal_event(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """A death that stands while no adverse event that counts is fatal; about the event that recorded it."""
    record = view.death_record
    if record is None or not record.stands:
        return
    fatal = [fact for fact in view.adverse_events.values() if fact.outcome is Outcome.FATAL]
    if any(fact.voided is None for fact in fatal):
        return
    corrections = {made.event_id for made in record.corrections}
    recorded_by = [event_id for event_id in record.event_ids if event_id not in corrections][-1]
    hours = state.published.protocol.safety.entry_reminder_hours
    message = (
        f"The participant died and no fatal adverse event was reported within {hours} h; report the adverse event "
        "that led to death, DEATH_NOS when none is known."
    )
    yield Finding(
        QueryObject.DEATH,
        recorded_by,
        (Condition("NO_FATAL_EVENT", message),),
        together(record.event_ids, *(fact.event_ids for fact in fatal)),
        opens_at=record.recorded_at + timedelta(hours=hours),
    )


INV_18 = Rule("INV-18", "1", ((QueryObject.DEATH, ""),), without_fatal_event)
