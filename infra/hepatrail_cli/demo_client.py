"""What the client app of the demo shows: one participant's whole course, in one query, read after the write."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from hepatrail_cli.demo_events import show_adverse_events, show_queries
from hepatrail_cli.demo_scores import explain_incomplete, explain_value, show_scores
from hepatrail_events.roles import Role
from hepatrail_services.importers.api_client import ApiClient

COURSE = """query Course($id: ID!, $position: Position) { subject(id: $id, minPosition: $position) {
indication sex ageYears
sessions { startedAt durationHours cellsPerKg endReason voided }
visits { code series status cause satisfied required missing { item reason }
  done { inputs { code basis } } }
compliance { numerator denominator rate }
scores { score visit status value unrounded change range { least greatest } missing { code reason } flags
  inputs { code value comparator unit collectedAt derived eventIds } provenance { algorithm protocolVersion } }
adverseEvents { code ctcaeTerm onset { value } state maxGrade serious everSerious teae teaeCase related outcome
  corrections { field } gradeCorrections { eventId } reopenings { eventId } }
queries(open: true) { rule status message } } }"""


async def show_course(ready: Mapping[str, Any], subject_id: str, position: str, console: Console) -> None:
    """Prints the participant's course; waits until the projection has reached `position`."""
    async with ApiClient(ready["graphql"], ready["tokens"][Role.INVESTIGATOR]) as client:
        answer = await client.execute(COURSE, {"id": subject_id, "position": position})
    subject = answer["subject"]
    console.print(
        f"  {subject['indication']}, {subject['sex']}, {subject['ageYears']} years; all of it in one query",
        highlight=False,
    )
    for session in subject["sessions"]:
        if not session["voided"]:
            console.print(
                f"  session {session['startedAt'][:16]}Z, {float(session['durationHours'] or 0):.1f} h, "
                f"{float(session['cellsPerKg']):.3g} cells/kg, {session['endReason']}",
                highlight=False,
            )
    show_scores(subject["visits"], subject["scores"], console)
    _show_other_points(subject, console)
    explain_value(subject["scores"], console)
    explain_incomplete(subject["visits"], subject["scores"], console)
    show_adverse_events(subject["adverseEvents"], console)
    show_queries(subject["queries"], console)


def _show_other_points(subject: Mapping[str, Any], console: Console) -> None:
    others = [visit for visit in subject["visits"] if visit["series"] != "MAIN"]
    if others:
        said = ", ".join(f"{visit['code']} {visit['status']}" for visit in others)
        console.print(f"Beside the schedule: {said}", highlight=False)
    for visit in subject["visits"]:
        if visit["status"] in ("partial", "missed"):
            lacks = ", ".join(f"{one['item']} ({one['reason'] or 'nothing recorded'})" for one in visit["missing"])
            console.print(f"Missing at {visit['code']}: {lacks}", highlight=False)
    found = subject["compliance"]
    rate = "none over yet" if found["rate"] is None else f"{float(found['rate']):.1%}"
    console.print(
        f"Compliance: {found['numerator']} of {found['denominator']} time points complete in their window, {rate}",
        highlight=False,
    )
