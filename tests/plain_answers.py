"""Answers of `plain_schema`: by the library, and by the executor that completes plain objects at once."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from graphql import ExecutionResult, execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Library

from hepatrail_graphql.plain_objects import PlainObjectsExecutor
from plain_schema import SCHEMA

VARIABLES = {"yes": True, "no": False}
FRAGMENTS = """
fragment Short on Named { name __typename }
fragment LeafParts on Leaf { text again: text ... on Leaf { colour @skip(if: $no) flag @include(if: $no) } }
"""


def result_of(query: str, things: Any, executor: type[Library]) -> ExecutionResult:
    """What an executor answers of the things."""

    async def run() -> ExecutionResult:
        result = execute(
            SCHEMA, parse(query + FRAGMENTS), context_value=things, variable_values=VARIABLES, executor_class=executor
        )
        return await result if isinstance(result, Awaitable) else result

    return asyncio.run(run())


def executed(query: str, things: Any, executor: type[Library]) -> str:
    """The same as text."""
    result = result_of(query, things, executor)
    errors = [(error.message, error.path, error.locations, error.original_error) for error in result.errors or ()]
    # The text, because the order of an answer's fields matters too; without the places of objects in memory.
    return re.sub(r" at 0x[0-9a-f]+", "", repr((result.data, errors)))


def alike(query: str, things: Callable[[], list[Any]]) -> None:
    """Holds that both answer the same."""
    assert executed(query, things(), PlainObjectsExecutor) == executed(query, things(), Library)
