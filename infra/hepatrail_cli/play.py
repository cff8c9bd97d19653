"""Playing a trial on the stack of a data directory: its tokens, its simulated clock."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from hepatrail_events.errors import StartRefused
from hepatrail_events.roles import Role
from hepatrail_infra.clock import SimulatedClock
from hepatrail_services.importers.api_client import ApiClient
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.simulation.player import Played, at_once, play
from hepatrail_services.simulation.trial import Trial

_APPROVAL = "EC-2025-118"
_AFTERWARDS = timedelta(days=30)


async def play_on_stack(
    trial: Trial,
    ready: Mapping[str, Any],
    on_played: Callable[[Played], object] = lambda _: None,
    pace: Callable[[Played], Awaitable[None]] = at_once,
) -> tuple[Played, ...]:
    """Plays a trial, shifted to the stack's present, on the stack whose ready line is given.

    Activates the trial's site first, and leaves the clock where the windows of the last visits are over. StartRefused
    when the stack runs on the system's clock.
    """
    if not ready.get("clock"):
        raise StartRefused("The stack runs on the system's clock: start it with --simulated-clock to play a trial.")
    clock = SimulatedClock(Path(ready["clock"]))
    shifted = trial.beginning_after(clock.now())
    needed = {command.role for command in shifted.commands}
    try:
        async with AsyncExitStack() as stack:
            admin = await stack.enter_async_context(ApiClient(ready["graphql"], ready["tokens"][Role.ADMIN]))
            await activate_sites(admin, "simulate", [trial.header.site_id], _APPROVAL)
            roles = {
                role: await stack.enter_async_context(ApiClient(ready["graphql"], ready["tokens"][role]))
                for role in sorted(needed)
            }
            played = await play(shifted, roles, clock.advance_to, on_played, pace)
        clock.advance_to(shifted.commands[-1].at + _AFTERWARDS)
        return played
    finally:
        clock.close()
