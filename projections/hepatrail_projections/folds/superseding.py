"""Earlier versions of what was mended: kept, so that what once followed from them can still be told."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hepatrail_events.envelope import Envelope
from hepatrail_events.event import Event
from hepatrail_projections.corrections import Superseded
from hepatrail_projections.facts import SubjectView

DEATH = ("death_record", None)
"""The key of the death record, of which there is one."""

_BY_ID = ("adverse_events", "results", "reviews", "procedures", "medications", "assessments")
_NAMES = ("ae_id", "result_id", "id")


def superseded(
    before: SubjectView, after: SubjectView, event: Event, envelope: Envelope
) -> Mapping[tuple[str, UUID | None], tuple[Superseded, ...]]:
    """All earlier versions after an event, by the field of the view and the id in it, oldest first."""
    known = before.superseded
    for key, fact in _replaced(before, after, event):
        earlier = Superseded(fact, envelope.recordedat, envelope.id)
        known = {**known, key: (*known.get(key, ()), earlier)}
    return known


def _replaced(before: SubjectView, after: SubjectView, event: Event) -> list[tuple[tuple[str, UUID | None], Any]]:
    found: list[tuple[tuple[str, UUID | None], Any]] = []
    for name in _BY_ID:
        records: Mapping[UUID, Any] = getattr(before, name)
        if records is getattr(after, name):
            continue
        object_id: UUID | None = next((getattr(event, each) for each in _NAMES if hasattr(event, each)), None)
        if object_id is not None and object_id in records:
            found.append(((name, object_id), records[object_id]))
    if before.death_record is not None and before.death_record is not after.death_record:
        found.append((DEATH, before.death_record))
    return found
