"""What the site asks at D7, W4, W12, M6 and M12: for adverse events, and whether the participant lives."""

import calendar
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hepatrail_events.types import parse_instant
from hepatrail_services.simulation.participants import Course, Incident
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, Script, minute, text
from hepatrail_services.simulation.treatment import Session
from hepatrail_services.simulation.trial import ACCEPTED, event_of
from hepatrail_services.simulation.visits import Planned, Stay

_FOLLOW_UP_DAYS = timedelta(days=14)


def assess(
    script: Script, planned: Sequence[Planned], sessions: Sequence[Session], stay: Stay, *, by_phone: bool
) -> None:
    """Both assessments of every visit that is kept; `by_phone`: who left follow-up is still asked if he lives.

    Called when all adverse events are in the script, because the answer whether there is a new one follows from them.
    """
    asked: datetime | None = None
    for visit in (one for one in planned if one.point.ae):
        if visit.seen:
            asked = _ask(script, visit, asked)
            survive(script, visit.at, "VISIT", visit.visit_code)
        elif by_phone and not stay.present(visit.at):
            survive(script, visit.at, "PHONE", visit.visit_code)
    _follow_a_year(script, planned[-1], sessions, stay, asked)


def _follow_a_year(
    script: Script, last: Planned, sessions: Sequence[Session], stay: Stay, asked: datetime | None
) -> None:
    """The contact 12 months after the last session (`SFU12`), where the visit of Month 12 does not serve it."""
    owed = _a_year_after(sessions[-1].ended)
    served = last.seen and owed - last.at <= _FOLLOW_UP_DAYS
    if len(sessions) > 1 and not served and stay.present(owed):
        contact = script.later(owed, -2000, 2000)
        _ask_at(script, contact, asked, {})
        survive(script, contact, "PHONE", {})


def _ask(script: Script, visit: Planned, asked: datetime | None) -> datetime:
    again = script.participant.incident is Incident.RECORD_ERRORS
    made = _ask_at(script, visit.at, asked, visit.visit_code, wrongly=again and visit.point.code == "D7")
    if again and visit.point.code == "W4":
        copy = script.enter(
            script.later(made, 20, 40), COORDINATOR, "recordAeAssessment", {"at": text(visit.at), "anyNew": "N"}
        )
        void = {"id": event_of(copy), "reasonCode": "DUPLICATE", "reasonText": "Entered twice"}
        script.enter(script.later(made, 45, 90), INVESTIGATOR, "voidAssessment", void)
    return made


def _ask_at(
    script: Script, at: datetime, asked: datetime | None, visit_code: dict[str, str], *, wrongly: bool = False
) -> datetime:
    entered = script.later(at, 12, 50)
    answer = "Y" if _reported_between(script, asked, entered) else "N"
    stated = {"Y": "N", "N": "Y"}[answer] if wrongly else answer
    values = {"at": text(at), "anyNew": stated} | visit_code
    command = script.enter(entered, COORDINATOR, "recordAeAssessment", values)
    if wrongly:
        right = {"id": event_of(command), "field": "anyNew", "newValue": answer, "reason": "The wrong box was ticked"}
        script.enter(script.later(entered, 60, 400), COORDINATOR, "correctAssessment", right)
    return entered


def survive(script: Script, at: datetime, source: str, visit_code: dict[str, str]) -> None:
    """The participant lives; whether and when a liver was transplanted is told with it."""
    participant = script.participant
    values: dict[str, Any] = {"at": text(at), "alive": "Y", "transplant": "NONE", "source": source} | visit_code
    done = _transplanted_at(script)
    if done is not None and done < at:
        values |= {"transplant": "DONE", "transplantAt": minute(done)}
    elif participant.course is Course.TRANSPLANT:
        values |= {"transplant": "LISTED"}
    script.enter(script.later(at, 14, 60), COORDINATOR, "recordSurvivalStatus", values)


def _transplanted_at(script: Script) -> datetime | None:
    for command in script.commands:
        if command.mutation == "recordTransplant":
            return parse_instant(command.input["transplantAt"]["value"].replace("Z", ":00Z"))
    return None


def _reported_between(script: Script, after: datetime | None, before: datetime) -> bool:
    """Whether an adverse event was reported after the last assessment and before this one (VIS-06)."""
    return any(
        (after is None or command.at > after) and command.at < before
        for command in script.commands
        if command.mutation == "reportAdverseEvent" and command.expect == ACCEPTED
    )


def _a_year_after(ended: datetime) -> datetime:
    year = ended.year + 1
    return ended.replace(year=year, day=min(ended.day, calendar.monthrange(year, ended.month)[1]))
