"""What a resolver is given: the services of this API process and who asks."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import strawberry

from hepatrail_events.commands import Actor
from hepatrail_graphql.auth import Authenticates, Principal
from hepatrail_graphql.cursors import desk_cursor
from hepatrail_graphql.desk_hub import DeskHub
from hepatrail_graphql.errors import unauthenticated
from hepatrail_graphql.pendings import Pendings
from hepatrail_graphql.ports import AccessLog, Clock, Decisions, Gateway, Notifications, OutcomesReader, Reader
from hepatrail_graphql.text import Vault
from hepatrail_graphql.times import Times

__all__ = ["Context", "Info", "Services", "Times"]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything below the API, constructed by whoever starts the process."""

    gateway: Gateway
    decisions: Decisions
    reader: Reader
    outcomes: OutcomesReader
    notifications: Notifications
    vault: Vault
    authenticator: Authenticates
    access_log: AccessLog
    clock: Clock
    times: Times = field(default_factory=Times)
    pendings: Pendings = field(default_factory=Pendings)


@dataclass(slots=True)
class Context:
    """One request, or one websocket connection; `desk` is the one reader of the safety desk of this process.

    `resume` is where an event stream that was cut off says it ended (`Last-Event-ID`). `reached` holds, for every
    subscription to the desk that is going on, the streamseq up to which everything was handed to the connection;
    `offered` is the place of what was given out last, which an event stream names beside it.
    """

    services: Services
    desk: DeskHub
    principal: Principal | None = None
    traceparent: str | None = None
    authorization: str | None = None
    connection_params: dict[str, Any] | None = None
    resume: str | None = None
    reached: dict[object, int] = field(default_factory=dict)
    offered: str | None = None

    @property
    def actor(self) -> Actor:
        """Who asks; UNAUTHENTICATED when nobody was let in."""
        if self.principal is None:
            raise unauthenticated("A bearer token is needed.")
        return self.principal.actor

    @property
    def last_cursor(self) -> str | None:
        """Whoever goes on from here has missed nothing on any subscription; None: begin as before."""
        least = min(self.reached.values(), default=0)
        return desk_cursor(least) if least else None


Info: TypeAlias = strawberry.Info[Context, None]
"""What every resolver is handed."""
