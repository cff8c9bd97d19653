"""Whether this process may be sent requests (`/readyz`)."""

import asyncio

from hepatrail_events.errors import Unavailable
from hepatrail_graphql.context import Services
from hepatrail_infra.telemetry import Health

CAUGHT_UP_SECONDS = 30.0
"""How far the moment of completeness may lie back; it trails the clock by 4 s when all is well."""


async def readiness(services: Services) -> Health:
    """Ready when the projection is caught up, decisions are read, the vault is well and no command is stuck."""
    reasons: dict[str, object] = {}
    if not services.decisions.alive:
        reasons["decisions"] = "the reading of decisions has ended"
    if not await services.vault.healthy():
        reasons["vault"] = "the vault is away, or a key is missing"
    try:
        await _of_projection(services, reasons)
    except Unavailable as error:
        reasons["projection"] = str(error)
    return Health(not reasons, reasons)


async def _of_projection(services: Services, reasons: dict[str, object]) -> None:
    status = await services.reader.status()
    if status.complete_to is None:
        reasons["projection"] = "not every partition has been read to its end yet"
    else:
        lag = (services.clock.now() - status.complete_to).total_seconds()
        if lag > CAUGHT_UP_SECONDS:
            reasons["projection"] = f"complete only to {lag:.0f} s ago"
    undecided = await services.pendings.undecided(
        asyncio.get_running_loop().time(), services.times.undecided, services.reader.decision
    )
    if undecided:
        # Streams of participants are pseudonyms; an operator needs only their number.
        reasons["undecided"] = f"commands of {len(undecided)} streams wait for a decision"
