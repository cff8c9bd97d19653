"""Facts about data queries, which themselves are derived and no events (`events.md` 3.10)."""

from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Label, SealedText


class QueryAnswered(Event):
    """Somebody of the site answered a query."""

    query_id: UUID
    text: SealedText


class QueryClosed(Event):
    """The monitor closed a query; it stays closed for that version of its rule."""

    query_id: UUID
    reason: SealedText
    rule_version: Label = Field(description="Version of the rule under which the query was closed")
