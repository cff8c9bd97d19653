"""How a participation ends or breaks off: death, withdrawal, a transplant, contact that is lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from hepatrail_services.simulation.adverse_events import BY_DISEASE, described, follow_up, report, resolve, stated
from hepatrail_services.simulation.care import give
from hepatrail_services.simulation.reporting import Case, process_case, submit
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, SPONSOR, Script, minute, text
from hepatrail_services.simulation.treatment import Session, start_session
from hepatrail_services.simulation.trial import event_of
from hepatrail_services.simulation.visits import Planned, Stay

_ONE_DAY = timedelta(days=1)


def die(script: Script, died: datetime, condition: UUID) -> None:
    """Liver failure worsens to death; the chart corrects the time of it, a session after it is refused."""
    onset = died - timedelta(hours=script.rng.randint(50, 60))
    aware = script.later(onset, 20, 60)
    first = described("HEPATIC_FAILURE_WORSENING", "Liver failure worsens, coma deepens", onset, aware, 4)
    first |= {
        "criteria": ["LIFE_THREATENING", "HOSPITALISATION"],
        "actionTaken": "NOT_APPLICABLE",
        "baselineConditionId": str(condition),
        "causality": stated(BY_DISEASE),
    }
    ae_id = report(script, script.later(aware, 10, 40), first)
    story = "Liver failure progressed after the last session; the participant died in intensive care."
    process_case(script, Case(ae_id, aware, story, BY_DISEASE, "99000601", ("NMPA",)))
    known = script.later(died, 5, 30)
    death = {
        "deathAt": minute(died),
        "awareAt": text(known),
        "primaryCauseAeId": str(ae_id),
        "autopsyDone": False,
        "fatalAes": [{"aeId": str(ae_id)}],
    }
    told = script.later(known, 3, 20)
    script.enter(told, INVESTIGATOR, "recordDeath", death)
    again = {"deathAt": minute(died), "awareAt": text(known)}
    script.enter(script.later(told, 30, 60), COORDINATOR, "recordDeath", again, expect="VIS-02")
    start_session(script, died + timedelta(hours=20), 9, release="QP-LATE", expect="SES-02")
    status = {"at": text(known), "alive": "N", "transplant": "NONE", "source": "RECORD"}
    script.enter(script.later(told, 100, 300), COORDINATOR, "recordSurvivalStatus", status)
    submit(script, script.later(told, 400, 1200), ae_id, "EC", "FOLLOW_UP")
    mistaken = {"revived": True, "reason": "Wrong participant chosen"}
    asked = died + timedelta(days=2)
    script.enter(asked, INVESTIGATOR, "correctDeathRecord", mistaken, expect="VIS-01")
    chart = {
        "revived": False,
        "deathAt": minute(died + timedelta(minutes=12)),
        "autopsyDone": True,
        "reason": "Time and autopsy as the chart says",
    }
    script.enter(script.later(asked, 60, 400), INVESTIGATOR, "correctDeathRecord", chart)
    follow_up(script, died + timedelta(days=9), ae_id, "Autopsy: massive necrosis of the liver")
    followed = script.later(died, 9 * 1440 + 600, 10 * 1440)
    submit(script, followed, ae_id, "NMPA", "FOLLOW_UP", SPONSOR, reference="CN-SUSAR-FU")


def withdraw(script: Script, sessions: Sequence[Session], at: datetime) -> None:
    """First from treatment, then from follow-up with the consent; the vital status may still be asked for."""
    enough = sessions[-1].ended + timedelta(days=3)
    treatment = {
        "withdrawnAt": text(enough),
        "scope": "TREATMENT_ONLY",
        "vitalStatusAllowed": False,
        "reason": "Does not want another session",
    }
    script.enter(script.later(enough, 10, 60), COORDINATOR, "withdrawSubject", treatment)
    start_session(script, enough + _ONE_DAY, 9, release="QP-LATE", expect="SES-02")
    consent = {
        "withdrawnAt": text(at),
        "scope": "FOLLOW_UP",
        "vitalStatusAllowed": True,
        "reason": "Lives too far away",
    }
    left = script.later(at, 10, 60)
    script.enter(left, COORDINATOR, "withdrawConsent", consent)
    narrower = treatment | {"withdrawnAt": text(at)}
    script.enter(script.later(left, 200, 400), COORDINATOR, "withdrawSubject", narrower, expect="VIS-04")


def receive_liver(script: Script, at: datetime) -> None:
    """A liver is transplanted; three weeks later the graft is rejected for some days."""
    entered = script.later(at, 500, 1200)
    values = {"transplantAt": minute(at), "donor": "DECEASED"}
    recorded = script.enter(entered, INVESTIGATOR, "recordTransplant", values)
    donor = {"id": event_of(recorded), "field": "donor", "newValue": "LIVING", "reason": "The donor was a relative"}
    script.enter(script.later(entered, 300, 900), COORDINATOR, "correctAssessment", donor)
    give(script, script.later(at, 100, 300), "Tacrolimus after the transplant", ("L04AD02", "3", "mg", "oral"))
    onset = at + timedelta(days=script.rng.randint(20, 24))
    aware = script.later(onset, 60, 300)
    rejection = described("IMMUNE_REJECTION_GRAFT", "Rejection of the graft, proven by biopsy", onset, aware, 2)
    causes = stated({"CELL_PRODUCT": "UNLIKELY", "DEVICE": "UNRELATED"})
    rejection |= {"causality": causes, "actionTaken": "NOT_APPLICABLE"}
    ae_id = report(script, script.later(aware, 30, 200), rejection)
    resolve(script, ae_id, onset + timedelta(days=9))


def time_away(planned: Sequence[Planned]) -> Stay:
    """Nobody reaches the participant between Week 6 and four months, so that Week 12 is missed."""
    seen = {visit.point.code: visit.at for visit in planned}
    return Stay(away_from=seen["W6"] + _ONE_DAY, away_to=seen["W12"] + timedelta(days=35))


def lose_contact(script: Script, stay: Stay) -> None:
    """The site loses contact and regains it; entries out of turn are refused."""
    assert stay.away_from is not None, "contact is lost"
    assert stay.away_to is not None, "and regained"
    last, regained = stay.away_from - _ONE_DAY, stay.away_to
    early = {"at": text(last)}
    script.enter(script.later(last, 60, 200), COORDINATOR, "recordContactRegained", early, expect="VIS-05")
    noticed = last + timedelta(days=40)
    script.enter(noticed, COORDINATOR, "recordLossToFollowUp", {"lastContactAt": text(last)})
    feared = {"at": text(noticed), "alive": "N", "transplant": "NONE", "source": "FAMILY"}
    script.enter(script.later(noticed, 30, 60), COORDINATOR, "recordSurvivalStatus", feared, expect="VIS-01")
    unsure = feared | {"alive": "UNKNOWN"}
    script.enter(script.later(noticed, 90, 120), COORDINATOR, "recordSurvivalStatus", unsure)
    script.enter(script.later(regained, 10, 60), COORDINATOR, "recordContactRegained", {"at": text(regained)})
