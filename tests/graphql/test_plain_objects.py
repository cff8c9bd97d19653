"""Lists of plain objects are completed as graphql-core completes them: the same data, the same errors, on anything."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum
from functools import partial
from typing import Annotated, Any, NewType, cast
from uuid import UUID

import pytest
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
    execute,
    get_named_type,
    is_leaf_type,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Library

from hepatrail_graphql.fields import of_row, resolved
from hepatrail_graphql.plain_objects import PlainObjectsExecutor
from hepatrail_graphql.scalars import SCALARS, Decimal, Json, Version

Picky = NewType("Picky", str)


def _picky(value: Any) -> str | None:
    if value == "refused":
        raise ValueError("refused")
    return None if value == "lost" else str(value)


@strawberry.enum
class Colour(Enum):
    """An enum whose names and values differ."""

    RED = "r"
    BLUE = "b"


class Shade(StrEnum):
    """Text that is more than text."""

    DARK = "r"


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
    config=StrawberryConfig(scalar_map={**SCALARS, Picky: strawberry.scalar(name="Picky", serialize=_picky)}),
)._schema
VARIABLES = {"yes": True, "no": False}
HEAD = "query ($yes: Boolean!, $no: Boolean!)"
FRAGMENTS = """
fragment Short on Named { name __typename }
fragment LeafParts on Leaf { text again: text ... on Leaf { colour @skip(if: $no) flag @include(if: $no) } }
"""
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
NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)


def _itself(value: Any) -> Any:
    return value


def _or_broken(whole: st.SearchStrategy[Any], broken: bool) -> st.SearchStrategy[Any]:
    return st.one_of(whole, whole, whole, st.sampled_from(BROKEN)) if broken else whole


def _leaves(broken: bool) -> st.SearchStrategy[Any]:
    values: dict[str, st.SearchStrategy[Any]] = {
        "text": st.text(max_size=3),
        "number": st.integers(-(2**31), 2**31 - 1),
        "floating": st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.none() | st.booleans(),
        "ident": st.text(max_size=3),
        "at": st.integers(0, 10**6).map(lambda seconds: NOW + timedelta(seconds=seconds)),
        "day": st.none() | st.just(date(2026, 3, 10)),
        "key": st.uuids(),
        "colour": st.none() | st.sampled_from(Colour),
        "colours": st.lists(st.sampled_from(Colour), max_size=2),
        "exact": st.none() | st.just("12.40"),
        "version": st.integers(0, 2**53),
        "stored": st.none() | st.just({"a": [1]}),
        "picky": st.none() | st.just("a"),
    }
    return st.builds(Leaf, **{name: _or_broken(each, broken) for name, each in values.items()})


def _things(broken: bool) -> st.SearchStrategy[Any]:
    leaves = _or_broken(_leaves(broken), broken)
    shared = {"name": st.text(max_size=3), "note": st.none() | st.text(max_size=3)}
    thing = st.builds(
        Thing,
        **shared,
        leaf=leaves,
        maybe=st.none() | leaves,
        leaves=st.lists(leaves, min_size=0 if broken else 1, max_size=3),
        spare=st.none() | st.lists(st.none() | leaves, max_size=2),
        matrix=st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2),
    )
    other = st.builds(Other, **shared, number=st.integers(0, 9))
    return st.lists(_or_broken(st.one_of(thing, thing, thing, other), True) if broken else thing, max_size=4)


@st.composite
def _selections(draw: st.DrawFn, type_: GraphQLNamedType, depth: int = 0) -> str:
    parts = ["__typename"] if draw(st.booleans()) or isinstance(type_, GraphQLUnionType) else []
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        # An error beside what waits would leave a coroutine behind, in the library too.
        leaves = [name for name, field in type_.fields.items() if is_leaf_type(get_named_type(field.type))]
        names = sorted(set(type_.fields) - {"waiting", "kept"}) if depth < 3 else leaves
        for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=6)):
            inside = get_named_type(type_.fields[name].type)
            below = "" if is_leaf_type(inside) else f" {{ {draw(_selections(inside, depth + 1))} }}"
            # An alias names the field with its selection, so that no answer's name means two things.
            alias = draw(st.sampled_from(("", f"a_{name}: ")))
            directive = draw(
                st.sampled_from(("", "", "", " @include(if: $no)", " @skip(if: $no)", " @include(if: $yes)"))
            )
            argument = "(count: 2)" if name == "first" and draw(st.booleans()) else ""
            parts.append(f"{alias}{name}{argument}{directive}{below}")
    for possible in (
        SCHEMA.get_possible_types(type_) if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType) else ()
    ):
        parts += [f"... on {possible.name} {{ {draw(_selections(possible, depth + 1))} }}"] * draw(st.integers(0, 1))
    if type_.name == "Leaf":
        parts += draw(st.sampled_from(((), ("...LeafParts",))))
    if type_.name in {"Thing", "Other", "Named"}:
        parts += draw(st.sampled_from(((), ("...Short",))))
    return " ".join(parts)


def _result(query: str, things: Any, executor: type[Library]) -> ExecutionResult:
    async def run() -> ExecutionResult:
        result = execute(
            SCHEMA, parse(query + FRAGMENTS), context_value=things, variable_values=VARIABLES, executor_class=executor
        )
        return await result if isinstance(result, Awaitable) else result

    return asyncio.run(run())


def _executed(query: str, things: Any, executor: type[Library]) -> str:
    result = _result(query, things, executor)
    errors = [(error.message, error.path, error.locations, error.original_error) for error in result.errors or ()]
    # The text, because the order of an answer's fields matters too; without the places of objects in memory.
    return re.sub(r" at 0x[0-9a-f]+", "", repr((result.data, errors)))


class _Counting(PlainObjectsExecutor):
    asked: list[str]

    def execute_field(self, parent_type: Any, source: Any, details: Any, path: Any, position: Any) -> Any:
        self.asked.append(f"{parent_type.name}.{details[0].node.name.value}")
        return super().execute_field(parent_type, source, details, path, position)


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
def test_any_selection_is_answered_as_the_library_answers_it(broken: bool) -> None:
    @settings(max_examples=120, deadline=None)
    @given(_selections(cast(GraphQLNamedType, SCHEMA.query_type)), _things(broken))
    def holds(selection: str, things: list[Any]) -> None:
        query = f"{HEAD} {{ {selection} }}"
        _alike(query, lambda: things)

    holds()


class _Soon:
    """An awaitable that is no coroutine."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return self._value


