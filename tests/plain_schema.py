"""A schema with plain objects and others, for what completes their lists, and values that its fields have or refuse."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, NewType, cast
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig

from hepatrail_graphql.fields import of_row, resolved
from hepatrail_graphql.scalars import SCALARS, Decimal, Json, Version

Picky = NewType("Picky", str)


def serialize_picky(value: Any) -> str | None:
    """Refuses a value, and loses another."""
    if value == "refused":
        raise ValueError("refused")
    return None if value == "lost" else str(value)


@strawberry.enum
class Colour(Enum):
    """An enum whose names and values differ."""

    RED = "r"
    BLUE = "b"


@strawberry.interface
class Named:
    """What `Thing` and `Other` share."""

    name: str
    note: str | None


@strawberry.type
class Leaf:
    """A field of every scalar."""

    text: str
    number: int
    floating: float
    flag: bool | None
    ident: strawberry.ID
    at: datetime
    day: date | None
    key: UUID
    colour: Colour | None
    colours: list[Colour]
    exact: Decimal | None
    version: Version
    stored: Json | None
    picky: Picky | None


@strawberry.type
class Thing(Named):
    """Fields with and without resolvers of every kind."""

    leaf: Leaf
    maybe: Leaf | None
    leaves: list[Leaf]
    spare: list[Leaf | None] | None
    matrix: list[list[int]]

    @resolved("A method of nothing but the object.")
    def last(self) -> Leaf | None:
        """The last leaf; fails when there is none."""
        return self.leaves[-1]

    @resolved("One that asks the library.")
    def path(self, info: strawberry.Info) -> str:
        """Where it stands."""
        return ".".join(map(str, info.path.as_list()))

    @resolved("One with an argument.")
    def first(self, count: Annotated[int, strawberry.argument(description="How many.")] = 1) -> list[Leaf]:
        """The first leaves."""
        return self.leaves[:count]


@strawberry.type
class Other(Named):
    """The other type of the interface and the union."""

    number: int


@strawberry.type
class Waiting:
    """A field that waits."""

    name: str

    @resolved("The name, later.")
    async def later(self) -> str:
        """The name, later."""
        await asyncio.sleep(0)
        return self.name


@dataclass(frozen=True)
class Row:
    """What a table holds."""

    number: int
    parts: list[str]


@strawberry.type
class Kept:
    """Fields that are had of a row."""

    row: strawberry.Private[Row]
    beside: strawberry.Private[Row]

    number: int = of_row("number", "A column.")
    parts: list[str] = of_row(lambda row: sorted(row.parts), "What a function makes of one.")
    other: int = of_row("number", "A column of another row.", holder="beside", name="otherONE")


@strawberry.type
class Query:
    """What the context holds."""

    @resolved("Plain objects and others.")
    def things(self, info: strawberry.Info) -> list[Thing]:
        """All."""
        return cast(list[Thing], info.context)

    @resolved("The same, where each may be null.")
    def some(self, info: strawberry.Info) -> list[Thing | None] | None:
        """All, or none."""
        return cast(list[Thing | None], info.context)

    @resolved("An interface.")
    def named(self, info: strawberry.Info) -> list[Named]:
        """All by their interface."""
        return cast(list[Named], info.context)

    @resolved("A union.")
    def either(self, info: strawberry.Info) -> list[Thing | Other] | None:
        """All by their union."""
        return cast(list[Thing | Other], info.context)

    @resolved("Objects with a row.")
    def kept(self, info: strawberry.Info) -> list[Kept]:
        """All."""
        return cast(list[Kept], info.context)

    @resolved("Objects whose fields wait.")
    def waiting(self, info: strawberry.Info) -> list[Waiting]:
        """Two."""
        return [Waiting(name="a"), Waiting(name="b")]


SCHEMA = strawberry.Schema(
    query=Query,
    config=StrawberryConfig(scalar_map={**SCALARS, Picky: strawberry.scalar(name="Picky", serialize=serialize_picky)}),
)._schema
BROKEN: tuple[Any, ...] = (
    None,
    "refused",
    "lost",
    2**40,
    1.5,
    float("nan"),
    True,
    [],
    {},
    ValueError("broken"),
    object,
)
"""What most fields do not promise."""
NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
