"""Lists of plain objects are completed as graphql-core completes them: the same data, the same errors, case by case."""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import fields
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import strawberry
from graphql import Undefined
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Library

from hepatrail_graphql.plain_objects import PlainObjectsExecutor
from hepatrail_graphql.scalars import SCALARS
from plain_answers import alike, executed, result_of
from plain_schema import BROKEN, NOW, Colour, Kept, Leaf, Other, Picky, Query, Row, Thing, serialize_picky


class Shade(StrEnum):
    """Text that is more than text."""

    DARK = "r"


def _itself(value: Any) -> Any:
    return value


class _Counting(PlainObjectsExecutor):
    asked: list[str]

    def execute_field(self, parent_type: Any, source: Any, details: Any, path: Any, position: Any) -> Any:
        self.asked.append(f"{parent_type.name}.{details[0].node.name.value}")
        return super().execute_field(parent_type, source, details, path, position)


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

    executed(query, things, Counting)
    return Counting.asked


def test_fields_of_plain_objects_are_not_executed_one_by_one() -> None:
    assert _asked(EVERYTHING_PLAIN, [_thing(), _thing()]) == ["Query.things"]


def test_what_plain_objects_hold_is_answered_as_the_schema_says() -> None:
    result = result_of(
        "{ things { name spare { text } leaf { at colour key exact } } }", [_thing()], PlainObjectsExecutor
    )
    leaf = {"at": "2026-03-10T08:30:00.000Z", "colour": "RED", "key": str(UUID(int=7)), "exact": "12.40"}
    assert result.errors is None
    assert result.data == {"things": [{"name": "t", "spare": [None, {"text": "a"}], "leaf": leaf}]}


def test_fields_of_a_row_are_had_of_it_and_not_executed_one_by_one() -> None:
    kept = [Kept(row=Row(number, ["b", "a"]), beside=Row(7, [])) for number in (1, 2)]
    query = "{ kept { number parts otherONE } }"
    answers = [{"number": number, "parts": ["a", "b"], "otherONE": 7} for number in (1, 2)]
    assert result_of(query, kept, PlainObjectsExecutor).data == {"kept": answers}
    assert result_of(query, kept, Library).data == {"kept": answers}
    assert _asked(query, kept) == ["Query.kept"]
    alike(query, lambda: [*kept, Kept(row=Row(2**31, []), beside=Row(7, []))])


def test_one_object_in_many_places_is_answered_in_each() -> None:
    leaf = _leaf()
    thing = _thing(leaf=leaf, maybe=leaf, leaves=[leaf, leaf, _leaf(text="other")], spare=[leaf, None, leaf])
    alike("{ things { name leaf { text at } leaves { text at colour } spare { key } } }", lambda: [thing, thing])


def test_a_list_inside_an_object_that_is_not_plain_is_completed_at_once() -> None:
    asked = _asked("{ things { path leaves { text number } } }", [_thing()])
    assert asked == ["Query.things", "Thing.path", "Thing.leaves"]


@pytest.mark.parametrize("field", [field.name for field in fields(Leaf)])
def test_a_value_that_a_field_does_not_promise_is_answered_as_the_library_answers_it(field: str) -> None:
    query = f"{{ some {{ spare {{ {field} }} }} }}"
    for make in UNPROMISED:
        alike(query, lambda: [_thing(), _thing(spare=[_leaf(), _leaf(**{field: make()})])])  # noqa: B023  called here


@pytest.mark.parametrize("field", ["leaf", "maybe", "leaves", "spare"])
def test_an_object_that_a_field_does_not_promise_is_answered_as_the_library_answers_it(field: str) -> None:
    query = f"{{ some {{ {field} {{ text colour }} }} }}"
    for make in UNPROMISED:
        alike(query, lambda: [_thing(), _thing(**{field: make()})])  # noqa: B023  called here


@pytest.mark.parametrize(
    "chosen", ["some { name }", "some { name matrix }", "things { leaves { text } }", "either { __typename }"]
)
def test_an_item_of_another_type_is_answered_as_the_library_answers_it(chosen: str) -> None:
    for make in UNPROMISED:
        alike(f"{{ {chosen} }}", lambda: [_thing(), make()])  # noqa: B023  called here


def test_an_argument_is_heeded() -> None:
    thing = _thing(leaves=[_leaf(text=each) for each in "abc"])
    result = result_of("{ things { first { text } two: first(count: 2) { text } } }", [thing], PlainObjectsExecutor)
    assert result.data == {"things": [{"first": [{"text": "a"}], "two": [{"text": "a"}, {"text": "b"}]}]}


def test_fields_that_wait_are_awaited() -> None:
    for chosen in ("name", "later", "name later"):
        query = f"{{ waiting {{ {chosen} }} things {{ name }} }}"
        alike(query, lambda: [_thing()])


def test_only_what_is_broken_is_executed_field_by_field() -> None:
    things = [_thing(leaf=_leaf(text=None)), _thing()]
    query = "{ some { leaf { text } leaves { text number } } }"
    result = result_of(query, things, PlainObjectsExecutor)
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
        config=StrawberryConfig(
            scalar_map={**SCALARS, Picky: strawberry.scalar(name="Picky", serialize=serialize_picky)}
        ),
    )
    result = schema.execute_sync("{ things { name leaf { text } } }", context_value=[_thing()])
    assert result.errors is None
    assert seen == ["things", "name", "leaf", "text"]
