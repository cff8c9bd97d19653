"""Executes an event of a subscription once for everybody who asks the same of it.

A thousand officers follow the desk with one and the same document, and one who comes back reads ten thousand alerts:
executing the selection for each event and subscriber would be nearly all the work. What an operation says of an event
depends on the event, on what is selected and on the variables used below the root field, on nothing else: who may read
free text is decided where the event is made, once for those who may and once for those who may not. So the answers are
kept beside the events that they are of, and are gone with them.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from graphql import (
    ExecutionResult,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import FieldDetailsList, collect_fields
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition

from hepatrail_graphql.errors import bad_input
from hepatrail_graphql.plain_objects import PlainObjectsExecutor

Question: TypeAlias = tuple[int, tuple[tuple[str, str], ...]]
"""The operation, by the identity of its node, and the variables that matter below its root field."""


class Shared:
    """Events of a subscription, made once, and what operations say of them."""

    def __init__(self, events: Sequence[Any]) -> None:
        self.events = tuple(events)
        # The operation is kept beside its answers, so that no other one gets its id.
        self._answers: dict[Question, tuple[OperationDefinitionNode, list[ExecutionResult | None]]] = {}

    def answers(self, question: Question, operation: OperationDefinitionNode) -> list[ExecutionResult | None]:
        """What is known already to be answered, event by event; to be filled in."""
        if question not in self._answers:
            self._answers[question] = (operation, [None] * len(self.events))
        return self._answers[question][1]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One of these events, on its way to one subscriber."""

    shared: Shared
    index: int

    @property
    def event(self) -> Any:
        """The event itself."""
        return self.shared.events[self.index]


class SharingExecutor(PlainObjectsExecutor):
    """Executes as ever, but a delivery only the first time that it is asked about."""

    _question: Question | None = None
    _root: tuple[str, FieldDetailsList] | None = None

    def build_per_event_executor(self, payload: Any) -> Any:
        """The executor of one event; what all events of the subscription have in common is worked out before."""
        if self._question is None:
            self._question = self._asked()
            self._root = self._root_field()
        return super().build_per_event_executor(payload)

    def execute_operation(self, serially: bool | None = None) -> Any:
        """What the operation says, of an event of a subscription or of anything else."""
        delivery, question = self.root_value, self._question
        if delivery is None and self.operation.operation is OperationType.SUBSCRIPTION:
            raise bad_input("A subscription needs a websocket, or an event stream.", field="query", rule="transport")
        if not isinstance(delivery, Delivery) or question is None:
            return super().execute_operation(serially)
        answers = delivery.shared.answers(question, self.operation)
        if answers[delivery.index] is None:
            together = self._together(delivery.shared.events)
            if together is not None:
                answers[:] = together
            else:
                alone = self._alone(delivery.event, serially)
                if not isinstance(alone, ExecutionResult):
                    return alone
                answers[delivery.index] = alone
        return answers[delivery.index]

    def _alone(self, event: Any, serially: bool | None) -> Any:
        executor = copy(self)
        executor.root_value = event
        return executor.execute_operation(serially)

    def _together(self, events: Sequence[Any]) -> list[ExecutionResult] | None:
        """What it says of all the events; None where the library must be asked about each."""
        if self._root is None:
            return None
        name, details = self._root
        found: dict[int, Any] = {}
        try:
            for kind in set(map(type, events)):
                places = [place for place, event in enumerate(events) if type(event) is kind]
                plan = self._plan(self._object_type(kind), details)
                if plan is None:
                    return None
                found.update(zip(places, plan([events[place] for place in places]), strict=True))
        except Exception:  # noqa: BLE001  whatever it is, the library meets it again and reports it
            return None
        return [ExecutionResult({name: found[place]}, None) for place in range(len(events))]

    def _object_type(self, kind: type) -> GraphQLObjectType:
        definition = cast(Any, kind).__strawberry_definition__
        found = self.schema.get_type(definition.name)
        assert isinstance(found, GraphQLObjectType)
        backing = found.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        assert isinstance(backing, StrawberryObjectDefinition) and backing.origin is kind
        return found

    def _root_field(self) -> tuple[str, FieldDetailsList] | None:
        collected = collect_fields(
            self.schema,
            self.fragments,
            self.variable_values,
            cast(GraphQLObjectType, self.schema.subscription_type),
            self.operation,
            self.hide_suggestions,
        )
        fields = list(collected.grouped_field_set.items())
        return fields[0] if len(fields) == 1 and not collected.new_defer_usages else None

    def _asked(self) -> Question:
        used = _Variables()
        for selection in self.operation.selection_set.selections:
            below = getattr(selection, "selection_set", None)
            if below is not None:
                visit(below, used)
        for fragment in self.fragments.values():
            visit(fragment.definition, used)
        values = self.variable_values.coerced
        return id(self.operation), tuple((name, repr(values.get(name))) for name in sorted(used.names))


class _Variables(Visitor):
    """The variables that a selection uses."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)
