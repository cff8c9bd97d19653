"""What goes wrong: adverse events of the trial's list, serious ones, a death, a withdrawal."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hepatrail_events.ids import object_id
from hepatrail_services.simulation.participants import Incident
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, Script, minute, text
from hepatrail_services.simulation.treatment import Session, start_session

_CAUSES = {"CELL_PRODUCT": "POSSIBLE", "DEVICE": "UNLIKELY"}
_NOT_RELATED = {"CELL_PRODUCT": "UNRELATED", "DEVICE": "UNRELATED"}
_PROCEDURE = {"CELL_PRODUCT": "UNRELATED", "DEVICE": "UNLIKELY", "PROCEDURE": "PROBABLE"}


def suffer_events(script: Script, sessions: tuple[Session, ...], until: datetime | None) -> None:
    """The usual events after sessions, and the participant's incident; none begins at or after `until`."""
    rng = script.rng
    for session in sessions:
        if rng.random() < 0.45:
            fever = script.later(session.ended, 60, 300)
            _passing(
                script, fever, until, "FEVER", "Temperature rose after the session", rng.choice((1, 1, 2)), _CAUSES
            )
        if rng.random() < 0.2:
            hematoma = script.later(session.started, 20, 200)
            verbatim = "Hematoma at the catheter site"
            _passing(script, hematoma, until, "LOCAL_HEMATOMA", verbatim, rng.choice((1, 2)), _PROCEDURE)
        if rng.random() < 0.3:
            fall = script.later(session.ended, 600, 1400)
            verbatim, grade = "Platelets fell after the session", rng.choice((2, 3))
            _passing(script, fall, until, "LAB_ABNORMALITY", verbatim, grade, _CAUSES, term="Platelet count decreased")
    _incident(script, sessions[0], until)


def die(script: Script, died: datetime) -> None:
    """A fatal worsening of liver failure, reported with the death in one command; a session after it is refused."""
    aware = script.later(died, 5, 30)
    report = _report("HEPATIC_FAILURE_WORSENING", "Liver failure worsened to death", died - timedelta(hours=30), aware)
    report |= {
        "criteria": ["DEATH", "LIFE_THREATENING", "HOSPITALISATION"],
        "grade": 5,
        "gradeAt": minute(died),
        "outcome": "FATAL",
        "endAt": minute(died),
        "actionTaken": "NOT_APPLICABLE",
        "causality": _statements(_NOT_RELATED | {"UNDERLYING_DISEASE": "DEFINITE"}),
        "death": {"deathAt": minute(died), "primaryCause": True, "autopsyDone": False},
    }
    script.enter(script.later(aware, 1, 10), INVESTIGATOR, "reportAdverseEvent", report)
    start_session(script, died + timedelta(hours=20), 9, release="QP-LATE", expect="SES-02")


def withdraw(script: Script, at: datetime) -> None:
    """The participant leaves follow-up but allows the vital status to be asked."""
    values = {"withdrawnAt": text(at), "scope": "FOLLOW_UP", "vitalStatusAllowed": True, "reason": "Lives too far away"}
    script.enter(script.later(at, 10, 60), COORDINATOR, "withdrawSubject", values)


def _incident(script: Script, first: Session, until: datetime | None) -> None:
    match script.participant.incident:
        case Incident.CATHETER_INFECTION:
            onset = script.later(first.ended, 3000, 5000)
            serious: dict[str, Any] = {"criteria": ["HOSPITALISATION"]}
            verbatim = "Catheter related infection, antibiotics, stay prolonged"
            _passing(script, onset, until, "INFECTION_CATHETER", verbatim, 3, _PROCEDURE, days=9, more=serious)
        case Incident.ALLERGIC_REACTION:
            onset = script.later(first.started, 25, 60)
            serious = {"criteria": ["MEDICALLY_IMPORTANT"], "actionTaken": "SESSION_INTERRUPTED_RESUMED"}
            verbatim = "Allergic reaction early in the session, treated"
            causes = {"CELL_PRODUCT": "PROBABLE", "DEVICE": "POSSIBLE"}
            _passing(script, onset, until, "ALLERGIC_REACTION", verbatim, 3, causes, days=1, more=serious)
        case Incident.BLEEDING_UPGRADED:
            _bleeding(script, script.later(first.ended, 200, 600))
        case Incident.NONE:
            pass


def _bleeding(script: Script, onset: datetime) -> None:
    aware = script.later(onset, 5, 30)
    report = _report("LOCAL_BLEEDING", "Bleeding at the access, compression", onset, aware)
    report |= {"grade": 2, "gradeAt": minute(onset), "causality": _statements(_PROCEDURE)}
    ae_id = _ae_id(script.enter(script.later(aware, 5, 20), INVESTIGATOR, "reportAdverseEvent", report))
    worse = script.later(onset, 300, 500)
    grade = {"aeId": str(ae_id), "toGrade": 3, "gradeAt": minute(worse)}
    script.enter(script.later(worse, 10, 20), INVESTIGATOR, "changeAdverseEventGrade", grade)
    aware = script.later(worse, 30, 60)
    upgrade = {
        "aeId": str(ae_id),
        "criteria": ["HOSPITALISATION"],
        "seriousSince": minute(worse),
        "awareAt": text(aware),
    }
    script.enter(script.later(aware, 5, 20), INVESTIGATOR, "upgradeAdverseEvent", upgrade)
    _resolve(script, ae_id, worse + timedelta(days=4))


def _passing(
    script: Script,
    onset: datetime,
    until: datetime | None,
    code: str,
    verbatim: str,
    grade: int,
    causes: dict[str, str],
    *,
    term: str | None = None,
    days: int = 3,
    more: dict[str, Any] | None = None,
) -> None:
    end = onset + timedelta(days=days, minutes=script.rng.randint(-300, 300))
    aware = script.later(onset, 5, 90)
    if until is not None and aware >= until:
        return
    report = _report(code, verbatim, onset, aware) | {"grade": grade, "gradeAt": minute(onset)}
    report |= {"causality": _statements(causes)} | ({"ctcaeTerm": term} if term else {}) | (more or {})
    ae_id = _ae_id(script.enter(script.later(aware, 5, 60), INVESTIGATOR, "reportAdverseEvent", report))
    if until is None or end < until:
        _resolve(script, ae_id, end)


def _resolve(script: Script, ae_id: UUID, end: datetime) -> None:
    values = {"aeId": str(ae_id), "outcome": "RECOVERED", "endAt": minute(end)}
    script.enter(script.later(end, 60, 600), INVESTIGATOR, "resolveAdverseEvent", values)


def _report(code: str, verbatim: str, onset: datetime, aware: datetime) -> dict[str, Any]:
    return {
        "code": code,
        "verbatim": verbatim,
        "onset": minute(onset),
        "awareAt": text(aware),
        "criteria": [],
        "outcome": "NOT_RECOVERED",
        "actionTaken": "NO_CHANGE",
        "reporter": "ward physician",
    }


def _statements(causes: dict[str, str]) -> list[dict[str, str]]:
    return [{"target": target, "value": value} for target, value in causes.items()]


def _ae_id(command_id: UUID) -> UUID:
    return object_id(command_id, "ae")
