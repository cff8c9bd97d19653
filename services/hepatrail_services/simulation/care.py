"""What a participant brings along and is given beside the trial's treatment: conditions, medication, procedures."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hepatrail_events.ids import object_id
from hepatrail_services.simulation.bedside import in_shock
from hepatrail_services.simulation.participants import Course, Incident
from hepatrail_services.simulation.script import INVESTIGATOR, Script, day, minute

_WEEK = timedelta(hours=168)


@dataclass(frozen=True, slots=True)
class Dialysis:
    """A procedure that MELD counts: HD, or CVVHDF until the participant dies."""

    kind: str
    started: datetime
    ended: datetime

    def counts_before(self, sample: datetime) -> bool:
        """Whether a part of it lies in the 168 h before a sample (`scores.md` section 9, rule 8)."""
        return self.started < sample and self.ended >= sample - _WEEK


def record_conditions(script: Script, at: datetime) -> UUID:
    """The conditions present before treatment; returns the id of the one that is the indication."""
    severity = script.participant.severity
    onset = day(at - timedelta(days=script.rng.randint(6, 20)))
    failure = {
        "code": "HEPATIC_FAILURE_WORSENING",
        "verbatim": "Liver failure, reason for the treatment",
        "onset": onset,
        "grade": 4 if severity > 0.85 else 3,
    }
    first = script.enter(script.later(at, 5, 15), INVESTIGATOR, "recordBaselineCondition", failure)
    others: list[dict[str, Any]] = [
        {
            "code": "LAB_ABNORMALITY",
            "ctcaeTerm": "Blood bilirubin increased",
            "verbatim": "Jaundice",
            "onset": onset,
            "grade": 4 if severity > 0.6 else 3,
        }
    ]
    if severity > 0.6:
        encephalopathy = {"code": "OTHER", "ctcaeTerm": "Encephalopathy", "verbatim": "Hepatic encephalopathy"}
        others.append(encephalopathy | {"onset": onset, "grade": 2 if severity < 0.9 else 3})
    if script.rng.random() < 0.5:
        ascites = {"code": "OTHER", "ctcaeTerm": "Ascites", "verbatim": "Ascites, tapped before enrolment"}
        others.append(ascites | {"onset": onset})
    for number, condition in enumerate(others):
        script.enter(
            script.later(at, 16 + 5 * number, 20 + 5 * number), INVESTIGATOR, "recordBaselineCondition", condition
        )
    return object_id(first, "baselineCondition")


def give_medication(script: Script, enrolled: datetime, anchor: datetime, until: datetime | None) -> None:
    """Medication of liver failure, norepinephrine in shock, a therapeutic anticoagulant for some: not the circuit's."""
    rng = script.rng
    stays = [
        ("Lactulose syrup", "A06AD11", "20", "mL", "oral", 21),
        ("Human albumin 20 %", "B05AA01", "10", "g", "iv", 6),
    ]
    if rng.random() < 0.6:
        stays.append(("Ceftriaxone, prophylaxis", "J01DD04", "2", "g", "iv", 7))
    if rng.random() < 0.4:
        stays.append(("Fresh frozen plasma", "B05AX03", "400", "mL", "iv", 1))
    for verbatim, atc, dose, unit, route, days in stays:
        begun = script.later(enrolled, -300, 240)
        give(script, begun, verbatim, (atc, dose, unit, route), ended=_not_after(begun + timedelta(days=days), until))
    if in_shock(script.participant, 0):
        ends = _not_after(anchor + timedelta(days=rng.randint(4, 8)), until)
        give(
            script, script.later(enrolled, -200, 0), "Norepinephrine", ("C01CA03", "0.1", "ug/kg/min", "iv"), ended=ends
        )
    if _is_anticoagulated(script):
        begun, ended = anchor + timedelta(days=15), anchor + timedelta(days=90)
        enoxaparin = ("B01AB05", "40", "mg", "sc")
        give(script, begun, "Enoxaparin for portal vein thrombosis", enoxaparin, ended=ended, anticoagulant=True)


def give(
    script: Script,
    begun: datetime,
    verbatim: str,
    form: tuple[str, str, str, str],
    *,
    ended: datetime | None = None,
    anticoagulant: bool = False,
) -> UUID:
    """Records one medication when it has ended, or begun where no end is given; returns its id.

    `form` is ATC code, dose, unit and route.
    """
    atc, dose, unit, route = form
    values = {
        "verbatim": verbatim,
        "atc": atc,
        "dose": dose,
        "unit": unit,
        "route": route,
        "startedAt": minute(begun),
        "therapeuticAnticoagulant": anticoagulant,
    }
    if ended is not None:
        values["endedAt"] = minute(ended)
    known = script.later(ended or begun, 10, 120)
    return object_id(script.enter(known, INVESTIGATOR, "recordMedication", values), "medication")


def undergo_procedures(script: Script, anchor: datetime, until: datetime | None) -> tuple[Dialysis, ...]:
    """Records the participant's procedures and returns those that MELD counts, in the order of their starts."""
    participant = script.participant
    for start in _plasma_exchanges(script, anchor):
        if until is None or start + timedelta(hours=3) < until:
            ended = script.later(start, 120, 170)
            _record(script, "PLASMA_EXCHANGE", start, ended, "Plasma exchange, 2 L of plasma")
    if participant.course is Course.DEATH and until is not None:
        started = anchor + timedelta(days=5, minutes=script.rng.randint(100, 300))
        procedure = _record(script, "CVVHDF", started, None, "Continuous dialysis for anuria")
        stopped = {"id": str(procedure), "field": "endedAt", "newValue": minute(until)["value"], "reason": "It ended"}
        script.enter(script.later(until, 40, 90), INVESTIGATOR, "correctProcedure", stopped)
        return (Dialysis("CVVHDF", started, until),)
    if participant.incident is not Incident.RENAL_FAILURE:
        return ()
    made = []
    for days in (1, 3, 5, 8):
        started = script.later(anchor + timedelta(days=days), 100, 200)
        made.append(Dialysis("HD", started, script.later(started, 220, 250)))
        _record(script, "HD", started, made[-1].ended, "Hemodialysis for uraemia")
    return tuple(made)


def _plasma_exchanges(script: Script, anchor: datetime) -> Iterator[datetime]:
    if script.participant.course in (Course.DEATH, Course.TRANSPLANT):
        for days in (4, 6):
            yield script.later(anchor + timedelta(days=days), 0, 120)


def _record(script: Script, kind: str, started: datetime, ended: datetime | None, description: str) -> UUID:
    values: dict[str, Any] = {"kind": kind, "startedAt": minute(started), "description": description}
    if ended is not None:
        values["endedAt"] = minute(ended)
    command = script.enter(script.later(ended or started, 10, 60), INVESTIGATOR, "recordProcedure", values)
    return object_id(command, "procedure")


def _is_anticoagulated(script: Script) -> bool:
    participant = script.participant
    return participant.course is Course.SLOW_RECOVERY and participant.incident is Incident.NONE


def _not_after(ended: datetime, until: datetime | None) -> datetime:
    return ended if until is None else min(ended, until - timedelta(minutes=5))
