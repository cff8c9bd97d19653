"""The incidents that make a participant's story: serious adverse events, a duplicate, a fault of the device."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hepatrail_events.ids import object_id
from hepatrail_services.simulation.adverse_events import (
    BY_ACCESS,
    described,
    follow_up,
    grade,
    report,
    resolve,
    stated,
)
from hepatrail_services.simulation.care import give
from hepatrail_services.simulation.participants import Incident
from hepatrail_services.simulation.reporting import Case, process_case, submit
from hepatrail_services.simulation.script import INVESTIGATOR, OFFICER, PRINCIPAL, SPONSOR, Script, minute, text
from hepatrail_services.simulation.treatment import Session
from hepatrail_services.simulation.trial import event_of


def suffer_incident(script: Script, sessions: Sequence[Session]) -> None:
    """The participant's incident; those of other kinds than an adverse event are told elsewhere."""
    first = sessions[0]
    match script.participant.incident:
        case Incident.CATHETER_INFECTION:
            _infection(script, script.later(first.ended, 3000, 5000))
        case Incident.ALLERGIC_REACTION:
            _allergy(script, script.later(first.started, 25, 60))
        case Incident.BLEEDING_UPGRADED:
            _bleeding(script, script.later(first.ended, 200, 600))
        case Incident.DUPLICATE_REPORT:
            _duplicate(script, script.later(first.ended, 2000, 4000))
        case Incident.DEVICE_FAULT:
            _device(script, sessions[1])
        case _:
            return


def _infection(script: Script, onset: datetime) -> None:
    aware = script.later(onset, 30, 120)
    first = described("INFECTION_CATHETER", "Catheter related infection, stay prolonged", onset, aware, 3)
    first |= {"criteria": ["HOSPITALISATION"], "causality": stated(BY_ACCESS)}
    ae_id = report(script, script.later(aware, 20, 90), first)
    give(script, aware, "Vancomycin", ("J01XA01", "1", "g", "iv"), ended=aware + timedelta(days=9))
    story = "Fever and chills three days after the session; the catheter was removed, antibiotics were given."
    process_case(script, Case(ae_id, aware, story, {"CELL_PRODUCT": "UNLIKELY", "DEVICE": "UNLIKELY"}, "99000201"))
    shock = script.later(aware, 1500, 2500)
    grade(script, script.later(shock, 20, 60), ae_id, 4, shock)
    change: dict[str, Any] = {"aeId": str(ae_id), "added": ["LIFE_THREATENING"], "awareAt": text(shock)}
    script.enter(script.later(shock, 61, 120), INVESTIGATOR, "changeSeriousnessCriteria", change)
    copy = submit(script, script.later(shock, 300, 500), ae_id, "EC", "FOLLOW_UP")
    wrong = {"id": str(copy), "field": "reference", "newValue": "EC-SAE-014", "reason": "Reference came in later"}
    script.enter(script.later(shock, 1500, 2500), OFFICER, "correctSubmission", wrong)
    twice = submit(script, script.later(shock, 600, 800), ae_id, "EC", "FOLLOW_UP")
    void = {"id": str(twice), "reasonCode": "DUPLICATE", "reasonText": "Recorded twice"}
    script.enter(script.later(shock, 2600, 2900), OFFICER, "voidSubmission", void)
    early = {"aeId": str(ae_id), "to": "NMPA", "kind": "FOLLOW_UP", "submittedAt": text(shock)}
    script.enter(script.later(shock, 700, 900), SPONSOR, "recordSubmission", early, expect="SUB-02")
    found = script.later(shock, 2000, 3000)
    follow_up(script, found, ae_id, "Staphylococcus in the culture", outcome="RECOVERING")
    words = {
        "aeId": str(ae_id),
        "field": "verbatim",
        "newText": "Sepsis from the catheter",
        "reason": "Culture came in",
    }
    script.enter(script.later(found, 20, 90), INVESTIGATOR, "correctAdverseEvent", words)
    resolve(script, ae_id, onset + timedelta(days=11), "RECOVERED_WITH_SEQUELAE")


