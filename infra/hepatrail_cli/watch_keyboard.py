"""What a person types beside the alerts: a prompt on a terminal, plain lines where there is none."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable

_PROMPT = "acknowledge number> "


async def typed_lines(foot: Callable[[], str]) -> AsyncIterator[str]:
    """Yields what is typed until the input ends; `foot` is shown below the prompt and made anew each second."""
    if not sys.stdin.isatty():
        async for line in _piped():
            yield line
        return
    # Imported here: no other command has a prompt.
    from prompt_toolkit import PromptSession
    from prompt_toolkit.patch_stdout import patch_stdout

    session: PromptSession[str] = PromptSession(bottom_toolbar=foot, refresh_interval=1.0)
    # Alerts are printed above the prompt, with their colours.
    with patch_stdout(raw=True):
        while True:
            try:
                yield await session.prompt_async(_PROMPT)
            except EOFError:
                return


async def _piped() -> AsyncIterator[str]:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode(errors="replace")
