"""`hepatrail simulate`: a clinically plausible trial from a seed, as a file, and played on a running stack."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hepatrail_cli.play import play_on_stack
from hepatrail_cli.shell import refuse, run
from hepatrail_cli.stack_files import read_run
from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.api_client import Accepted
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.player import Played
from hepatrail_services.simulation.trial import Trial, read_trial, write_trial


def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same trial.")] = 7,
    participants: Annotated[int, typer.Option(min=1, max=200, help="How many take part.")] = 12,
    out: Annotated[Path | None, typer.Option(help="File to write (JSON lines).")] = None,
    trial: Annotated[Path | None, typer.Option(help="Play this file instead of making a trial.")] = None,
    play: Annotated[
        Path | None, typer.Option(help="Data directory of a stack on a simulated clock, to play the trial on.")
    ] = None,
) -> None:
    """Makes a trial from a seed; with --play, plays it through the API as its users would."""
    try:
        if out is None and play is None:
            raise StartRefused("Say what to do with the trial: --out FILE, --play DATA_DIR or both.")
        made = read_trial(trial) if trial else generate_trial(seed, participants)
    except StartRefused as error:
        refuse(error)
    console = Console()
    if out:
        write_trial(out, made)
        console.print(
            f"{len(made.commands)} commands of {made.header.participants} participants: {out}", highlight=False
        )
    if play:
        run(_play(made, play, console))


async def _play(trial: Trial, data_dir: Path, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("commands", total=len(trial.commands))
        played = await play_on_stack(trial, read_run(data_dir), lambda _: progress.advance(bar))
    for surprise in surprises(played):
        console.print(surprise, highlight=False, markup=False)
    console.print(f"{len(played)} commands decided, {len(surprises(played))} not as foreseen.", highlight=False)


def surprises(played: tuple[Played, ...]) -> list[str]:
    """A line for each command that was not decided as the trial's file foresaw."""
    lines = []
    for one in played:
        if not one.as_expected:
            outcome = one.outcome
            said = "accepted" if isinstance(outcome, Accepted) else f"{outcome.rule or outcome.code}: {outcome.message}"
            lines.append(
                f"{one.command.at:%Y-%m-%d %H:%M} {one.command.mutation} of {one.command.input['subjectId']} "
                f"should be {one.command.expect}, was {said}"
            )
    return lines
