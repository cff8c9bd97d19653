"""What an event refers to must be there."""

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

from hepatrail_events.errors import InvalidPayload

Fact = TypeVar("Fact")


def known(facts: Mapping[UUID, Fact], fact_id: UUID, what: str) -> Fact:
    """The fact of this id; InvalidPayload, which parks the subject, when the stream has none."""
    found = facts.get(fact_id)
    if found is None:
        raise InvalidPayload(f"the stream has no {what} {fact_id}")
    return found
