"""Strawberry's decorators with their types, which its own signature loses when a description is given."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar, cast

import strawberry

Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def resolved(description: str) -> Callable[[Resolver], Resolver]:
    """A field that a method answers."""
    return cast(Callable[[Resolver], Resolver], strawberry.field(description=description))


def subscribed(description: str) -> Callable[[Resolver], Resolver]:
    """A subscription that an asynchronous generator answers."""
    return cast(Callable[[Resolver], Resolver], strawberry.subscription(description=description))


def of_row(get: Callable[[Any], Any] | str, description: str, *, holder: str = "row", name: str | None = None) -> Any:
    """A field that is had of the object's row, and only when it is asked for: a column's name, or a function.

    `holder` is the object's attribute that holds the row, `name` the field's where the attribute's would not do. So a
    list of hundreds of objects with dozens of fields costs what is selected, not what could be.
    """
    row, column = attrgetter(holder), attrgetter(get) if isinstance(get, str) else get

    def read(self: Any) -> Any:
        return column(row(self))

    # `plain_objects` asks a whole list at once.
    read.of_row = (row, column)  # type: ignore[attr-defined]
    return strawberry.field(resolver=read, description=description, name=name)
