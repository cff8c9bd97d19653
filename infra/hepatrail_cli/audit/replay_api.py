"""The API over a replay, in this process: the same schema, asked by an auditor whose clock stands.

Reads of the trail in it go on record as everywhere (AUD-07); it takes no command and nothing is subscribed to.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from hepatrail_events.commands import Actor
from hepatrail_events.errors import CommandRejected, Unavailable
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_graphql.auth import Principal, Refused
from hepatrail_graphql.context import Context, Services, Times
from hepatrail_graphql.desk_hub import DeskHub
from hepatrail_graphql.schema import SCHEMA
from hepatrail_infra.sealing_keys import Keyring
from hepatrail_projections.endpoints.reading import OutcomeReader
from hepatrail_projections.replay_reader import ReplayReader, StandingClock
from hepatrail_services.access_log import AccessLog


class Keys(Protocol):
    """Whoever has the keys of sealed text; `hepatrail_infra.vault.Vault` is one."""

    async def keyring(self, kids: Iterable[str]) -> Keyring:
        """The keys of these ids; Unavailable when they cannot be had."""
        ...

    async def healthy(self) -> bool:
        """Whether they can be had."""
        ...


class NoKeys:
    """No vault was given: sealed text reads UNAVAILABLE."""

    async def keyring(self, kids: Iterable[str]) -> Keyring:
        """None can be had."""
        raise Unavailable(f"there is no vault for the {len(list(kids))} keys")

    async def healthy(self) -> bool:
        """Never."""
        return False


class _Standing:
    """Everything around the API that does not go on in a replay."""

    alive = True
    connections = 0

    def version(self, stream: str) -> int:  # noqa: ARG002
        """There was word of nothing."""
        return 0

    async def submit(self, name: str, *_: Any, **__: Any) -> NoReturn:
        """Refuses a command: what was is not changed."""
        raise CommandRejected(f"A replay takes no commands: {name} was not sent.", rule="AUD-12", code="NOT_READY")

    async def wait_change(self, timeout: float) -> bool:  # noqa: ASYNC109
        """Nothing changes."""
        await asyncio.sleep(timeout)
        return False

    async def authenticate(self, token: str) -> Principal:  # noqa: ARG002
        """Nobody comes in from outside."""
        raise Refused("A replay is asked in its own process only.", field="token")

    async def check(self, principal: Principal) -> None:
        """Whoever runs the command stays."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question was answered: the body as the API sends it, and how many errors are in it."""

    body: dict[str, Any]
    errors: int


def auditor(name: str) -> Actor:
    """The auditor of this name, who may read of all sites."""
    return Actor(id=name, role=Role.AUDITOR, org="command line", sites=(ALL_SITES,))


async def ask(
    reader: ReplayReader,
    clock: StandingClock,
    keys: Keys,
    access: AccessLog,
    actor: Actor,
    query: str,
    variables: Mapping[str, Any],
) -> Answer:
    """Executes a document against a replay; errors of the document are in the answer."""
    standing = _Standing()
    services = Services(
        gateway=standing,
        decisions=standing,
        reader=reader,
        outcomes=OutcomeReader(reader),
        notifications=standing,
        vault=keys,
        authenticator=standing,
        access_log=access,
        clock=clock,
        times=Times(),
    )
    context = Context(
        services,
        DeskHub(reader, standing, clock, services.times),
        principal=Principal(actor, jti="replay", expires=float("inf")),
    )
    result = await SCHEMA.execute(query, variable_values=dict(variables), context_value=context)
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    return Answer(body, len(result.errors or ()))
