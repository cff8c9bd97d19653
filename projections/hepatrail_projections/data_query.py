"""`data_query`: questions to the site that follow from the data (`events.md` 3.10); none of them is an event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class QueryRow:
    """An open query: id = derived_id(rule, subjectId, objectId), gone when its condition no longer holds.

    `object_kind` is LAB_RESULT, SESSION or ADVERSE_EVENT; `code` says which condition of the rule holds, `message` is a
    sentence for the site and `details` are its parts. `opens_at` is None for one that is open, or the instant from
    which it is.
    """

    subject_id: str
    query_id: UUID
    rule: str
    code: str
    object_kind: str
    object_id: UUID
    message: str
    details: Json
    opens_at: datetime | None
    protocol_version: str | None
    event_ids: tuple[UUID, ...]


DATA_QUERY = Table("data_query", QueryRow, ("subject_id", "query_id"))
