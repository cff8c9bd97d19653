"""`hepatrail serve ...`: one process, told everything by its settings, until SIGTERM."""

import asyncio
import gc
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import typer
import uvloop

from hepatrail_cli.shell import FAILED, refuse
from hepatrail_cli.supervisor import SUPERVISOR
from hepatrail_events.errors import HepatrailError
from hepatrail_infra.settings import Settings, load_settings
from hepatrail_infra.telemetry import configure_logging

Main = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]
"""A process: works until the event is set, then ends what it has begun."""

GRACE_SECONDS = 5.0
"""How long a process may take to finish what it has begun."""

_log = logging.getLogger(__name__)

serve_app = typer.Typer(no_args_is_help=True, help="One process of a cluster; everything by HEPATRAIL_* settings.")


@serve_app.command()
def api() -> None:
    """The GraphQL API: HEPATRAIL_KAFKA, _POSTGRES_READER, _VAULT_USE, _VAULT_MASTER_KEY, _JWKS."""
    _process("api")


@serve_app.command()
def decider() -> None:
    """Decides commands: HEPATRAIL_KAFKA, _INSTANCE, _LANES."""
    _process("decider")


@serve_app.command()
def projector() -> None:
    """Builds the read side: HEPATRAIL_KAFKA, _POSTGRES_WRITER."""
    _process("projector")


@serve_app.command()
def safety() -> None:
    """Raises and escalates SAE alerts: HEPATRAIL_KAFKA, _POSTGRES_WRITER."""
    _process("safety")


@serve_app.command()
def sealer() -> None:
    """Seals the log: HEPATRAIL_KAFKA, _SEALING_KEY, _LOG_ORIGIN, _CHECKPOINT_DIR."""
    _process("sealer")


def _process(name: str) -> None:
    # Each process imports only what is its own: the API's libraries are half of its memory.
    # What is imported stays for good: the collector need not look at it, now or ever again.
    gc.disable()
    main: Main = importlib.import_module(f"hepatrail_cli.serve_{name}").main
    gc.freeze()
    gc.enable()
    try:
        settings = load_settings()
        configure_logging(settings.instance, settings.log_level)
        sys.excepthook = _log_bug
        uvloop.run(_until_told(main, settings))
    except HepatrailError as error:
        _log.exception("%s ends", name)
        refuse(error)
    _log.info("%s ended", name)


async def _until_told(main: Main, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for step in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(step, stop.set)
    _end_with_supervisor(stop)
    work, told = asyncio.create_task(main(settings, stop)), asyncio.create_task(stop.wait())
    await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    # What still waits for Kafka or Postgres to come back would not hear of it.
    await asyncio.wait({work}, timeout=GRACE_SECONDS)
    if not work.done():
        work.cancel()
        await asyncio.wait({work})
    if not work.cancelled():
        work.result()


def _end_with_supervisor(stop: asyncio.Event) -> None:
    """Sets `stop` within a second of the supervisor's end, however that came; does nothing without one."""
    supervisor = os.environ.get(SUPERVISOR)
    if supervisor is None or stop.is_set():
        return
    if os.getppid() == int(supervisor):
        asyncio.get_running_loop().call_later(1.0, _end_with_supervisor, stop)
    else:
        _log.warning("the supervisor is gone")
        stop.set()


def _log_bug(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    # The interpreter's own traceback would quote values, which may be a patient's.
    _log.critical("ends by a bug", exc_info=(kind, error, trace))
    sys.exit(FAILED)
