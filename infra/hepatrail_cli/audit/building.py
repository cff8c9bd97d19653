"""What replays and comparisons show while they read the log."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hepatrail_projections.rebuild import Progress as Tell

_STEPS = {"build": "reading the log", "prove": "comparing"}


@contextmanager
def shown_progress() -> Iterator[Tell]:
    """A bar on stderr; what it gives is called as `rebuild.Progress` says."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("connecting", total=None)

        def tell(step: str, done: int, total: int) -> None:
            progress.update(bar, description=_STEPS.get(step, step), completed=done, total=total)

        yield tell
