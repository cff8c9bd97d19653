"""What a resolver is given: the services of this API process and who asks."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

import strawberry

from hepatrail_events.commands import Actor
from hepatrail_graphql.auth import Authenticates, Principal
from hepatrail_graphql.errors import unauthenticated
from hepatrail_graphql.pendings import Pendings
from hepatrail_graphql.ports import AccessLog, Clock, Decisions, Gateway, Notifications, Reader
from hepatrail_graphql.text import Vault


@dataclass(frozen=True, slots=True)
class Times:
    """How long things take, in seconds; the values are those of DESIGN section 5 and `safety.md` 6.3."""

    read_wait: float = 2.0
    """`minPosition` and an `asOf` that is not complete yet."""
    page_anyway: float = 5.0
    heartbeat: float = 20.0
    slow_client: float = 10.0
    status_fresh: float = 10.0
    desk_behind: float = 5.0
    lag_unhealthy: float = 30.0
    undecided: float = 10.0
    connection_init: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything below the API, constructed by whoever starts the process."""

    gateway: Gateway
    decisions: Decisions
    reader: Reader
    notifications: Notifications
    vault: Vault
    authenticator: Authenticates
    access_log: AccessLog
    clock: Clock
    times: Times = field(default_factory=Times)
    pendings: Pendings = field(default_factory=Pendings)


@dataclass(slots=True)
class Context:
    """One request, or one websocket connection."""

    services: Services
    principal: Principal | None = None
    traceparent: str | None = None
    authorization: str | None = None
    connection_params: dict[str, Any] | None = None
    last_cursor: str | None = None

    @property
    def actor(self) -> Actor:
        """Who asks; UNAUTHENTICATED when nobody was let in."""
        if self.principal is None:
            raise unauthenticated("A bearer token is needed.")
        return self.principal.actor


Info: TypeAlias = strawberry.Info[Context, None]
"""What every resolver is handed."""
