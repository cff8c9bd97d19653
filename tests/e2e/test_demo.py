"""`make demo` on the real stack: every alert reaches the officer, the client sees a course, every chain holds."""

import asyncio
import re
import sys
import time


async def test_the_demo_plays_a_trial_and_stops_cleanly() -> None:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "hepatrail_cli.demo", "--participants", "12"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, text
    assert time.monotonic() - began < 240, text
    alerts = [int(number) for number in re.findall(r"alert (\d+) [A-Z_]+:", text)]
    assert len(alerts) >= 4
    assert alerts == list(range(1, len(alerts) + 1))
    assert "alert acknowledged by" in text
    assert re.search(r"BL\s+complete_in_window\s+\d+/\d+\s+\d+", text), text
    assert "every chain holds" in text
    assert "simulated clock" in text
    assert "Stopped cleanly" in text
