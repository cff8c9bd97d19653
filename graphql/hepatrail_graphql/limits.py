"""What one request may ask for: tokens, depth, aliases and cost, each in time linear in the document."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    validate,
)
from strawberry.extensions import SchemaExtension

from hepatrail_graphql.errors import CallerError
from hepatrail_graphql.paging import LARGEST_PAGE

MAX_TOKENS = 4_000
MAX_DEPTH = 12
MAX_ALIASES = 30
MAX_COST = 75_000
"""In fields: one of a page of n counts n times, one of any other list `LIST_WEIGHT` times.

Every field of one participant is admitted, and the README's course of all twelve.
"""
LIST_WEIGHT = 10
REMEMBERED = 256
REMEMBERED_LENGTH = 8_192
"""Documents that are parsed and validated once: so many, of at most so many characters."""


class Measure(NamedTuple):
    """How much a selection asks for."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0


class Limits(SchemaExtension):
    """Refuses a document that asks for too much, before anything is executed; remembers the documents of clients."""

    def on_parse(self) -> Iterator[None]:
        """Takes a document that was parsed before; whatever cannot be parsed is reported where it is parsed."""
        context = self.execution_context
        context.parse_options["max_tokens"] = MAX_TOKENS
        if context.query and len(context.query) <= REMEMBERED_LENGTH:
            with suppress(GraphQLError):
                context.graphql_document = _parsed(context.query)
        yield

    def on_validate(self) -> Iterator[None]:
        """Measures the document with its variables, then validates it as ever."""
        context = self.execution_context
        document = context.graphql_document
        if document is not None:
            schema = context.schema._schema
            errors: list[GraphQLError] = list(_exceeded(measure(schema, document, context.variables or {})))
            if not errors and context.query and len(context.query) <= REMEMBERED_LENGTH:
                errors = list(_validated(schema, context.query))
            elif not errors:
                errors = validate(schema, document)
            context.pre_execution_errors = errors
        yield


@lru_cache(maxsize=REMEMBERED)
def _parsed(query: str) -> DocumentNode:
    return parse(query, max_tokens=MAX_TOKENS)


@lru_cache(maxsize=REMEMBERED)
def _validated(schema: GraphQLSchema, query: str) -> tuple[GraphQLError, ...]:
    return tuple(validate(schema, _parsed(query)))


def measure(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> Measure:
    """The most that any operation of the document asks for."""
    ruler, most = _Ruler(schema, document, variables), Measure()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            found = ruler.measure(definition.selection_set, schema.get_root_type(definition.operation))
            most = Measure(*map(max, most, found))
    return most


def _exceeded(measure: Measure) -> Iterator[CallerError]:
    for name, value, limit in (
        ("depth", measure.depth, MAX_DEPTH),
        ("aliases", measure.aliases, MAX_ALIASES),
        ("cost", measure.cost, MAX_COST),
    ):
        if value > limit:
            yield CallerError(
                "LIMIT_EXCEEDED",
                f"The request's {name} is {value}; at most {limit} is allowed.",
                rule=f"{name}<={limit}",
            )


class _Ruler:
    """Measures selections. Each fragment is measured once: spreading one twice doubles the number, not the work."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._written = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._fragments: dict[str, Measure] = {}

    def measure(self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None) -> Measure:
        total = Measure()
        for selection in selections.selections if selections is not None else ():
            if isinstance(selection, FieldNode):
                part = self._field(selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inside = self._schema.get_type(condition.name.value) if condition is not None else parent
                part = self.measure(selection.selection_set, inside)
            elif isinstance(selection, FragmentSpreadNode):
                part = self._fragment(selection.name.value)
            else:
                part = Measure()
            total = Measure(max(total.depth, part.depth), total.aliases + part.aliases, total.cost + part.cost)
        return total

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Measure:
        name = node.name.value
        field = getattr(parent, "fields", {}).get(name)
        inside = get_named_type(field.type) if field is not None else None
        # Introspection has a depth limit of its own in the specified rules, and its types are no fields of ours.
        if name.startswith("__"):
            return Measure(1, int(node.alias is not None), 1)
        below = self.measure(node.selection_set, inside)
        times = self._times(node, is_list_type(get_nullable_type(field.type)) if field is not None else False)
        return Measure(below.depth + 1, below.aliases + int(node.alias is not None), 1 + times * below.cost)

    def _times(self, node: FieldNode, is_list: bool) -> int:
        for argument in node.arguments or ():
            if argument.name.value == "first":
                return min(self._number(argument.value), LARGEST_PAGE)
        # A connection's edges are counted by the `first` of the field above them.
        return LIST_WEIGHT if is_list and node.name.value != "edges" else 1

    def _number(self, value: Any) -> int:
        if isinstance(value, IntValueNode):
            return max(int(value.value), 1)
        given = self._variables.get(value.name.value) if isinstance(value, VariableNode) else None
        return max(given, 1) if isinstance(given, int) else LARGEST_PAGE

    def _fragment(self, name: str) -> Measure:
        if name not in self._fragments:
            # A fragment inside itself measures nothing here; that it is refused is another rule's matter.
            self._fragments[name] = Measure()
            fragment = self._written.get(name)
            if fragment is not None:
                inside = self._schema.get_type(fragment.type_condition.name.value)
                self._fragments[name] = self.measure(fragment.selection_set, inside)
        return self._fragments[name]
