"""Answers to data queries and their closing (`events.md` 3.10).

Queries are derived by the projections and no facts, so any id of a query is taken. Decided here, because the
reference leaves room: to close a query again for the same version of its rule yields no event; an answer is always
recorded, also one to a query that is closed.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.event import Event
from hepatrail_events.roles import LABORATORIES, SITE, Role
from hepatrail_events.types import Label
from hepatrail_services.command import Comment, ReasonText, SubjectCommand


class AnswerQuery(SubjectCommand):
    """Somebody of the site or of the laboratory answers a data query."""

    ROLES: ClassVar[frozenset[Role]] = SITE | LABORATORIES

    query_id: UUID = Field(description="The query")
    text: Comment = Field(description="The answer")


class CloseQuery(SubjectCommand):
    """The monitor closes a data query; it stays closed for this version of its rule."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.MONITOR})

    query_id: UUID = Field(description="The query")
    reason: ReasonText = Field(description="Why the query is closed although its condition may still hold")
    rule_version: Label = Field(description="Version of the rule that the monitor saw at the query")


DataQueryCommand: TypeAlias = AnswerQuery | CloseQuery
DataQueryEvent: TypeAlias = QueryAnswered | QueryClosed


@dataclass(frozen=True, slots=True)
class DataQueriesState:
    """The closed queries, each with the version of its rule."""

    closed: frozenset[tuple[UUID, str]] = frozenset()


def decide(state: DataQueriesState, command: DataQueryCommand) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site."""
    match command:
        case AnswerQuery():
            return (QueryAnswered(query_id=command.query_id, text=command.text),)
        case CloseQuery():
            if (command.query_id, command.rule_version) in state.closed:
                return ()
            return (QueryClosed(query_id=command.query_id, reason=command.reason, rule_version=command.rule_version),)
        case _:
            assert_never(command)


def evolve(state: DataQueriesState, event: DataQueryEvent) -> DataQueriesState:
    """The state after an event."""
    match event:
        case QueryAnswered():
            return state
        case QueryClosed():
            return DataQueriesState(state.closed | {(event.query_id, event.rule_version)})
        case _:
            assert_never(event)
