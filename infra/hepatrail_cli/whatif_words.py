"""Words that `hepatrail whatif` says of values and of outcomes alike."""

from collections.abc import Sequence

from hepatrail_events.types import format_instant
from hepatrail_projections.responsible_event import ResponsibleEvent

NAMED = 3
"""Of so many events, participants or cells a line tells; of the others it says how many they are."""


def because(events: Sequence[ResponsibleEvent]) -> str:
    """The events responsible."""
    if not events:
        return "by the protocol alone"
    more = len(events) - NAMED
    said = [_event(each) for each in events[:NAMED]]
    return "; ".join([*said, f"and {more} more events"] if more > 0 else said)


def _event(event: ResponsibleEvent) -> str:
    whose = f"{event.type} {event.stream}@{event.streamseq} by {event.actor_id} ({event.actor_role})"
    return f"{whose} at {format_instant(event.recorded_at)}"