def _allergy(script: Script, onset: datetime) -> None:
    aware = script.later(onset, 2, 10)
    first = described("ALLERGIC_REACTION", "Allergic reaction early in the session, treated", onset, aware, 3)
    first |= {
        "criteria": ["MEDICALLY_IMPORTANT"],
        "actionTaken": "SESSION_INTERRUPTED_RESUMED",
        "causality": stated({"CELL_PRODUCT": "PROBABLE", "DEVICE": "POSSIBLE"}),
    }
    ae_id = report(script, script.later(aware, 10, 60), first)
    give(script, aware, "Methylprednisolone", ("H02AB04", "80", "mg", "iv"), ended=aware + timedelta(hours=1))
    story = "Urticaria and wheezing half an hour after the start; the session was interrupted and resumed."
    causes = {"CELL_PRODUCT": "PROBABLE", "DEVICE": "POSSIBLE"}
    case = Case(ae_id, aware, story, causes, "99000301", ("NMPA", "DEVICE_AUTHORITIES"), within_days=13)
    process_case(script, case)
    resolve(script, ae_id, onset + timedelta(days=1, minutes=30))
    palpitations = described("PALPITATIONS", "Palpitations with the reaction", onset, aware, 3)
    report(script, script.later(aware, 70, 100), palpitations, expect="INV-03")


def _bleeding(script: Script, onset: datetime) -> None:
    """Not serious at first; worse in the night, found serious, graded too high by mistake, and open again once."""
    aware = script.later(onset, 5, 30)
    first = described("LOCAL_BLEEDING", "Bleeding at the access, compression", onset, aware, 2)
    ae_id = report(script, script.later(aware, 5, 20), first | {"causality": stated(BY_ACCESS)})
    worse = script.later(onset, 300, 500)
    mistyped = grade(script, script.later(worse, 10, 20), ae_id, 4, worse)
    right = {"aeId": str(ae_id), "gradeEventId": event_of(mistyped), "grade": 3, "reason": "Mistyped, it was grade 3"}
    script.enter(script.later(worse, 22, 28), INVESTIGATOR, "correctAdverseEventGrade", right)
    known = script.later(worse, 30, 60)
    upgrade = {
        "aeId": str(ae_id),
        "criteria": ["HOSPITALISATION"],
        "seriousSince": minute(worse),
        "awareAt": text(known),
    }
    script.enter(script.later(known, 5, 20), INVESTIGATOR, "upgradeAdverseEvent", upgrade)
    story = "Bleeding at the access after the session; surgical haemostasis, stay prolonged by two days."
    process_case(script, Case(ae_id, known, story, {"CELL_PRODUCT": "UNLIKELY", "DEVICE": "POSSIBLE"}, "99000401"))
    end = worse + timedelta(days=2)
    resolve(script, ae_id, end)
    again = {"aeId": str(ae_id), "reason": "Oozing again within a day, no new event"}
    script.enter(script.later(end, 700, 1100), INVESTIGATOR, "reopenAdverseEvent", again)
    over = end + timedelta(days=3)
    resolve(script, ae_id, over)
    down = {
        "aeId": str(ae_id),
        "reasonCode": "HOSPITALISATION_WAS_PLANNED",
        "reasonText": "The longer stay had been planned before the bleeding",
    }
    script.enter(script.later(over, 1500, 3000), INVESTIGATOR, "downgradeAdverseEvent", down)


