"""The input type of every command, generated from the command's model so that the two cannot drift apart.

Free text that is stored sealed comes in as plain text and is sealed at the gateway.
"""

import types
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import strawberry
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from strawberry.types.base import get_object_definition

from hepatrail_events.measurements import Comparator as ComparatorSign
from hepatrail_events.streams import SUBJECT_ID_PATTERN
from hepatrail_events.types import DECIMAL_PATTERN, Fact, SealedText, format_instant
from hepatrail_graphql.enums import ENUMS
from hepatrail_graphql.scalars import BigInt, Comparator, DateTimeOrDate, Decimal, Version

_GRAPHQL_INT = 2**31 - 1
_IDS = frozenset({"site_id"})
_VERSIONS = frozenset({"expected_version"})


@cache
def input_type(model: type[Fact]) -> Any:
    """The GraphQL input type of a command or of a part of one: its name is the model's with `Input` behind it."""
    name = model.__name__.removesuffix("Input") + "Input"
    annotations: dict[str, Any] = {}
    body: dict[str, Any] = {}
    for field, info in model.model_fields.items():
        kind = _field_type(field, info.annotation, info.metadata)
        optional = not info.is_required()
        annotations[field] = kind | None if optional and not _allows_none(kind) else kind
        description, alias = _description(field, info), info.alias or to_camel(field)
        if optional:
            body[field] = strawberry.field(description=description, name=alias, default=strawberry.UNSET)
        else:
            body[field] = strawberry.field(description=description, name=alias)
    made = types.new_class(name, (), exec_body=lambda namespace: namespace.update(body))
    made.__annotations__ = annotations
    made.__doc__ = _sentence(model)
    return strawberry.input(made, name=name, description=_sentence(model))


def to_raw(value: Any) -> Any:
    """An input as the JSON of the command: camelCase names; absent and null mean the same and are left out."""
    definition = get_object_definition(value)
    if definition is not None:
        pairs = ((field.graphql_name, getattr(value, field.python_name)) for field in definition.fields)
        return {name: to_raw(part) for name, part in pairs if part is not None and part is not strawberry.UNSET}
    match value:
        case list():
            return [to_raw(part) for part in value]
        case Enum():
            return value.value
        case datetime():
            return format_instant(value)
        case UUID():
            return str(value)
    return value


def _field_type(name: str, annotation: Any, metadata: Iterable[Any] = ()) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _field_type(name, arguments[0], (*metadata, *arguments[1:]))
    if origin in (Union, types.UnionType):
        return _union_type(name, arguments, metadata)
    if origin in (tuple, frozenset, list):
        return list[_field_type(name, arguments[0])]  # type: ignore[misc]  # the item's type is known at run time only
    if origin is Literal:
        return str
    return _plain_type(name, annotation, tuple(_constraints(metadata)))


def _union_type(name: str, members: tuple[Any, ...], metadata: Iterable[Any]) -> Any:
    kinds = [member for member in members if member is not type(None)]
    if any(_bare(kind) is SealedText for kind in kinds):
        found: Any = str
    elif {_bare(kind) for kind in kinds} == {datetime, date}:
        found = DateTimeOrDate
    elif len(kinds) == 1:
        found = _field_type(name, kinds[0], metadata)
    else:
        raise TypeError(f"{name}: a union of {kinds} has no input type")
    return found | None if len(kinds) < len(members) else found


def _plain_type(name: str, kind: type, constraints: tuple[Any, ...]) -> Any:
    patterns = {getattr(rule, "pattern", None) for rule in constraints}
    if kind is SealedText:
        return str
    if kind is ComparatorSign:
        return Comparator
    if kind in ENUMS:
        return kind
    if isinstance(kind, type) and issubclass(kind, Fact):
        return input_type(kind)
    if kind is str and DECIMAL_PATTERN in patterns:
        return Decimal
    if kind is str and (SUBJECT_ID_PATTERN in patterns or name in _IDS):
        return strawberry.ID
    if kind is int and name in _VERSIONS:
        return Version
    if kind is int and name != "expected_ae_version" and any(_wide(rule) for rule in constraints):
        return BigInt
    if kind in (str, int, bool, UUID, datetime):
        return kind
    raise TypeError(f"{name}: {kind} has no input type")


def _constraints(metadata: Iterable[Any]) -> Iterable[Any]:
    for part in metadata:
        yield from part.metadata if isinstance(part, FieldInfo) else (part,)


def _wide(rule: Any) -> bool:
    return (getattr(rule, "le", None) or 0) > _GRAPHQL_INT


def _bare(kind: Any) -> Any:
    return _bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def _allows_none(kind: Any) -> bool:
    return type(None) in get_args(kind)


def _description(name: str, info: FieldInfo) -> str:
    if info.description:
        return info.description
    for part in _nested(info.annotation):
        if part is SealedText:
            return "Free text about the participant; stored sealed."
        if isinstance(part, FieldInfo) and part.description:
            return part.description
        if isinstance(part, type) and issubclass(part, Fact | Enum) and part.__doc__:
            return _sentence(part)
    return to_camel(name)


def _nested(annotation: Any) -> Iterable[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _nested(part)


def _sentence(kind: type) -> str:
    return " ".join((kind.__doc__ or kind.__name__).split())


def input_types(commands: Mapping[str, type[Fact]]) -> Mapping[str, Any]:
    """The input type of each command by its name."""
    return {name: input_type(model) for name, model in commands.items()}
