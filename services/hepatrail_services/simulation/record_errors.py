"""A participant whose records had to be put right: corrections, voids, an implausible value, a query and its answer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hepatrail_events.ids import object_id
from hepatrail_services.simulation.care import give
from hepatrail_services.simulation.queries import answer, close
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, LABORATORY, Script, day, minute, text
from hepatrail_services.simulation.treatment import Session
from hepatrail_services.simulation.visits import CENTRAL_LABORATORY

_ROWS: tuple[dict[str, Any], ...] = (
    {"code": "aptt", "value": "415", "unit": "s", "low": "25", "high": "37"},
    {"code": "bun", "value": "31", "unit": "mg/dL"},
    {"code": "glucose", "value": "58.2", "unit": "mmol/L", "low": "3.9", "high": "6.1"},
    {"code": "afp", "value": "12.4", "unit": "ng/mL"},
    {"code": "bilirubin_indirect", "value": "88", "unit": "umol/L"},
)
_APTT, _BUN, _GLUCOSE, _AFP, _UNKNOWN = range(len(_ROWS))


def put_right(script: Script, enrolled: datetime, sessions: Sequence[Session]) -> None:
    """An extra sample and an extra round at the bedside full of slips, and records that were entered twice."""
    evening = sessions[0].ended + timedelta(days=3, hours=6)
    _laboratory(script, evening)
    _bedside(script, evening + timedelta(minutes=30))
    _care(script, enrolled, evening)


def _laboratory(script: Script, at: datetime) -> None:
    sample = {
        "collectedAt": text(at),
        "visitCode": "UNS",
        "laboratory": CENTRAL_LABORATORY,
        "specimen": "venous blood",
        "sourceMessageId": f"LIS-{script.participant.number:03d}-1",
        "results": list(_ROWS),
    }
    entered = script.later(at, 60, 120)
    command = script.enter(entered, LABORATORY, "recordLabResults", sample)
    script.enter(script.later(entered, 5, 9), LABORATORY, "recordLabResults", sample)
    rows = [object_id(command, "result", number) for number in range(len(_ROWS))]
    _correct(script, script.later(entered, 300, 900), "LabResult", rows[_BUN], ("unit", "mg/dL{urea_N}"))
    _correct(script, script.later(entered, 300, 900), "LabResult", rows[_GLUCOSE], ("value", "5.82"))
    _void(script, script.later(entered, 300, 900), "LabResult", rows[_AFP], "WRONG_PARTICIPANT")
    confirmed = script.later(entered, 20, 60)
    heparin = {"resultId": str(rows[_APTT]), "reason": "Heparin of the circuit, the second sample agreed"}
    script.enter(confirmed, INVESTIGATOR, "confirmImplausible", heparin)
    script.enter(script.later(confirmed, 2, 5), INVESTIGATOR, "confirmImplausible", heparin, expect="LAB-03")
    review = {"resultId": str(rows[_APTT]), "clinicallySignificant": False, "finalGrade": 0}
    script.enter(script.later(confirmed, 10, 20), INVESTIGATOR, "reviewLabFinding", review)
    said = "Not ordered for the trial, sent along"
    asked = answer(script, script.later(entered, 1000, 2000), "LAB-02", rows[_UNKNOWN], said, LABORATORY)
    close(script, script.later(entered, 3000, 6000), asked, "Not part of the trial")


def _bedside(script: Script, at: datetime) -> None:
    rows = [
        {"code": "heart_rate", "value": "720", "unit": "/min"},
        {"code": "temperature", "value": "36.9", "unit": "Cel"},
    ]
    values = {"assessedAt": text(at), "visitCode": "UNS", "rows": rows}
    entered = script.later(at, 5, 30)
    command = script.enter(entered, COORDINATOR, "recordObservations", values)
    rate, warmth = (object_id(command, "result", number) for number in range(len(rows)))
    later = script.later(entered, 100, 300)
    put_right = {"id": str(rate), "field": "value", "newValue": "72", "reason": "A digit too many"}
    script.enter(later, COORDINATOR, "correctObservation", put_right)
    _void(script, script.later(later, 10, 60), "Observation", warmth, "ENTERED_IN_ERROR")


def _care(script: Script, enrolled: datetime, at: datetime) -> None:
    form = ("A02BC02", "40", "mg", "oral")
    medication = give(script, at, "Pantoprazole", form)
    copy = give(script, at, "Pantoprazole, evening list", form)
    known = script.later(at, 130, 200)
    _correct(script, known, "Medication", medication, ("dose", "20"))
    _void(script, script.later(known, 5, 20), "Medication", copy, "DUPLICATE")
    backwards = {
        "verbatim": "Furosemide",
        "startedAt": minute(at),
        "endedAt": minute(at - timedelta(days=2)),
        "therapeuticAnticoagulant": False,
    }
    script.enter(script.later(known, 30, 60), INVESTIGATOR, "recordMedication", backwards, expect="CON-01")
    tap = {"kind": "OTHER", "startedAt": minute(at), "endedAt": minute(at), "description": "Ascites tapped"}
    twice = object_id(script.enter(script.later(at, 20, 60), INVESTIGATOR, "recordProcedure", tap), "procedure")
    _void(script, script.later(at, 90, 200), "Procedure", twice, "DUPLICATE")
    condition = {"code": "OTHER", "ctcaeTerm": "Fatigue", "verbatim": "Fatigue", "onset": day(enrolled), "grade": 3}
    made = [_condition(script, script.later(enrolled, 60 + number, 60 + number), condition) for number in range(2)]
    _correct(script, script.later(enrolled, 70, 90), "BaselineCondition", made[0], ("grade", "2"))
    _void(script, script.later(enrolled, 70, 90), "BaselineCondition", made[1], "DUPLICATE")


def _condition(script: Script, at: datetime, values: dict[str, Any]) -> UUID:
    return object_id(script.enter(at, INVESTIGATOR, "recordBaselineCondition", values), "baselineCondition")


def _correct(script: Script, at: datetime, noun: str, record: UUID, change: tuple[str, str]) -> None:
    name, value = change
    values = {"id": str(record), "field": name, "newValue": value, "reason": "Read again from the source"}
    script.enter(at, INVESTIGATOR, f"correct{noun}", values)


def _void(script: Script, at: datetime, noun: str, record: UUID, code: str) -> None:
    values = {"id": str(record), "reasonCode": code, "reasonText": "Found when the records were checked"}
    script.enter(at, INVESTIGATOR, f"void{noun}", values)
