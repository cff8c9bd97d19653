"""How the command starts: a process of the stack imports only what it needs."""

import subprocess
import sys

import pytest

_LOOK = """
import runpy, sys
sys.argv = ["hepatrail", {word!r}, "--help"]
try:
    runpy.run_module("hepatrail_cli", run_name="__main__")
except SystemExit as end:
    loaded = [name for name in ("hepatrail_cli.main", "httpx", "asyncpg") if name in sys.modules]
    print(end.code, *loaded, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("word", "loaded"), [("serve", "0"), ("audit", "0 hepatrail_cli.main httpx asyncpg")], ids=["process", "tool"]
)
def test_a_process_does_not_carry_what_other_commands_need(word: str, loaded: str) -> None:
    code = _LOOK.format(word=word)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == loaded
    assert f"hepatrail {word}" in ran.stdout
