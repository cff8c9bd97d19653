"""What goes to the access log from here: refused logins and requests, logins, readings of the log (AUD-07)."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from graphql import FieldNode, GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.commands import Actor
from hepatrail_events.decisions import Decision
from hepatrail_events.errors import Unavailable
from hepatrail_events.roles import ALL_SITES
from hepatrail_graphql.auth import Principal, Refused
from hepatrail_graphql.authorize import allowed
from hepatrail_graphql.errors import CallerError, forbidden, other_sites
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


async def allow_whole_log(context: "Context", table: Mapping[str, Any], operation: str) -> Actor:
    """The same for what holds all sites: the token must, too."""
    actor = await allow(context, table, operation)
    if ALL_SITES not in actor.sites:
        raise await beyond_sites(context, operation)
    return actor


async def beyond_sites(context: "Context", operation: str) -> CallerError:
    """Puts on record that the caller asked for sites that are not theirs; the error to raise."""
    await context.services.access_log.refused(context.actor, operation, code="FORBIDDEN", rule="ACC-02")
    return other_sites(operation)


async def record_reading(
    context: "Context", operation: str, kind: Access = Access.TRAIL_READ, **asked: str | int | None
) -> None:
    """Puts a reading of the log on record before it is answered: which list, and what was asked for.

    Raises Unavailable when it cannot be written: nobody reads the trail unseen.
    """
    detail = {"list": operation, **{name: value for name, value in asked.items() if value is not None}}
    await context.services.access_log.write(kind, context.actor, detail=detail)


async def record_withdrawal(context: "Context", decision: Decision, raw: Mapping[str, Any]) -> None:
    """Puts on record that access was withdrawn: of which account, or which token.

    Raises Unavailable when it cannot be written. The command, sent again with its id, is answered as before and this
    is tried again: the record may stand there twice, never not at all.
    """
    detail = {name: raw[name] for name in ("tokenSubject", "jti") if raw.get(name) is not None}
    await context.services.access_log.write(
        Access.TOKEN_WITHDRAWN,
        context.actor,
        command=decision.commandtype,
        commandid=decision.commandid,
        detail=detail,
    )


class OnRecord(SchemaExtension):
    """Puts on record what was refused and nobody else puts there.

    That is a mutation that had not even the shape of one (the gateway does so for all others), and fields of an
    object that the caller's role may not read, each once a request however many objects were asked for.
    """

    async def on_operation(self) -> AsyncIterator[None]:
        """Looks at the answer when it is made."""
        yield
        execution = self.execution_context
        errors = getattr(execution.result, "errors", None)
        if not errors:
            return
        context: Context = execution.context
        for field in sorted({name for error in errors if (name := _refused_field(error)) is not None}):
            await context.services.access_log.refused(context.actor, field, code="FORBIDDEN", rule="ACC-02")
        # Without a document, because it could not be parsed, there is no type to ask for.
        if execution.graphql_document is not None and execution.operation_type is OperationType.MUTATION:
            await self._refused_mutation(context, errors)

    async def _refused_mutation(self, context: "Context", errors: Sequence[GraphQLError]) -> None:
        execution = self.execution_context
        codes = {(error.extensions or {}).get("code") for error in errors}
        if getattr(execution.result, "data", None) is not None or not codes <= {"BAD_USER_INPUT", "LIMIT_EXCEEDED"}:
            return
        body = orjson.dumps([execution.query, execution.variables], default=str)
        await context.services.access_log.refused(
            context.actor,
            execution.operation_name or "mutation",
            code=sorted(map(str, codes))[0],
            bodyhash=sha256_hex(body),
        )


def _refused_field(error: GraphQLError) -> str | None:
    """The field that was refused below the root of an answer; what is refused as a whole stands there already."""
    node = error.nodes[0] if error.nodes else None
    below = len(error.path or ()) > 1 and (error.extensions or {}).get("code") == "FORBIDDEN"
    return node.name.value if below and isinstance(node, FieldNode) else None
