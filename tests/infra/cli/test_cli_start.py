"""How the command starts: only what is asked for is imported, and all that is listed is there."""

import subprocess
import sys
from pkgutil import resolve_name

import pytest
from typer.testing import CliRunner

from hepatrail_cli.audit.app import COMMANDS as AUDIT
from hepatrail_cli.main import COMMANDS, app

_LOOK = """
import runpy, sys
sys.argv = ["hepatrail", *{words!r}, "--help"]
try:
    runpy.run_module("hepatrail_cli", run_name="__main__")
except SystemExit as end:
    names = ("hepatrail_projections.derive", "hepatrail_cli.audit.export", "httpx", "asyncpg")
    print(end.code, *(name for name in names if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (("serve",), "0"),
        (("up",), "0"),
        (("audit", "verify"), "0 asyncpg"),
        (("rebuild",), "0 hepatrail_projections.derive asyncpg"),
    ],
    ids=" ".join,
)
def test_a_command_does_not_carry_what_others_need(words: tuple[str, ...], loaded: str) -> None:
    code = _LOOK.format(words=words)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == loaded
    assert f"hepatrail {' '.join(words)}" in ran.stdout


@pytest.mark.parametrize(
    ("words", "listed"), [((), COMMANDS), (("audit",), AUDIT)], ids=["hepatrail", "hepatrail audit"]
)
def test_help_lists_each_command_with_what_it_does(words: tuple[str, ...], listed: dict[str, str]) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"], terminal_width=200)
    assert shown.exit_code == 0
    for name, place in listed.items():
        assert callable(resolve_name(place))
        alone = CliRunner().invoke(app, [*words, name, "--help"], terminal_width=200)
        assert (alone.exit_code, f"hepatrail {' '.join((*words, name))} " in alone.output) == (0, True), name
        line = next(line for line in shown.output.splitlines() if line.strip("│ ").split()[:1] == [name])
        assert len(line.strip("│ ").split()) > 2, "it says what it does"


def test_what_is_not_listed_is_refused_and_named() -> None:
    for words in (["nonsense"], ["audit", "nonsense"]):
        refused = CliRunner().invoke(app, words)
        assert refused.exit_code == 2
        assert "No such command 'nonsense'" in refused.output
