"""`hepatrail serve decider`."""

import asyncio

from hepatrail_cli.attend import attend
from hepatrail_infra.clock import make_clock
from hepatrail_infra.settings import Settings, need
from hepatrail_services.decider.process import DeciderProcess
from hepatrail_services.decider.trial_rules import TrialRules


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Decides commands until told to stop."""
    process = DeciderProcess(
        need(settings.kafka, "kafka"),
        instance=settings.instance,
        lanes=settings.lanes,
        clock=make_clock(settings.simulated_clock),
        rules=TrialRules(),
        replication=settings.replication,
    )
    await attend(settings, stop, process.run(), process.health, process.stop)