def _generated() -> Generator[Any, None, None]:
    yield _leaf()


UNPROMISED: tuple[Callable[[], Any], ...] = (
    *[partial(_itself, value) for value in BROKEN],
    *[
        partial(_itself, value)
        for value in ("r", "RED", "b", "", 0, 1, -1, False, 2**31, -(2**31), 2**31 - 1, 1.0, Undefined)
    ],
    lambda: Colour.BLUE,
    lambda: Shade.DARK,
    lambda: _Soon("a"),
    lambda: _Soon(None),
    lambda: NOW,
    lambda: date(2026, 3, 10),
    lambda: (_leaf(text="c"), _leaf(text="d")),
    lambda: {"text": "a"},
    lambda: _thing(),
    lambda: Other(name="o", note=None, number=1),
    lambda: iter(()),
    _generated,
)


def _leaf(**changes: Any) -> Leaf:
    given: dict[str, Any] = {
        "text": "a",
        "number": 1,
        "floating": 0.5,
        "flag": None,
        "ident": "i",
        "at": NOW,
        "day": date(2026, 3, 10),
        "key": UUID(int=7),
        "colour": Colour.RED,
        "colours": [Colour.BLUE],
        "exact": "12.40",
        "version": 3,
        "stored": {"a": 1},
        "picky": "p",
    }
    return Leaf(**given | changes)


def _thing(**changes: Any) -> Thing:
    given: dict[str, Any] = {
        "name": "t",
        "note": None,
        "leaf": _leaf(),
        "maybe": None,
        "leaves": [_leaf(text="b")],
        "spare": [None, _leaf()],
        "matrix": [[1], []],
    }
    return Thing(**given | changes)


EVERYTHING_PLAIN = """{ things { name note matrix maybe { text } last { text } spare { flag } leaves {
    text number floating flag ident at day key colour colours exact version stored picky __typename } } }"""


def _asked(query: str, things: list[Any]) -> list[str]:
    class Counting(_Counting):
        asked: list[str] = []  # noqa: RUF012  of this run alone

    _executed(query, things, Counting)
    return Counting.asked


def test_fields_of_plain_objects_are_not_executed_one_by_one() -> None:
    assert _asked(EVERYTHING_PLAIN, [_thing(), _thing()]) == ["Query.things"]


def test_what_plain_objects_hold_is_answered_as_the_schema_says() -> None:
    result = _result(
        "{ things { name spare { text } leaf { at colour key exact } } }", [_thing()], PlainObjectsExecutor
    )
    leaf = {"at": "2026-03-10T08:30:00.000Z", "colour": "RED", "key": str(UUID(int=7)), "exact": "12.40"}
    assert result.errors is None
    assert result.data == {"things": [{"name": "t", "spare": [None, {"text": "a"}], "leaf": leaf}]}


