"""A measured ratio beside its limit, and the table that `make bench` prints."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One row of the report; `limit` is None for what is shown only."""

    name: str
    ours: str
    peer: str
    ratio: float | None = None
    limit: float | None = None
    at_most: bool = True

    @property
    def holds(self) -> bool:
        """Whether the ratio is on the right side of its limit."""
        if self.ratio is None or self.limit is None:
            return True
        return self.ratio <= self.limit if self.at_most else self.ratio >= self.limit


def show(lines: list[Line]) -> bool:
    """Prints the report; True when every limit holds."""
    table = Table(title="Hepatrail beside bare peers, one run")
    for heading in ("what", "ours", "peer", "ratio", "limit", ""):
        table.add_column(heading)
    for line in lines:
        ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
        limit = "" if line.limit is None else f"{'≤' if line.at_most else '≥'} {line.limit:g}"
        verdict = "" if line.limit is None else ("ok" if line.holds else "BROKEN")
        table.add_row(line.name, line.ours, line.peer, ratio, limit, verdict)
    Console(width=140).print(table)
    return all(line.holds for line in lines)
