"""Asking for a seal: the request stands in the access log (AUD-07), and the seal names it."""

import asyncio

from hepatrail_events.errors import InvalidMessage, Unavailable
from hepatrail_events.transparency.seal import Seal
from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_log import LogReader
from hepatrail_services.access_log import Access, AccessLog
from hepatrail_services.access_tool import tool_instance
from hepatrail_services.audit.seals_topic import PLACE

_POLL_MS = 100


async def demand_seal(bootstrap: str, clock: Clock, *, by: str, patience: float) -> tuple[Seal, bytes]:
    """A seal over everything that stands in the log now, and its record's value; `by` says who asks.

    The seal is not verified here. Raises Unavailable when none comes within `patience` seconds.
    """
    instance = tool_instance()
    reader, access = LogReader(bootstrap), AccessLog(bootstrap, instance, clock)
    try:
        await reader.start_at_end([PLACE])
        await access.start()
        await access.write(Access.CHECKPOINT_ASKED, detail={"by": by})
        async with asyncio.timeout(patience):
            return await _seal_that_names(reader, f"{instance}/1")
    except TimeoutError:
        raise Unavailable(f"no seal came within {patience:g} s: does a sealer run?") from None
    finally:
        await access.stop()
        await reader.stop()


async def _seal_that_names(reader: LogReader, request: str) -> tuple[Seal, bytes]:
    while True:
        batches = await reader.getmany(timeout_ms=_POLL_MS)
        for raw in (record.value or b"" for records in batches.values() for record in records):
            try:
                seal = Seal.read(raw)
            except InvalidMessage:
                continue
            if request in seal.asked:
                return seal, raw
