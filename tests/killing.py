"""kill -9 of the parts of a stack, at moments that a seeded generator chooses."""

import asyncio
import random
from collections import Counter

from stack import Stack

VICTIMS = ("decider", "projector", "api", "safety", "sealer", "kafka", "postgres")


async def kill_each_once(stack: Stack, chance: random.Random, pause: tuple[float, float]) -> Counter[str]:
    """Kills every part once, in any order, with so many seconds (least, most) behind each; how many were running."""
    kills: Counter[str] = Counter()
    for victim in chance.sample(VICTIMS, len(VICTIMS)):
        kills[victim] += stack.kill(victim)
        await asyncio.sleep(chance.uniform(*pause))
    return kills
