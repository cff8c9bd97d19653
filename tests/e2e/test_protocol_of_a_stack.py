"""A stack that is started with a protocol file publishes it, and later refuses an edited one."""

import asyncio
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from stack import Stack

SHIPPED = files("hepatrail_events").joinpath("data/cips_bal.toml").read_text()


def _file(directory: Path, planned_n: int) -> Path:
    path = directory / "protocol.toml"
    path.write_text(SHIPPED.replace("planned_n = 12", f"planned_n = {planned_n}"))
    return path


async def test_a_stack_publishes_the_file_and_refuses_an_edited_one_later(tmp_path: Path) -> None:
    path = _file(tmp_path, 24)
    stack = Stack(tmp_path / "data", "--protocol", str(path))
    try:
        await stack.start()
        found = await stack.graphql("{ protocol { version content } }")
        assert found["protocol"]["content"]["plannedN"] == 24
    finally:
        await stack.stop()
    _file(tmp_path, 25)
    refused = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hepatrail_cli", "up", "--data-dir", str(tmp_path / "data"), "--protocol", str(path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(refused.communicate(), 90)
    assert (refused.returncode, out) == (2, b"")
    assert b"is no published version of the protocol" in err