def test_fields_of_a_row_are_had_of_it_and_not_executed_one_by_one() -> None:
    kept = [Kept(row=Row(number, ["b", "a"]), beside=Row(7, [])) for number in (1, 2)]
    query = "{ kept { number parts otherONE } }"
    answers = [{"number": number, "parts": ["a", "b"], "otherONE": 7} for number in (1, 2)]
    assert _result(query, kept, PlainObjectsExecutor).data == {"kept": answers}
    assert _result(query, kept, Library).data == {"kept": answers}
    assert _asked(query, kept) == ["Query.kept"]
    _alike(query, lambda: [*kept, Kept(row=Row(2**31, []), beside=Row(7, []))])


def test_one_object_in_many_places_is_answered_in_each() -> None:
    leaf = _leaf()
    thing = _thing(leaf=leaf, maybe=leaf, leaves=[leaf, leaf, _leaf(text="other")], spare=[leaf, None, leaf])
    _alike("{ things { name leaf { text at } leaves { text at colour } spare { key } } }", lambda: [thing, thing])


def test_a_list_inside_an_object_that_is_not_plain_is_completed_at_once() -> None:
    asked = _asked("{ things { path leaves { text number } } }", [_thing()])
    assert asked == ["Query.things", "Thing.path", "Thing.leaves"]


def _alike(query: str, things: Callable[[], list[Any]]) -> None:
    assert _executed(query, things(), PlainObjectsExecutor) == _executed(query, things(), Library)


@pytest.mark.parametrize("field", [field.name for field in fields(Leaf)])
def test_a_value_that_a_field_does_not_promise_is_answered_as_the_library_answers_it(field: str) -> None:
    query = f"{{ some {{ spare {{ {field} }} }} }}"
    for make in UNPROMISED:
        _alike(query, lambda: [_thing(), _thing(spare=[_leaf(), _leaf(**{field: make()})])])  # noqa: B023  called here


@pytest.mark.parametrize("field", ["leaf", "maybe", "leaves", "spare"])
def test_an_object_that_a_field_does_not_promise_is_answered_as_the_library_answers_it(field: str) -> None:
    query = f"{{ some {{ {field} {{ text colour }} }} }}"
    for make in UNPROMISED:
        _alike(query, lambda: [_thing(), _thing(**{field: make()})])  # noqa: B023  called here


@pytest.mark.parametrize(
    "chosen", ["some { name }", "some { name matrix }", "things { leaves { text } }", "either { __typename }"]
)
def test_an_item_of_another_type_is_answered_as_the_library_answers_it(chosen: str) -> None:
    for make in UNPROMISED:
        _alike(f"{{ {chosen} }}", lambda: [_thing(), make()])  # noqa: B023  called here


def test_an_argument_is_heeded() -> None:
    thing = _thing(leaves=[_leaf(text=each) for each in "abc"])
    result = _result("{ things { first { text } two: first(count: 2) { text } } }", [thing], PlainObjectsExecutor)
    assert result.data == {"things": [{"first": [{"text": "a"}], "two": [{"text": "a"}, {"text": "b"}]}]}


def test_fields_that_wait_are_awaited() -> None:
    for chosen in ("name", "later", "name later"):
        query = f"{{ waiting {{ {chosen} }} things {{ name }} }}"
        _alike(query, lambda: [_thing()])


def test_only_what_is_broken_is_executed_field_by_field() -> None:
    things = [_thing(leaf=_leaf(text=None)), _thing()]
    query = "{ some { leaf { text } leaves { text number } } }"
    result = _result(query, things, PlainObjectsExecutor)
    assert [error.path for error in result.errors or ()] == [["some", 0, "leaf", "text"]]
    assert "Leaf.number" not in _asked(query, things)


def test_a_middleware_sees_every_field() -> None:
    seen: list[str] = []

    class Watching(SchemaExtension):
        def resolve(self, _next: Any, root: Any, info: Any, *args: str, **arguments: Any) -> Any:
            seen.append(info.field_name)
            return _next(root, info, *args, **arguments)

    schema = strawberry.Schema(
        query=Query,
        extensions=[Watching],
        execution_context_class=PlainObjectsExecutor,
        config=StrawberryConfig(scalar_map={**SCALARS, Picky: strawberry.scalar(name="Picky", serialize=_picky)}),
    )
    result = schema.execute_sync("{ things { name leaf { text } } }", context_value=[_thing()])
    assert result.errors is None
    assert seen == ["things", "name", "leaf", "text"]
