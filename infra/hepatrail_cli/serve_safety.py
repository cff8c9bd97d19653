"""`hepatrail serve safety`."""

import asyncio

from hepatrail_cli.attend import attend
from hepatrail_infra.clock import make_clock
from hepatrail_infra.settings import Settings, need, secret
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.safety.process import SafetyProcess


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Turns serious adverse events into alerts of the desk until told to stop."""
    bootstrap, clock = need(settings.kafka, "kafka"), make_clock(settings.simulated_clock)
    process = SafetyProcess(
        bootstrap,
        secret(settings.postgres_writer, "postgres_writer"),
        CommandBus(bootstrap, settings.instance, clock),
        clock,
        org=settings.sponsor_org,
    )
    await attend(settings, stop, process.run(), process.health)
