"""Entering an adverse event and what becomes of it: report, severity, judgement, end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.ids import object_id
from hepatrail_events.roles import Role
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, Script, minute, text
from hepatrail_services.simulation.trial import ACCEPTED

BY_PRODUCT = {"CELL_PRODUCT": "POSSIBLE", "DEVICE": "UNLIKELY"}
BY_ACCESS = {"CELL_PRODUCT": "UNRELATED", "DEVICE": "UNLIKELY", "PROCEDURE": "PROBABLE"}
BY_DISEASE = {"CELL_PRODUCT": "UNRELATED", "DEVICE": "UNRELATED", "UNDERLYING_DISEASE": "DEFINITE"}


def report(
    script: Script, at: datetime, values: Mapping[str, Any], role: Role = INVESTIGATOR, *, expect: str = ACCEPTED
) -> UUID:
    """Reports an event and returns its id."""
    return object_id(script.enter(at, role, "reportAdverseEvent", dict(values), expect=expect), "ae")


def described(code: str, verbatim: str, onset: datetime, aware: datetime, grade: int) -> dict[str, Any]:
    """What every first report says; not serious, going on, treatment unchanged unless the caller says otherwise."""
    return {
        "code": code,
        "verbatim": verbatim,
        "onset": minute(onset),
        "awareAt": text(aware),
        "criteria": [],
        "grade": grade,
        "gradeAt": minute(onset),
        "outcome": "NOT_RECOVERED",
        "actionTaken": "NO_CHANGE",
        "reporter": "ward physician",
    }


def stated(causes: Mapping[str, str]) -> list[dict[str, str]]:
    """Causality by target as the first report states it."""
    return [{"target": target, "value": value} for target, value in causes.items()]


def judge(
    script: Script, at: datetime, ae_id: UUID, causes: Mapping[str, str], rationale: str, role: Role = INVESTIGATOR
) -> None:
    """An assessor judges causality, one target a command."""
    for number, (target, value) in enumerate(causes.items()):
        values = {"aeId": str(ae_id), "target": target, "value": value, "rationale": rationale}
        script.enter(script.later(at, 2 * number, 2 * number + 1), role, "assessCausality", values)


def grade(script: Script, at: datetime, ae_id: UUID, to: int, since: datetime) -> UUID:
    """The severity changed; returns the command's id."""
    values = {"aeId": str(ae_id), "toGrade": to, "gradeAt": minute(since)}
    return script.enter(at, INVESTIGATOR, "changeAdverseEventGrade", values)


def follow_up(script: Script, at: datetime, ae_id: UUID, said: str, **more: Any) -> None:
    """New information that came in just before it was entered."""
    values = {"aeId": str(ae_id), "infoReceivedAt": text(script.later(at, -40, -5)), "text": said, **more}
    script.enter(at, COORDINATOR, "followUpAdverseEvent", values)


def resolve(script: Script, ae_id: UUID, end: datetime, outcome: str = "RECOVERED") -> None:
    """The event ended; the site enters it some hours later."""
    values = {"aeId": str(ae_id), "outcome": outcome, "endAt": minute(end)}
    script.enter(script.later(end, 60, 600), INVESTIGATOR, "resolveAdverseEvent", values)


def code(script: Script, at: datetime, ae_id: UUID, role: Role, llt: str, pt: str) -> None:
    """A coder enters MedDRA codes; those of a simulation are none of the dictionary."""
    values = {"aeId": str(ae_id), "meddraVersion": "28.1", "lltCode": llt, "ptCode": pt}
    script.enter(at, role, "codeAdverseEvent", values)
