"""Keyset connections: every page names where it ends; none counts from the start."""

from typing import Any, Generic, TypeVar

import strawberry

from hepatrail_graphql.errors import bad_input

LARGEST_PAGE = 200

NodeType = TypeVar("NodeType")
Row = TypeVar("Row")


@strawberry.type(description="Where a page lies in the whole list.")
class PageInfo:
    """Where a page lies in the whole list."""

    has_next_page: bool = strawberry.field(description="Whether something stands behind this page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge: give it as `after` to go on.")


@strawberry.type(description="One entry of a page.")
class Edge(Generic[NodeType]):
    """One entry of a page."""

    cursor: str = strawberry.field(description="The place of this entry; never expires.")
    node: NodeType = strawberry.field(description="The entry.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    """One page of a list."""

    edges: list[Edge[NodeType]] = strawberry.field(description="The entries, in order.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


def check_first(first: int) -> int:
    """`first` when it lies in 1..200; else BAD_USER_INPUT."""
    if not 1 <= first <= LARGEST_PAGE:
        raise bad_input(f"first must be 1 to {LARGEST_PAGE}.", field="first", rule=f"1..{LARGEST_PAGE}")
    return first


def last_cursor(edges: list[Edge[Any]]) -> str | None:
    """Where a page ends."""
    return edges[-1].cursor if edges else None
