"""What a query asks for below a field, so that no more is read than is answered."""

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

from hepatrail_graphql.context import Info


def fields_below(info: Info, *path: str) -> frozenset[str]:
    """The names of the fields chosen below the resolved field, at the end of `path`; skipped ones included."""
    raw = info._raw_info
    nodes: Iterable[FieldNode] = raw.field_nodes
    for name in path:
        nodes = [node for node in _children(raw, nodes) if node.name.value == name]
    return frozenset(node.name.value for node in _children(raw, nodes))


def _children(raw: GraphQLResolveInfo[Any], nodes: Iterable[FieldNode]) -> Iterator[FieldNode]:
    seen: set[str] = set()
    waiting: list[SelectionSetNode | None] = [node.selection_set for node in nodes]
    while waiting:
        selections = waiting.pop()
        for selection in selections.selections if selections is not None else ():
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                waiting.append(raw.fragments[selection.name.value].selection_set)
