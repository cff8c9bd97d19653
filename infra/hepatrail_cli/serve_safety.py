"""`hepatrail serve safety`."""

import asyncio
from dataclasses import replace

from hepatrail_cli.attend import attend
from hepatrail_cli.notifiers import make_notifiers
from hepatrail_infra.clock import make_clock
from hepatrail_infra.settings import Settings, need, secret
from hepatrail_infra.telemetry import Health
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.notifying.outbox import Outbox
from hepatrail_services.safety.process import SafetyProcess


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Turns serious adverse events and passing time into alerts of the desk, and tells of them, until told to stop."""
    bootstrap, clock = need(settings.kafka, "kafka"), make_clock(settings.simulated_clock)
    notifiers = make_notifiers(settings)
    outbox = Outbox(notifiers, clock, link=settings.notify_link)
    process = SafetyProcess(
        bootstrap,
        secret(settings.postgres_writer, "postgres_writer"),
        CommandBus(bootstrap, settings.instance, clock),
        clock,
        org=settings.sponsor_org,
        extra=outbox.run if notifiers else None,
    )

    async def health() -> Health:
        known = await process.health()
        return replace(known, detail={**known.detail, "notices": outbox.detail()})

    await attend(settings, stop, process.run(), health)
