"""`make bench`: every ratio in one run; exit code 1 when a limit is broken."""

import asyncio
import logging
import sys

from benchmarks.alerts import measure_alerts
from benchmarks.commands import measure_commands
from benchmarks.course import measure_course
from benchmarks.folds import measure_folds
from benchmarks.limits import show
from benchmarks.outcomes import measure_outcomes
from benchmarks.rebuild import measure_rebuild
from benchmarks.stack import measure_stack
from benchmarks.verification import measure_verification


async def main() -> bool:
    """Measures everything and prints the report."""
    lines = measure_folds()
    measures = (
        measure_commands,
        measure_alerts,
        measure_course,
        measure_rebuild,
        measure_verification,
        measure_outcomes,
        measure_stack,
    )
    for measure in measures:
        lines += await measure()
    return show(lines)


if __name__ == "__main__":
    # Topics of the peers are new: a leader that is not known yet is tried again, which needs no line on the terminal.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    sys.exit(0 if asyncio.run(main()) else 1)
