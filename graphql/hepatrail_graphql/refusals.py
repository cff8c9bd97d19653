"""What goes to the access log from here: refused logins and requests, logins, reads of the trail (AUD-07)."""

import logging
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.commands import Actor
from hepatrail_events.errors import Unavailable
from hepatrail_graphql.auth import Principal, Refused
from hepatrail_graphql.authorize import allowed
from hepatrail_graphql.errors import forbidden
from hepatrail_graphql.ports import AccessLog
from hepatrail_infra.telemetry import counter
from hepatrail_services.access_log import Access

if TYPE_CHECKING:
    from hepatrail_graphql.context import Context

_log = logging.getLogger(__name__)
_refused_logins = counter("refused_logins", "Requests and connections without a valid token", ("field",))

LOGGED_A_SECOND = 10.0
LOGGED_AT_ONCE = 50.0
"""Anybody can be refused, as often as they like, and the log is kept for ever: the rest is only counted."""
_REMEMBERED = 10_000


class Logins:
    """Writes logins and refused logins; an access log that is away never turns a refusal into an entry."""

    def __init__(self, access_log: AccessLog) -> None:
        self._access_log = access_log
        self._budget = LOGGED_AT_ONCE
        self._filled_at = 0.0
        self._seen: dict[str, None] = {}

    async def entered(self, principal: Principal) -> None:
        """A token was used; its first use in this process is a login."""
        if principal.jti in self._seen:
            return
        self._seen[principal.jti] = None
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        await self._write(Access.LOGIN, principal.actor, {"jti": principal.jti})

    async def refused(self, refused: Refused, now: float) -> None:
        """A login was refused; `now` are seconds of a steady clock."""
        _refused_logins.labels(refused.field).inc()
        self._budget = min(LOGGED_AT_ONCE, self._budget + (now - self._filled_at) * LOGGED_A_SECOND)
        self._filled_at = now
        if self._budget >= 1:
            self._budget -= 1
            detail = {"subject": refused.subject} if refused.subject else {}
            await self._write(Access.LOGIN_FAILED, None, detail, field=refused.field, code="UNAUTHENTICATED")

    async def _write(self, kind: Access, actor: Actor | None, detail: Mapping[str, Any], **fields: Any) -> None:
        try:
            await self._access_log.write(kind, actor, detail=detail, **fields)
        except Unavailable:
            _log.exception("%s could not be logged", kind)


async def allow(context: "Context", table: Mapping[str, Any], operation: str) -> Actor:
    """Who asks; `FORBIDDEN`, on record, unless the role stands in the operation's row."""
    actor = context.actor
    if not allowed(table, operation, actor):
        await context.services.access_log.refused(actor, operation, code="FORBIDDEN", rule="ACC-02")
        raise forbidden(operation, actor.role)
    return actor


class RefusedMutations(SchemaExtension):
    """Puts a mutation on record that had not even the shape of one; the gateway does so for all others."""

    async def on_operation(self) -> AsyncIterator[None]:
        """Looks at the answer when it is made."""
        yield
        execution = self.execution_context
        result = execution.result
        errors = getattr(result, "errors", None)
        if not errors or getattr(result, "data", None) is not None or execution.graphql_document is None:
            return
        codes = {(error.extensions or {}).get("code") for error in errors}
        if execution.operation_type is not OperationType.MUTATION or not codes <= {"BAD_USER_INPUT", "LIMIT_EXCEEDED"}:
            return
        context: Context = execution.context
        body = orjson.dumps([execution.query, execution.variables], default=str)
        await context.services.access_log.refused(
            context.actor,
            execution.operation_name or "mutation",
            code=sorted(map(str, codes))[0],
            bodyhash=sha256_hex(body),
        )
