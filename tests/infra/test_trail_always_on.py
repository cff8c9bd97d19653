"""AUD-05: the audit trail has no switch."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from hepatrail_cli.main import app
from hepatrail_events.envelope import Envelope
from hepatrail_infra.settings import Settings

ROOT = Path(__file__).parents[2]
TRAIL = re.compile(r"audit|trail|access log|event|hash|chain|record|histor|seal|checkpoint", re.IGNORECASE)
SWITCH = re.compile(
    r"disabl|enabl|(?:switch|turn)\w* off|skip|suppress|silen|\bnot? (?:be )?(?:written|kept|recorded)", re.IGNORECASE
)
READS_ENVIRONMENT = re.compile(r"os\.environ|getenv")
READERS_OF_THE_ENVIRONMENT = {
    "demo_auditor.py": "passes on what is not Hepatrail's",
    "environment.py": "passes on what is not Hepatrail's, and the channels of notices",
    "jars.py": "where the user's cache is",
    "postgres.py": "where programs are",
    "serve.py": "whose child this process is",
    "stack_files.py": "the settings of the running stack",
    "stack_process.py": "passes on what is not Hepatrail's",
    "watch.py": "the officer's token",
}


def _options() -> Iterator[tuple[str, str]]:
    """Every option of every command, with its help."""
    waiting: list[Any] = [get_command(app)]
    while waiting:
        command = waiting.pop()
        if isinstance(command, TyperGroup):
            within = typer.Context(command)
            waiting += (command.get_command(within, name) for name in command.list_commands(within))
        for option in command.params:
            yield f"{command.name} {' '.join(option.opts)}", str(getattr(option, "help", "") or "")


def test_aud_05_nothing_switches_the_trail_off() -> None:
    settings = {name: field.description or "" for name, field in Settings.model_fields.items()}
    options = dict(_options())
    assert len(settings) > 30
    assert len(options) > 30
    for name, what in {**settings, **options}.items():
        said = f"{name.replace('_', ' ')}: {what}"
        assert not (TRAIL.search(said) and SWITCH.search(said)), said


def test_aud_05_what_the_trail_says_of_an_event_cannot_be_left_out() -> None:
    said = {"id", "stream", "streamseq", "prevhash", "commitid", "recordedat", "receivedat"}
    said |= {"actorid", "actorrole", "actororg", "producer"}
    required = {each.name for each in fields(Envelope) if each.default is MISSING}
    assert said <= required


def test_aud_05_no_switch_is_read_past_the_settings() -> None:
    sources = [
        path
        for folder in ("events", "services", "projections", "graphql", "infra")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(sources) > 100
    reading = {path.name for path in sources if READS_ENVIRONMENT.search(path.read_text("utf-8"))}
    assert "stack_files.py" in reading
    assert reading - set(READERS_OF_THE_ENVIRONMENT) == set()
