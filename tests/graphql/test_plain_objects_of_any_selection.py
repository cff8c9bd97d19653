"""Any selection from lists of plain objects, whole or broken, is answered as graphql-core answers it."""

from datetime import date, timedelta
from typing import Any, cast

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Library

from hepatrail_graphql.plain_objects import PlainObjectsExecutor
from plain_answers import executed
from plain_schema import BROKEN, NOW, SCHEMA, Colour, Leaf, Other, Thing

HEAD = "query ($yes: Boolean!, $no: Boolean!)"


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


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
def test_any_selection_is_answered_as_the_library_answers_it(broken: bool) -> None:
    @settings(max_examples=120, deadline=None)
    @given(_selections(cast(GraphQLNamedType, SCHEMA.query_type)), _things(broken))
    def holds(selection: str, things: list[Any]) -> None:
        query = f"{HEAD} {{ {selection} }}"
        assert executed(query, things, PlainObjectsExecutor) == executed(query, things, Library)

    holds()
