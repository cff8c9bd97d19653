"""What a SOFT rule is, and what it finds: plain data, pure functions, no clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.inputs import Collected
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SubjectView


class Condition(NamedTuple):
    """One reason for a query: its code and a sentence for the site, which says what would be right."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to ask about: the object, why, and every event on which it depends that there is a query.

    `opens_at` is the instant from which it is open, None for at once. `aspect` tells apart two queries of one rule
    about one object; it is empty but where a part of the rule opens by time, and so for itself.
    """

    kind: QueryObject
    object_id: UUID
    conditions: tuple[Condition, ...]
    event_ids: tuple[UUID, ...]
    opens_at: datetime | None = None
    aspect: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A SOFT rule. `version` rises whenever the rule asks for something else: closed queries are then open again.

    `asks_about` lists the objects with the aspects that it may ever name, so that an answer finds its query after the
    condition is gone.
    """

    rule_id: str
    version: str
    asks_about: tuple[tuple[QueryObject, str], ...]
    find: Callable[[SubjectView, ClinicalState], Iterator[Finding]]

    def query_id(self, subject_id: str, object_id: UUID, aspect: str = "") -> UUID:
        """The id of its query about an object (`events.md` 3.10), the same for ever."""
        return query_id(self.rule_id, subject_id, object_id, aspect)


def query_id(rule_id: str, subject_id: str, object_id: UUID, aspect: str = "") -> UUID:
    """UUIDv5(ns, rule|subjectId|object), the aspect behind the object."""
    return derived_id(rule_id, subject_id, f"{object_id}{aspect}")


def together(*ids: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """The ids, each once, in their order."""
    return tuple(dict.fromkeys(each for some in ids for each in some))


def say(when: PartialDate | datetime | Collected) -> str:
    """A time as a sentence names it: UTC to the minute, or a civil date of the site."""
    if isinstance(when, PartialDate):
        return when.value or "an unknown date"
    if isinstance(when, Collected):
        return f"{when.local_date}" if when.instant is None else say(when.instant)
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
