"""`hepatrail up`: the whole stack in the foreground."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from hepatrail_cli.shell import DEFAULT_DATA_DIR, run

Result = TypeVar("Result")


def up(
    data_dir: Annotated[Path, typer.Option(help="Everything of the stack is kept here.")] = DEFAULT_DATA_DIR,
    port: Annotated[int | None, typer.Option(help="Port of the API; kept over restarts.", min=1, max=65_535)] = None,
    simulated_clock: Annotated[
        bool, typer.Option("--simulated-clock", help="A clock that a player moves forward; on an empty directory only.")
    ] = False,
    protocol: Annotated[
        Path | None,
        typer.Option(
            envvar="HEPATRAIL_PROTOCOL",
            help="Protocol file to publish on an empty study, instead of the shipped one; "
            "on any other, the start is refused unless it is a published version.",
        ),
    ] = None,
) -> None:
    """Start the whole stack in the foreground; when it is ready, one JSON line says where everything is."""
    run(_up(data_dir, port, simulated_clock, protocol))


async def _up(data_dir: Path, port: int | None, simulated_clock: bool, protocol: Path | None) -> None:
    # Imported here: the other commands need none of the servers.
    from hepatrail_cli.first_protocol import choose_protocol
    from hepatrail_cli.stack import Stack
    from hepatrail_infra.embedded.instance import InstanceLock
    from hepatrail_infra.settings import load_settings
    from hepatrail_infra.telemetry import configure_logging

    settings, chosen = load_settings(), choose_protocol(protocol)
    console = Console(stderr=True)
    with InstanceLock(data_dir) as lock:
        directory = lock.acquire()
        (directory / "logs").mkdir(exist_ok=True)
        configure_logging("hepatrail", settings.log_level, directory / "logs" / "hepatrail.log")
        stopping = asyncio.Event()
        for step in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(step, stopping.set)
        with console.status("starting") as status:

            def progress(done: int, total: int) -> None:
                status.update(f"fetching Kafka: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

            stack = Stack(
                directory,
                settings,
                port=port,
                simulated_clock=simulated_clock,
                progress=progress,
                protocol=chosen,
            )
            try:
                ready = await _unless(stopping, stack.start())
                status.stop()
                if ready is not None:
                    sys.stdout.write(json.dumps(ready) + "\n")
                    sys.stdout.flush()
                    await _unless(stopping, stack.run())
            finally:
                await stack.stop()


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of the work, None when it was cancelled because the stack is to stop."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        for waiting in (task, stopped):
            waiting.cancel()
        await asyncio.wait({task, stopped})
