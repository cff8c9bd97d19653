"""`make demo`: a 12-participant trial through the whole stack, and what everybody around it sees."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hepatrail_cli.demo_auditor import show_audit
from hepatrail_cli.demo_client import show_course
from hepatrail_cli.demo_officer import Officer
from hepatrail_cli.demo_report import show_report
from hepatrail_cli.play import play_on_stack
from hepatrail_cli.simulate import surprises
from hepatrail_cli.stack_process import StackProcess
from hepatrail_events.errors import HepatrailError
from hepatrail_services.importers.api_client import Accepted
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.player import Played
from hepatrail_services.simulation.trial import ACCEPTED, Trial

_NEXT = """Where to look next:
  make up                           the same stack, kept in ./data, on the system's clock
  .venv/bin/hepatrail simulate      another trial: --seed, --participants, --out, --play
  .venv/bin/hepatrail audit         verify, seal, replay, compare and export the log
  .venv/bin/hepatrail report        the outcomes as of any day; whatif: under another protocol
  .venv/bin/hepatrail import sdtm   real data (SDTM) through the same API
  graphql/schema.graphql            everything that can be asked
  docs/adr/                         why it is built as it is"""

_WIDTH = 100


async def demo(seed: int, participants: int, console: Console, data_dir: Path, report: Path) -> bool:
    """Runs the demo on a stack in `data_dir`; whether all went as foreseen, with what did not printed."""
    began = time.monotonic()
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    trial = generate_trial(seed, participants)
    stack = StackProcess(data_dir, simulated_clock=True)
    try:
        with console.status("starting Kafka, Postgres and five processes (the first start fetches Kafka, 44 MB)"):
            ready = await stack.start()
        console.print(f"The stack is ready after {time.monotonic() - began:.1f} s: {ready['graphql']}", highlight=False)
        complaints = await _show(trial, ready, data_dir, report, console)
    finally:
        with console.status("stopping"):
            code = await stack.stop()
    if code != 0:
        complaints.append(f"The stack ended with exit code {code}.")
    for complaint in complaints:
        console.print(f"Not as foreseen: {complaint}", highlight=False, markup=False)
    if not complaints:
        console.print(f"Stopped cleanly; {time.monotonic() - began:.0f} s in all.")
    console.print(_NEXT, highlight=False, markup=False, soft_wrap=True)
    return not complaints


async def _show(trial: Trial, ready: Mapping[str, Any], data_dir: Path, report: Path, console: Console) -> list[str]:
    console.rule("Safety officer: alerts as they arrive")
    officer = Officer(ready, console)
    listening = asyncio.create_task(officer.listen())
    try:
        played = await _play(trial, ready, officer, console)
        await officer.until_quiet(_serious(trial))
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    refused = sum(one.as_expected and not isinstance(one.outcome, Accepted) for one in played)
    console.print(f"{len(played)} commands decided; {refused} refused, as they had to be.", highlight=False)
    subject_id, position = _most_interesting(played)
    console.rule(f"Client: the course of {subject_id}")
    await show_course(ready, subject_id, position, console)
    console.rule("Auditor: the log itself")
    unproven = await show_audit(ready, data_dir, subject_id, console)
    console.rule("Statistician: the outcomes of the trial")
    unreported = await show_report(ready, data_dir, report, console)
    return surprises(played) + _missing(officer, _serious(trial)) + unproven + unreported


async def _play(trial: Trial, ready: Mapping[str, Any], officer: Officer, console: Console) -> tuple[Played, ...]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("playing", total=len(trial.commands))

        def show(played: Played) -> None:
            progress.update(bar, advance=1, description=f"{played.command.at:%Y-%m-%d}")

        return await play_on_stack(trial, ready, show, officer.keep_pace)


def _missing(officer: Officer, expected: int) -> list[str]:
    complaints = []
    if officer.seen != list(range(1, len(officer.seen) + 1)):
        complaints.append(f"The alerts have gaps: {officer.seen}.")
    if len(officer.seen) < expected:
        complaints.append(f"{len(officer.seen)} alerts reached the officer, at least {expected} were due.")
    if not officer.acknowledged:
        complaints.append("No acknowledgement came back to the officer.")
    if not officer.escalated:
        complaints.append("The alert that nobody acknowledged did not escalate.")
    if not officer.clocks_met:
        complaints.append("No reporting clock was met.")
    return complaints


def _serious(trial: Trial) -> int:
    """How many alerts there must be at least: one for each report or change that makes an event serious."""
    return sum(command.expect == ACCEPTED and bool(command.input.get("criteria")) for command in trial.commands)


def _most_interesting(played: Sequence[Played]) -> tuple[str, str]:
    """The participant whose event was graded wrongly and found serious later, else the last one; the last position."""
    chosen = next((one for one in played if one.command.mutation == "correctAdverseEventGrade"), played[-1])
    subject_id = chosen.command.input["subjectId"]
    positions = [
        one.outcome.position
        for one in played
        if one.command.input["subjectId"] == subject_id and isinstance(one.outcome, Accepted)
    ]
    return subject_id, positions[-1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo in a directory that is gone afterwards, unless `--keep`; 0 when all went as foreseen."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--participants", type=int, default=12)
    parser.add_argument("--keep", action="store_true", help="keep the data directory and say where it is")
    parser.add_argument("--report", type=Path, default=Path("build/demo-report"), help="where the report is written")
    options = parser.parse_args(arguments)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    console = Console(width=_WIDTH)
    data_dir = Path(tempfile.mkdtemp(prefix="hepatrail-demo-"))
    good = False
    try:
        good = asyncio.run(demo(options.seed, options.participants, console, data_dir, options.report))
    except HepatrailError as error:
        console.print(f"The demo ended: {error}", highlight=False, markup=False)
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Interrupted; the stack is stopped.")
    finally:
        if options.keep or not good:
            console.print(f"The data directory is kept: {data_dir}", highlight=False)
        else:
            shutil.rmtree(data_dir)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
