"""What a person types: at a prompt with a foot on a terminal, as plain lines where there is none."""

import asyncio
import io
import os
import sys

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from hepatrail_cli.watch_keyboard import typed_lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_on_a_terminal_lines_are_typed_at_a_prompt_above_a_foot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    shown = []

    def foot() -> str:
        shown.append("live | 1 open")
        return shown[-1]

    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("12 seen on the ward\r")
        typed = typed_lines(foot)
        async with asyncio.timeout(10):
            assert await anext(typed) == "12 seen on the ward"
            keys.send_text("\x04")
            assert [line async for line in typed] == []
    assert shown


async def test_without_a_terminal_lines_come_from_a_pipe_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"12\nq\n")
    os.close(writing)
    with os.fdopen(reading) as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        async with asyncio.timeout(10):
            assert [line async for line in typed_lines(str)] == ["12\n", "q\n"]
