"""`hepatrail serve projector`."""

import asyncio

from hepatrail_cli.attend import attend
from hepatrail_infra.clock import make_clock
from hepatrail_infra.settings import Settings, need, secret
from hepatrail_projections.projector import Projector


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Projects until told to stop; every batch is one transaction, so that it may be cut off anywhere."""
    projector = Projector(
        need(settings.kafka, "kafka"),
        secret(settings.postgres_writer, "postgres_writer"),
        make_clock(settings.simulated_clock),
    )
    await attend(settings, stop, projector.run(), projector.health)
