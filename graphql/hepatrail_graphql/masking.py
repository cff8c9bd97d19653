"""Errors as the caller sees them: their own with a code, anything else hidden behind an id that the log has too."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from graphql import GraphQLError
from strawberry.extensions import SchemaExtension

from hepatrail_events.errors import Unavailable
from hepatrail_infra.telemetry import counter

_log = logging.getLogger(__name__)
_internal = counter("graphql_internal_errors", "Errors that the API hid from the caller")


class Masking(SchemaExtension):
    """Replaces every error of a result by what may be shown of it."""

    def on_operation(self) -> Iterator[None]:
        """Masks the errors of a query or mutation."""
        yield
        _mask(self.execution_context.result)

    def on_stream_result(self, result: Any) -> Iterator[None]:
        """Masks the errors of one message of a subscription."""
        _mask(result)
        yield


def _mask(result: Any) -> None:
    errors = getattr(result, "errors", None)
    if errors:
        result.errors = [shown(error) for error in errors]


def shown(error: GraphQLError) -> GraphQLError:
    """What the caller may see of an error; an unexpected one is logged under the id that the caller is given."""
    if (error.extensions or {}).get("code"):
        return error
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return _coded(error, error.message, {"code": "BAD_USER_INPUT"})
    if isinstance(cause, Unavailable):
        return _coded(error, "A server behind the API is away for now; ask again.", {"code": "UNAVAILABLE"})
    incident = str(uuid4())
    _internal.inc()
    _log.error("unexpected error in a resolver", extra={"incident": incident}, exc_info=cause)
    return _coded(
        error, f"Something went wrong here; it is logged as {incident}.", {"code": "INTERNAL", "id": incident}
    )


def _coded(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
