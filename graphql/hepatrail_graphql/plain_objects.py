"""Completes lists of plain objects column by column; whatever else, and whatever fails, is left to graphql-core.

graphql-core completes each field of each object by itself, with an info, a path and several calls: a participant's
course has some ten thousand fields. The fields of a plain type are attributes of its objects, or methods that take
nothing but the object. What is selected of them is compiled once a request into one function from the objects to
their answers, in which a field of all objects is one pass.

There are no errors here. A completion that meets anything but what the schema promises is given up as a whole and
the library begins again from the objects, which are data and answer twice alike: its answer, with its errors, stands.
So this module only ever says what the library would say, sooner (the tests hold it to that on random selections).
"""

from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, islice
from operator import attrgetter
from types import GeneratorType, NoneType
from typing import Any, TypeAlias, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

Complete: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""From the values of one field, of all objects, to what the answer says of each."""

_LEAST, _GREATEST = -(2**31), 2**31 - 1
_ITSELF: dict[GraphQLScalarType, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int}
"""The Python type whose values a scalar of the specification answers as they are."""
_NO_VALUE = (NoneType, type(Undefined), Exception, Awaitable, GeneratorType)


class NotPlain(Exception):
    """The library must complete this."""


class PlainObjectsExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes as the library does, lists of plain objects at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        middleware = self.middleware_manager
        self._resolvers_are_bare = middleware is None or not middleware.middlewares
        # The list of a field's nodes is kept beside its plan, so that no other one gets its id.
        self._plans: dict[tuple[GraphQLOutputType, int], tuple[FieldDetailsList, Complete | None]] = {}

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        """What the answer says of a resolved value."""
        nullable = get_nullable_type(return_type)
        if is_list_type(nullable) or is_object_type(nullable):
            plan = self._plan(return_type, field_details_list)
            if plan is not None:
                try:
                    return plan((result,))[0]
                except Exception:  # noqa: BLE001  whatever it is, the library meets it again and reports it
                    self._plans[return_type, id(field_details_list)] = (field_details_list, None)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def _plan(self, return_type: GraphQLOutputType, field_details_list: FieldDetailsList) -> Complete | None:
        key = (return_type, id(field_details_list))
        if key not in self._plans:
            try:
                plan = self._compiled(return_type, field_details_list) if self._resolvers_are_bare else None
            except Exception:  # noqa: BLE001  an argument of a directive below, say, which the library may never read
                plan = None
            self._plans[key] = (field_details_list, plan)
        return self._plans[key][1]

    def _compiled(self, type_: GraphQLOutputType, details: FieldDetailsList) -> Complete:
        if is_non_null_type(type_):
            return self._compiled_nullable(type_.of_type, details)
        return _optional(self._compiled_nullable(type_, details))

    def _compiled_nullable(self, type_: GraphQLOutputType, details: FieldDetailsList) -> Complete:
        if is_list_type(type_):
            return _listed(self._compiled(type_.of_type, details))
        if is_object_type(type_):
            return self._compiled_object(type_, details)
        if isinstance(type_, GraphQLScalarType | GraphQLEnumType):
            return _leaf(type_)
        raise NotPlain

    def _compiled_object(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Complete:
        definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(definition, StrawberryObjectDefinition):
            raise NotPlain
        grouped, deferred, _ = self.collect_subfields(type_, details)
        if deferred:
            raise NotPlain
        columns = {name: self._compiled_field(type_, chosen) for name, chosen in grouped.items()}
        return _objects(definition.origin, columns)

    def _compiled_field(self, parent: GraphQLObjectType, details: FieldDetailsList) -> Complete:
        node = details[0].node
        field = self.schema.get_field(parent, node.name.value)
        if node.name.value == "__typename":
            return _constant(parent.name)
        if field is None or node.arguments:
            raise NotPlain
        get, complete = _getter(field), self._compiled(field.type, details)
        of_row = getattr(get, "of_row", None)
        if of_row is not None:
            row, column = of_row
            return lambda objects: complete(list(map(column, map(row, objects))))
        return lambda objects: complete(list(map(get, objects)))


def _getter(field: GraphQLField) -> Callable[[Any], Any]:
    """How a field's value is had of an object, when that needs nothing but the object."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryField) or definition.extensions or definition.is_async or field.args:
        raise NotPlain
    resolver = definition.base_resolver
    if resolver is None:
        return attrgetter(definition.python_name)
    if resolver.self_parameter is None or len(resolver.signature.parameters) != 1:
        raise NotPlain
    return cast(Callable[[Any], Any], resolver.wrapped_func)


