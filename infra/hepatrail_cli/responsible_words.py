"""Words for the events behind a value, a change or an outcome, as commands say them in a line."""

from collections.abc import Sequence

from hepatrail_events.types import format_instant
from hepatrail_projections.responsible_event import ResponsibleEvent
from hepatrail_projections.row_changes import Cause

NAMED = 3
"""Of so many events, participants or cells a line tells; of the others it says how many they are."""


def because(events: Sequence[ResponsibleEvent], otherwise: str) -> str:
    """The events responsible; `otherwise` where there is none."""
    if not events:
        return otherwise
    more = len(events) - NAMED
    said = [_event(each) for each in events[:NAMED]]
    return "; ".join([*said, f"and {more} more events"] if more > 0 else said)


def _event(event: ResponsibleEvent) -> str:
    whose = f"{event.type} {event.stream}@{event.streamseq} by {event.actor_id} ({event.actor_role})"
    why = f": {event.why}" if isinstance(event, Cause) and event.why is not None else ""
    return f"{whose} at {format_instant(event.recorded_at)}{why}"
