"""What usually goes wrong around a treatment: fever, hematoma at the access, a fall of platelets."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from hepatrail_services.simulation.adverse_events import (
    BY_ACCESS,
    BY_PRODUCT,
    code,
    described,
    follow_up,
    grade,
    judge,
    report,
    resolve,
    stated,
)
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, OFFICER, Script
from hepatrail_services.simulation.treatment import Session

_BY_COORDINATOR = 0.3
"""Share of the reports that come without causality, which an investigator judges afterwards."""


def suffer_usual_events(script: Script, sessions: Sequence[Session], until: datetime | None) -> None:
    """The usual events after each session; none is known to the site at or after `until`."""
    rng = script.rng
    for session in sessions:
        if rng.random() < 0.45:
            _fever(script, script.later(session.ended, 60, 300), until)
        if rng.random() < 0.2:
            hematoma = script.later(session.started, 20, 200)
            passing(
                script, hematoma, until, ("LOCAL_HEMATOMA", "Hematoma at the access"), rng.choice((1, 2)), BY_ACCESS
            )
        if rng.random() < 0.3:
            fall, severity = script.later(session.ended, 600, 1400), rng.choice((1, 2))
            named = ("LAB_ABNORMALITY", "Platelets fell after the session")
            passing(script, fall, until, named, severity, BY_PRODUCT, term="Platelet count decreased")


def passing(
    script: Script,
    onset: datetime,
    until: datetime | None,
    named: tuple[str, str],
    severity: int,
    causes: Mapping[str, str],
    *,
    term: str | None = None,
    days: int = 3,
) -> UUID | None:
    """An event that is not serious and passes; `named` is its code and the reporter's words.

    Returns its id; None where the site would have known of it only after `until`.
    """
    rng = script.rng
    end = onset + timedelta(days=days, minutes=rng.randint(-300, 300))
    aware = script.later(onset, 5, 90)
    if until is not None and aware >= until:
        return None
    values = described(*named, onset, aware, severity) | ({"ctcaeTerm": term} if term else {})
    at = script.later(aware, 5, 60)
    if rng.random() < _BY_COORDINATOR:
        ae_id = report(script, at, values, COORDINATOR)
        judge(script, script.later(at, 60, 900), ae_id, causes, "Time course and known profile")
    else:
        ae_id = report(script, at, values | {"causality": stated(causes)})
    if until is None or end < until:
        resolve(script, ae_id, end)
    return ae_id


def _fever(script: Script, onset: datetime, until: datetime | None) -> None:
    rng = script.rng
    severity = rng.choice((1, 1, 2))
    ae_id = passing(script, onset, until, ("FEVER", "Temperature rose after the session"), severity, BY_PRODUCT)
    if ae_id is None:
        return
    worse = script.later(onset, 240, 480)
    if severity == 1 and rng.random() < 0.4 and (until is None or worse < until):
        grade(script, script.later(worse, 10, 60), ae_id, 2, worse)
        follow_up(script, script.later(worse, 700, 1100), ae_id, "Blood cultures taken, no growth so far")
    if rng.random() < 0.3:
        code(script, script.later(onset, 3000, 9000), ae_id, OFFICER, "99000101", "99000100")
    if rng.random() < 0.2:
        corrected = {
            "aeId": str(ae_id),
            "field": "reporter",
            "newValue": "ward nurse",
            "reason": "Taken from the chart",
        }
        script.enter(script.later(onset, 1500, 2500), INVESTIGATOR, "correctAdverseEvent", corrected)