def _optional(complete: Complete) -> Complete:
    """A field that may be null."""

    def optional(values: Sequence[Any]) -> Sequence[Any]:
        present = [value for value in values if value is not None]
        if len(present) == len(values):
            return complete(values)
        completed = iter(complete(present)) if present else iter(())
        return [None if value is None else next(completed) for value in values]

    return optional


def _listed(complete: Complete) -> Complete:
    """A field that is a list: the items of all objects are completed together."""

    def listed(values: Sequence[Any]) -> Sequence[Any]:
        if not {list, tuple}.issuperset(map(type, values)):
            raise NotPlain
        completed = iter(complete(list(chain.from_iterable(values))))
        return [list(islice(completed, len(value))) for value in values]

    return listed


def _objects(origin: type, columns: dict[str, Complete]) -> Complete:
    """Objects of one class."""
    names, completes = tuple(columns), tuple(columns.values())

    def objects(values: Sequence[Any]) -> Sequence[Any]:
        _only(origin, values)
        if not names:
            return [{} for _ in values]
        rows = zip(*[complete(values) for complete in completes], strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    return _once(objects)


def _once(complete: Complete) -> Complete:
    """What is one and the same object in many places (an instant, an item that many points lack) is completed once."""

    def once(values: Sequence[Any]) -> Sequence[Any]:
        places = list(map(id, values))
        distinct = dict(zip(places, values, strict=True))
        if len(distinct) == len(places):
            return complete(values)
        completed = dict(zip(distinct, complete(list(distinct.values())), strict=True))
        return [completed[place] for place in places]

    return once


def _constant(value: str) -> Complete:
    return lambda objects: [value] * len(objects)


def _leaf(type_: GraphQLScalarType | GraphQLEnumType) -> Complete:
    """A scalar or an enum."""
    if isinstance(type_, CustomGraphQLEnumType):
        return _enum(type_)
    if isinstance(type_, GraphQLEnumType):
        raise NotPlain
    if type_ in _ITSELF:
        return _itself(_ITSELF[type_])
    coerce = type_.coerce_output_value

    def leaf(values: Sequence[Any]) -> Sequence[Any]:
        if any(issubclass(kind, _NO_VALUE) for kind in set(map(type, values))):
            raise NotPlain
        coerced = list(map(coerce, values))
        if any(issubclass(kind, _NO_VALUE) for kind in set(map(type, coerced))):
            raise NotPlain
        return coerced

    return _once(leaf)


def _itself(kind: type) -> Complete:
    def itself(values: Sequence[Any]) -> Sequence[Any]:
        _only(kind, values)
        if kind is int and values and not (min(values) >= _LEAST and max(values) <= _GREATEST):
            raise NotPlain
        return values

    return itself


def _enum(type_: CustomGraphQLEnumType) -> Complete:
    names: dict[Any, str] = {}

    def enum(values: Sequence[Any]) -> Sequence[Any]:
        _only(type_.wrapped_cls, values)
        for member in set(values) - names.keys():
            names[member] = type_.coerce_output_value(member)
        return [names[value] for value in values]

    return enum


def _only(kind: type, values: Sequence[Any]) -> None:
    if not {kind}.issuperset(map(type, values)):
        raise NotPlain
