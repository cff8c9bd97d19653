"""Strawberry's decorators with their types, which its own signature loses when a description is given."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def resolved(description: str) -> Callable[[Resolver], Resolver]:
    """A field that a method answers."""
    return cast(Callable[[Resolver], Resolver], strawberry.field(description=description))


def subscribed(description: str) -> Callable[[Resolver], Resolver]:
    """A subscription that an asynchronous generator answers."""
    return cast(Callable[[Resolver], Resolver], strawberry.subscription(description=description))
