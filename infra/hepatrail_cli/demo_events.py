"""The adverse events of one participant, and the questions to the site that are open."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

_MOST_QUERIES = 8


def show_adverse_events(events: Sequence[Mapping[str, Any]], console: Console) -> None:
    """A line an event: grade, seriousness, treatment emergence with its case, and what happened to the record."""
    table = Table(title="Adverse events", title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("onset", "event", "grade", "serious", "emergent", "related", "outcome", "record"):
        table.add_column(name, no_wrap=name != "record")
    for event in events:
        table.add_row(
            (event["onset"]["value"] or "unknown")[:16],
            event["code"],
            str(event["maxGrade"] or "-"),
            "yes" if event["serious"] else "was" if event["everSerious"] else "no",
            f"case {event['teaeCase']}" if event["teae"] else "no",
            "yes" if event["related"] else "no",
            event["outcome"] if event["state"] != "VOIDED" else "void",
            _record(event),
        )
    console.print(table)


def show_queries(queries: Sequence[Mapping[str, Any]], console: Console) -> None:
    """What the record leaves open, in the words that the site reads."""
    console.print(f"Open data queries: {len(queries) or 'none'}", highlight=False)
    for query in queries[:_MOST_QUERIES]:
        console.print(f"  {query['rule']} {query['status']}: {query['message']}", highlight=False, markup=False)


def _record(event: Mapping[str, Any]) -> str:
    said = {
        "corrected": len(event["corrections"]),
        "regraded": len(event["gradeCorrections"]),
        "reopened": len(event["reopenings"]),
    }
    return ", ".join(what for what, times in said.items() if times)
