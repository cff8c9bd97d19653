"""A small typed client of the GraphQL API, for whoever sends many commands: importer, player, demo.

Sending is safe to repeat, because a command is known by its id: what ended in a lost connection, an overloaded
server or `PENDING` is sent again with the same id until it is decided or the patience is at an end.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx

from hepatrail_events.errors import HepatrailError, Unavailable

_RESULT = """__typename
... on CommandAccepted { commandId position version eventIds }
... on CommandRejected { commandId code message rule field }
... on CommandPending { commandId }"""
_AT_ONCE = 25
"""Commands asked for in one request; the API allows 30 aliases."""
_FIRST_WAIT = 0.05
_LONGEST_WAIT = 2.0
_BUSY = frozenset({429, 502, 503, 504})
_AWAY = "UNAVAILABLE"


class ApiError(HepatrailError):
    """The API refused a request as such: wrong token, wrong shape, a masked error; `code` is `extensions.code`."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command was accepted; no event ids when it changed nothing."""

    command_id: UUID
    position: str
    version: int
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """The command was refused: code, sentence, and where they apply the rule and the field."""

    command_id: UUID
    code: str
    message: str
    rule: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The command is on its way."""

    command_id: UUID


Outcome = Accepted | Rejected | Pending


class ApiClient:
    """One user's access to the API.

    `concurrency` bounds the requests in flight; `patience` is how long, in seconds, a command or query is tried
    again before `Unavailable`. Closed by leaving `async with`.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        concurrency: int = 16,
        timeout: float = 15.0,
        patience: float = 120.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=timeout, limits=limits, transport=transport
        )
        self._url = url
        self._patience = patience
        self._places = asyncio.Semaphore(concurrency)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, mutation: str, command: Mapping[str, Any]) -> Accepted | Rejected:
        """Sends one command (`command` holds its `commandId`) until it is decided.

        Raises `ApiError` when the request itself is refused and `Unavailable` when the patience is at an end.
        """
        query = mutation_document(mutation)
        deadline, wait = self._deadline(), _FIRST_WAIT
        while True:
            outcome = _outcome((await self.execute(query, {"input": dict(command)}, deadline))[mutation])
            if not isinstance(outcome, Pending):
                return outcome
            wait = await _pause(wait, deadline, f"{mutation} {outcome.command_id} is still pending")

    async def commands(self, stream: str, command_ids: Sequence[UUID]) -> dict[UUID, Outcome]:
        """What became of one's own commands to a stream, as far as it is projected; unknown ones are left out."""
        known: dict[UUID, Outcome] = {}
        for start in range(0, len(command_ids), _AT_ONCE):
            asked = command_ids[start : start + _AT_ONCE]
            variables = {"stream": stream} | {f"id{number}": str(each) for number, each in enumerate(asked)}
            answer = await self.execute(commands_document(len(asked)), variables)
            found = (answer[f"c{number}"] for number in range(len(asked)))
            known |= {each: _outcome(one) for each, one in zip(asked, found, strict=True) if one is not None}
        return known

    async def execute(
        self, query: str, variables: Mapping[str, Any] | None = None, deadline: float | None = None
    ) -> dict[str, Any]:
        """The `data` of one operation; sent again while the server is away, `ApiError` for errors in the answer."""
        deadline, wait = deadline or self._deadline(), _FIRST_WAIT
        body = {"query": query, "variables": dict(variables or {})}
        while True:
            try:
                async with self._places:
                    response = await self._http.post(self._url, json=body)
            except httpx.TransportError as error:
                wait = await _pause(wait, deadline, f"the API does not answer ({type(error).__name__})")
                continue
            if response.status_code in _BUSY:
                wait = await _pause(wait, deadline, f"the API answers {response.status_code}")
                continue
            try:
                return _data(response)
            except ApiError as error:
                if error.code != _AWAY:
                    raise
                wait = await _pause(wait, deadline, error.message)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._patience


@cache
def commands_document(count: int) -> str:
    """The GraphQL document that asks what became of `count` commands of one stream."""
    ids = "".join(f", $id{number}: UUID!" for number in range(count))
    fields = "".join(f" c{number}: command(stream: $stream, id: $id{number}) {{ ...R }}" for number in range(count))
    return f"query Commands($stream: ID!{ids}) {{{fields} }} fragment R on CommandResult {{ {_RESULT} }}"


@cache
def mutation_document(mutation: str) -> str:
    """The GraphQL document that sends one command of this name."""
    kind = mutation[0].upper() + mutation[1:]
    return f"mutation {kind}($input: {kind}Input!) {{ {mutation}(input: $input) {{ {_RESULT} }} }}"


async def _pause(wait: float, deadline: float, reason: str) -> float:
    if asyncio.get_running_loop().time() + wait > deadline:
        raise Unavailable(f"Gave up: {reason}.")
    await asyncio.sleep(wait)
    return min(wait * 2, _LONGEST_WAIT)


def _data(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        raise ApiError(f"The API answered {response.status_code} without JSON.") from None
    errors = body.get("errors") if isinstance(body, dict) else None
    if errors:
        raise ApiError(str(errors[0].get("message")), errors[0].get("extensions", {}).get("code"))
    if response.status_code != httpx.codes.OK or not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        raise ApiError(f"The API answered {response.status_code}: {response.text[:200]}")
    data: dict[str, Any] = body["data"]
    return data


def _outcome(body: Mapping[str, Any]) -> Outcome:
    command_id = UUID(body["commandId"])
    match body["__typename"]:
        case "CommandAccepted":
            events = tuple(UUID(text) for text in body["eventIds"])
            return Accepted(command_id, body["position"], int(body["version"]), events)
        case "CommandRejected":
            return Rejected(command_id, body["code"], body["message"], body["rule"], body["field"])
        case "CommandPending":
            return Pending(command_id)
        case other:
            raise ApiError(f"The API answered a command with {other!r}.")
