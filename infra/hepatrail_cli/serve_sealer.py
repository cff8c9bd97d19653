"""`hepatrail serve sealer`."""

import asyncio

from hepatrail_cli.attend import attend
from hepatrail_infra.clock import make_clock
from hepatrail_infra.settings import Settings, need
from hepatrail_services.audit.sealer_process import SealerProcess


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Seals the log until told to stop."""
    process = SealerProcess(
        need(settings.kafka, "kafka"),
        make_clock(settings.simulated_clock),
        seeds=settings.sealing_seeds(),
        publish=settings.sealing_key_publish,
        instance=settings.instance,
        log_origin=settings.log_origin,
        every=settings.seal_seconds,
        directory=settings.checkpoint_dir,
        org=settings.sponsor_org,
    )
    await attend(settings, stop, process.run(), process.health)
