"""kill -9 of any part at random moments under load: an officer misses no alert, sees none twice, in the desk's order.

`make fault ROUNDS=100 SEED=7` runs as many rounds as it is told; the suite runs a few.
"""

import os
from pathlib import Path

from fault_rounds import Counts, FaultRounds
from hepatrail_infra.clock import SimulatedClock
from killing import VICTIMS
from officers import node_officer, python_officer
from sae_reports import token_for
from stack import Stack

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
SEED = int(os.environ.get("FAULT_SEED", "20260501"))


async def test_no_alert_is_missed_or_raised_twice_whatever_is_killed(tmp_path: Path) -> None:
    print(f"\n{ROUNDS} rounds, seed {SEED}", flush=True)
    stack = await Stack(tmp_path / "data", "--simulated-clock").start()
    try:
        counts = await _rounds(stack)
    finally:
        await stack.stop()
    assert counts.rounds == ROUNDS
    assert all(counts.kills[victim] > 0 for victim in VICTIMS)
    assert counts.alerts >= counts.commits > ROUNDS


async def _rounds(stack: Stack) -> Counts:
    clock, address = SimulatedClock(Path(stack.ready["clock"])), stack.ready["websocket"]
    async with (
        python_officer(address, token_for(stack, "officer-python")) as python,
        node_officer(address, token_for(stack, "officer-node")) as node,
    ):
        faults = FaultRounds(stack, clock, {"python": python, "node": node.seen}, SEED)
        try:
            await faults.prepare()
            for number in range(1, ROUNDS + 1):
                await faults.round()
                print(f"round {number}: {faults.counts}", flush=True)
        finally:
            print(f"seed {SEED}: {faults.counts}", flush=True)
    return faults.counts