def _duplicate(script: Script, onset: datetime) -> None:
    """One stay in hospital reported by two shifts, and a planned procedure reported as an event."""
    aware = script.later(onset, 30, 90)
    named = ("BLEEDING_SYSTEMIC", "Upper gastrointestinal bleeding, endoscopy")
    first = described(*named, onset, aware, 3) | {"ctcaeTerm": "Upper gastrointestinal hemorrhage"}
    first |= {"criteria": ["HOSPITALISATION"], "causality": stated({"CELL_PRODUCT": "UNRELATED", "DEVICE": "UNLIKELY"})}
    ae_id = report(script, script.later(aware, 20, 60), first)
    story = "Vomited blood; varices were ligated at endoscopy. No relation to the treatment was found."
    process_case(script, Case(ae_id, aware, story, {"CELL_PRODUCT": "UNRELATED", "DEVICE": "UNRELATED"}, "99000501"))
    copy = report(script, script.later(aware, 300, 500), first | {"verbatim": "Gastrointestinal bleeding, night shift"})
    submit(script, script.later(aware, 600, 700), copy, "EC", "INITIAL")
    asked = script.later(aware, 1500, 2000)
    request = {
        "aeId": str(copy),
        "reasonCode": "DUPLICATE",
        "reasonText": "The night shift reported the same bleeding again",
        "duplicateOf": str(ae_id),
    }
    script.enter(asked, INVESTIGATOR, "requestAeVoid", request)
    script.enter(script.later(asked, 5, 9), INVESTIGATOR, "coSignAeVoid", {"aeId": str(copy)}, expect="INV-21")
    signed = script.later(asked, 200, 900)
    script.enter(signed, PRINCIPAL, "coSignAeVoid", {"aeId": str(copy)})
    submit(script, script.later(signed, 1500, 2500), copy, "EC", "NULLIFICATION")
    late = {"aeId": str(copy), "infoReceivedAt": text(signed), "text": "Transfusion of two units"}
    script.enter(script.later(signed, 20, 60), INVESTIGATOR, "followUpAdverseEvent", late, expect="INV-11")
    planned = described("OTHER", "Removal of the central line", onset, aware, 1) | {"ctcaeTerm": "Planned procedure"}
    mistaken = report(script, script.later(aware, 100, 200), planned)
    void = {"aeId": str(mistaken), "reasonCode": "NOT_AN_AE", "reasonText": "A procedure planned before consent"}
    script.enter(script.later(aware, 900, 1200), INVESTIGATOR, "voidAdverseEvent", void)
    resolve(script, ae_id, onset + timedelta(days=5))


def _device(script: Script, session: Session) -> None:
    """The pump stopped: a deficiency of the device with the fall of pressure that it led to."""
    aware = script.later(session.ended, 5, 20)
    onset = session.ended - timedelta(minutes=8)
    first = described("OTHER", "Fall of blood pressure when the pump stopped", onset, aware, 2)
    first |= {"ctcaeTerm": "Hypotension", "actionTaken": "SESSION_STOPPED_EARLY"}
    first |= {"causality": stated({"CELL_PRODUCT": "UNLIKELY", "DEVICE": "PROBABLE"})}
    ae_id = report(script, script.later(aware, 20, 60), first)
    resolve(script, ae_id, session.ended + timedelta(hours=5))
    fault = {
        "description": "Pump of the circuit stopped, alarm came late",
        "sessionId": str(session.session_id),
        "lot": "BAL-01",
        "couldHaveLedToSADE": True,
        "linkedAeId": str(ae_id),
    }
    made = _deficiency(script, script.later(aware, 70, 120), fault)
    lot = {"id": str(made), "field": "lot", "newValue": "BAL-01-B", "reason": "Lot read from the label"}
    script.enter(script.later(aware, 500, 900), INVESTIGATOR, "correctDeviceDeficiency", lot)
    copy = _deficiency(script, script.later(aware, 130, 200), fault | {"couldHaveLedToSADE": False})
    void = {"id": str(copy), "reasonCode": "DUPLICATE", "reasonText": "Reported by two of the team"}
    script.enter(script.later(aware, 950, 1400), INVESTIGATOR, "voidDeviceDeficiency", void)
    # The sponsor alone finds the event serious, and takes it back when the investigation of the device is done.
    serious = script.later(aware, 3000, 4000)
    upgrade = {
        "aeId": str(ae_id),
        "criteria": ["MEDICALLY_IMPORTANT"],
        "seriousSince": minute(onset),
        "awareAt": text(serious),
    }
    script.enter(script.later(serious, 5, 30), SPONSOR, "upgradeAdverseEvent", upgrade)
    down = {
        "aeId": str(ae_id),
        "reasonCode": "NEW_CLINICAL_INFORMATION",
        "reasonText": "The investigation shows that no intervention was needed",
    }
    script.enter(script.later(serious, 20000, 30000), SPONSOR, "downgradeAdverseEvent", down)


def _deficiency(script: Script, at: datetime, values: dict[str, Any]) -> UUID:
    return object_id(script.enter(at, INVESTIGATOR, "reportDeviceDeficiency", values), "deficiency")
