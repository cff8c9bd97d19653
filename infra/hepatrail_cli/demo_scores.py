"""The scores of one participant at the time points, and how a value came about: inputs, formula, what lacks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

_SHOWN = {
    "meld_2002": "MELD",
    "meld_na_2016": "MELD-Na",
    "meld_3_0": "MELD 3.0",
    "gcs": "GCS",
    "sofa_1996": "SOFA",
    "apache_ii_1985": "APACHE II",
}
_EXPLAINED = ("meld_3_0", "D7")
_MAY_LACK = ("sofa_1996", "apache_ii_1985")
_SCORED = ("complete", "complete_with_assumptions")
_WAIVED = "not drawn from an outpatient, which the protocol waives"


def show_scores(visits: Sequence[Mapping[str, Any]], scores: Iterable[Mapping[str, Any]], console: Console) -> None:
    """A line for each main time point: status, items, and every score with its change from before treatment."""
    by_place = {(score["visit"], score["score"]): score for score in scores}
    title = "Scores at the 14 time points, with the change from baseline"
    table = _table(title)
    table.add_column("visit", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("items", justify="right", no_wrap=True)
    for name in _SHOWN.values():
        table.add_column(name, justify="right", no_wrap=True)
    for visit in visits:
        if visit["series"] == "MAIN":
            status = f"{visit['status']} {visit['cause'] or ''}".strip()
            items = f"{len(visit['satisfied'])}/{len(visit['required'])}"
            cells = (_cell(by_place.get((visit["code"], score))) for score in _SHOWN)
            table.add_row(visit["code"], status, items, *cells)
    console.print(table)
    console.print("  a..b: incomplete, the least and the greatest total that are still possible", highlight=False)


def explain_value(scores: Iterable[Mapping[str, Any]], console: Console) -> None:
    """One value with every input: value, unit, time, event; the formula and the protocol version that made it."""
    found = {(score["score"], score["visit"]): score for score in scores if score["status"] in _SCORED}
    if not found:
        return
    score = found.get(_EXPLAINED) or next(iter(found.values()))
    made = score["provenance"]
    title = (
        f"Why {_SHOWN[score['score']]} is {score['value']} at {score['visit']}: formula {made['algorithm']}, "
        f"protocol {made['protocolVersion']}, before rounding {_shortened(score['unrounded']) or '-'}"
    )
    table = _table(title)
    for name in ("input", "value", "unit", "time", "event"):
        table.add_column(name, justify="right" if name == "value" else "left", no_wrap=True)
    for one in score["inputs"]:
        value = f"{one['comparator'] or ''}{_shortened(one['value'])}{' (derived)' if one['derived'] else ''}"
        event = one["eventIds"][0] if one["eventIds"] else ""
        table.add_row(one["code"], value, one["unit"] or "", (one["collectedAt"] or "")[:16], event)
    console.print(table)
    if score["flags"]:
        console.print(f"  flags: {', '.join(score['flags'])}", highlight=False)


def explain_incomplete(
    visits: Sequence[Mapping[str, Any]], scores: Iterable[Mapping[str, Any]], console: Console
) -> None:
    """The first score that could not be computed: what lacks, and why."""
    done = {visit["code"]: visit for visit in visits if visit["status"].startswith("complete")}
    lacking = [one for one in scores if one["status"] == "incomplete" and one["visit"] in done]
    score = next((one for kind in _MAY_LACK for one in lacking if one["score"] == kind), None)
    if score is None:
        return
    waived = {part["code"] for item in done[score["visit"]]["done"] for part in item["inputs"] if _is_waiver(part)}
    named = (f"{one['code']} ({_why(one, waived)})" for one in score["missing"])
    console.print(
        f"Why {_SHOWN[score['score']]} is not computed at {score['visit']}: missing {'; '.join(named)}",
        highlight=False,
    )


def _why(missing: Mapping[str, Any], waived: set[str]) -> str:
    if missing["code"] in waived:
        return _WAIVED
    return str(missing["reason"] or "nothing recorded").replace("_", " ")


def _is_waiver(part: Mapping[str, Any]) -> bool:
    return bool(part["basis"] == "WAIVER")


def _cell(score: Mapping[str, Any] | None) -> str:
    if score is None or score["status"] == "not_applicable":
        return ""
    if score["value"] is None:
        between = score["range"]
        return "-" if between is None else f"{between['least']}..{between['greatest']}"
    change = f" {score['change']:+d}" if score["change"] is not None else "   "
    return f"{score['value']}{change:>4}"


def _shortened(value: str | None) -> str:
    """A value as stored is exact; more than six figures are not for a screen."""
    whole, _, fraction = (value or "").partition(".")
    return f"{whole}.{fraction[:3]}" if fraction else whole


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
