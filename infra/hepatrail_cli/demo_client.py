"""What the client app of the demo shows: one participant's course and MELD at the time points, read after the write."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from hepatrail_events.roles import Role
from hepatrail_services.importers.api_client import ApiClient

COURSE = """query Course($id: ID!, $position: Position) { subject(id: $id, minPosition: $position) {
sessions { startedAt durationHours cellsPerKg endReason }
visits { code status satisfied required }
scores { score visit status value change inputs { code value unit } } } }"""
_MELD = "meld_2002"
_SHOWN = ("tbil", "inr", "creatinine")


async def show_course(ready: Mapping[str, Any], subject_id: str, position: str, console: Console) -> None:
    """Prints the participant's sessions, visits and MELD; waits until the projection has reached `position`."""
    async with ApiClient(ready["graphql"], ready["tokens"][Role.INVESTIGATOR]) as client:
        answer = await client.execute(COURSE, {"id": subject_id, "position": position})
    subject = answer["subject"]
    for session in subject["sessions"]:
        console.print(
            f"  session {session['startedAt'][:16]}Z, {float(session['durationHours'] or 0):.1f} h, "
            f"{float(session['cellsPerKg']):.3g} cells/kg, {session['endReason']}",
            highlight=False,
        )
    meld = {score["visit"]: score for score in subject["scores"] if score["score"] == _MELD}
    title = "MELD (2002) and its inputs; bilirubin and creatinine in umol/L"
    table = Table(
        "visit", "status", title=title, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False
    )
    for name in ("items", "MELD", "change", *_SHOWN):
        table.add_column(name, justify="right", no_wrap=True)
    for visit in subject["visits"]:
        score = meld.get(visit["code"])
        items = f"{len(visit['satisfied'])}/{len(visit['required'])}"
        table.add_row(visit["code"], visit["status"], items, *_score_cells(score))
    console.print(table)


def _score_cells(score: Mapping[str, Any] | None) -> list[str]:
    if score is None:
        return [""] * (2 + len(_SHOWN))
    inputs = {one["code"]: one for one in score["inputs"]}
    value = str(score["value"]) if score["value"] is not None else "-"
    change = f"{score['change']:+d}" if score["change"] is not None else ""
    return [value, change, *(_rounded(inputs.get(code)) for code in _SHOWN)]


def _rounded(measured: Mapping[str, Any] | None) -> str:
    return "" if measured is None or measured["value"] is None else f"{float(measured['value']):.4g}"
