"""The smallest valid document of every operation that the schema has, made from the types of its arguments.

A new operation gets its document by itself; a new scalar needs its line here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)

SUBJECT = "S-01"
STREAM = "study"
VALUES: Mapping[str, Any] = {
    "BigInt": 1,
    "Boolean": True,
    "Comparator": "<",
    "DateTime": "2026-01-05T02:00:00Z",
    "DateTimeOrDate": "2026-01-05",
    "Decimal": "1",
    "ID": SUBJECT,
    "Int": 1,
    "JSON": {},
    "Position": "study@1",
    "String": "text",
    "UUID": str(UUID(int=1, version=4)),
    "Version": 1,
}
"""A value of each scalar."""
NAMED: Mapping[str, Any] = {"subjectId": SUBJECT, "stream": STREAM, "after": "now"}
"""Values of arguments by name, where the type alone does not say what they are."""


def operations(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLObjectType, GraphQLField]]:
    """`Query.subject` and so on: name, root type and field of every operation."""
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        assert root is not None
        for name, field in root.fields.items():
            yield f"{root.name}.{name}", root, field


def document(schema: GraphQLSchema, name: str) -> tuple[str, dict[str, Any]]:
    """The smallest document of an operation, and its variables; it is valid."""
    root, _, operation = name.partition(".")
    kind = {"Query": schema.query_type, "Mutation": schema.mutation_type, "Subscription": schema.subscription_type}
    parent = kind[root]
    assert parent is not None
    text, variables = _call(operation, parent.fields[operation])
    return _valid(schema, f"{root.lower()}{_signature(parent.fields[operation], variables)} {{ {text} }}"), variables


def fields_document(schema: GraphQLSchema, names: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """The smallest document that asks for these fields of a participant, and its variables; it is valid."""
    kind = schema.type_map["Subject"]
    assert isinstance(kind, GraphQLObjectType)
    texts, stated, given = list[str](), list[str](), dict[str, Any]()
    for name in names:
        text, variables = _call(name, kind.fields[name])
        texts.append(text)
        stated += [f"${each}: {kind.fields[name].args[each].type}" for each in variables]
        given |= variables
    signature = f"({', '.join(stated)})" if stated else ""
    return _valid(schema, f'query{signature} {{ subject(id: "{SUBJECT}") {{ {" ".join(texts)} }} }}'), given


def _call(name: str, field: GraphQLField) -> tuple[str, dict[str, Any]]:
    given = {argument: value for argument, value in _arguments(field) if value is not None}
    passed = f"({', '.join(f'{each}: ${each}' for each in given)})" if given else ""
    return f"{name}{passed}{_selection(field)}", given


def _selection(field: GraphQLField) -> str:
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return ""
    return " { __typename ... on CommandRejected { code } }" if str(kind) == "CommandResult" else " { __typename }"


def _signature(field: GraphQLField, variables: Mapping[str, Any]) -> str:
    stated = ", ".join(f"${each}: {field.args[each].type}" for each in variables)
    return f"({stated})" if stated else ""


def _arguments(field: GraphQLField) -> Iterator[tuple[str, Any]]:
    """What must be given, and the participant where a filter takes one: the rest of the trial is not for everybody."""
    for name, argument in field.args.items():
        kind = get_named_type(argument.type)
        if is_required_argument(argument):
            yield name, _value(name, argument.type)
        elif isinstance(kind, GraphQLInputObjectType) and "subjectId" in kind.fields:
            yield name, {"subjectId": SUBJECT}


def _value(name: str, kind: GraphQLInputType) -> Any:
    if is_non_null_type(kind):
        return _value(name, kind.of_type)
    if is_list_type(kind):
        return [_value(name, kind.of_type)]
    if is_enum_type(kind):
        assert isinstance(kind, GraphQLEnumType)
        return next(iter(kind.values))
    if is_input_object_type(kind):
        assert isinstance(kind, GraphQLInputObjectType)
        required = ((each, field) for each, field in kind.fields.items() if is_required_input_field(field))
        return {each: _value(each, field.type) for each, field in required}
    return NAMED.get(name, VALUES[str(kind)])


def _valid(schema: GraphQLSchema, text: str) -> str:
    errors = validate(schema, parse(text))
    assert errors == [], (text, errors)
    return text
