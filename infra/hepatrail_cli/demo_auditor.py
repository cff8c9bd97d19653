"""What the auditor of the demo does: trusts nothing, reads the log and verifies every stream's chain."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from rich.console import Console
from rich.table import Table

from hepatrail_services.simulation.auditor import Verified, read_all_events, verify_chains

_SHOWN = 12


async def show_audit(ready: Mapping[str, Any], console: Console) -> Verified:
    """Verifies and prints counts and heads; raises InvalidMessage where a chain is broken."""
    verified = verify_chains(await read_all_events(ready["kafka"]))
    counts = Table("event", "count", "event", "count")
    listed = [(name, str(number)) for name, number in verified.types.items()]
    half = (len(listed) + 1) // 2
    for left, right in zip_longest(listed[:half], listed[half:], fillvalue=("", "")):
        counts.add_row(*left, *right)
    heads = Table("stream", "version", "head (SHA-256)")
    for stream, head in list(verified.heads.items())[-_SHOWN - 2 :]:
        heads.add_row(stream, str(head.streamseq), head.hash[:32] + "...")
    console.print(counts)
    console.print(heads)
    console.print(
        f"  [green]{verified.events} events in {len(verified.heads)} streams: every chain holds.[/] "
        f"Written by {', '.join(verified.producers)}",
        highlight=False,
    )
    return verified
