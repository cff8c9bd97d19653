"""Publishing the sealer's key: an event of the study, asked for as any other command."""

import asyncio
import base64
import logging
from typing import Final

from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import NOT_BINDING, Verdict
from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_events.ids import derived_id
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_infra.clock import Clock
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.deciders.study import PublishSealingKey

_log = logging.getLogger(__name__)

SEALER: Final = "sealer"
"""The actor by whom the event is recorded."""
REASON: Final = "the key of this installation's sealer"
_PATIENCE = 5.0
_PAUSE = 0.3


async def publish_key(bootstrap: str, clock: Clock, public: bytes, instance: str, org: str) -> None:
    """Returns when the deciders have accepted the key (32 bytes), however long that takes.

    Asked again under the same id, so that it is published once. StartRefused when they do not want it.
    """
    command = PublishSealingKey(
        command_id=derived_id("sealing-key", public.hex()),
        public_key=base64.b64encode(public).decode("ascii"),
        reason=REASON,
    )
    while True:
        try:
            await _ask(bootstrap, clock, command, instance, org)
        except Unavailable as error:
            _log.warning("the key is not published yet: %s", error)
            await asyncio.sleep(_PAUSE)
        else:
            return


async def _ask(bootstrap: str, clock: Clock, command: PublishSealingKey, instance: str, org: str) -> None:
    bus = CommandBus(bootstrap, instance, clock)
    await bus.start()
    try:
        while True:
            message = CommandMessage(
                commandid=command.command_id,
                commandtype=command.name(),
                stream=command.stream(),
                input=command.payload(),
                actor=Actor(id=SEALER, role=Role.SYSTEM, org=org, sites=(ALL_SITES,)),
                receivedat=clock.now(),
            )
            decision = await bus.ask(message, _PATIENCE)
            if decision is not None and decision.verdict is Verdict.ACCEPTED:
                return
            if decision is not None and decision.code not in NOT_BINDING:
                raise StartRefused(f"The study does not take this sealer's key: {decision.message}")
            await asyncio.sleep(_PAUSE)
    finally:
        await bus.stop()
