"""Consent and enrolment, the consent to a new version of the form, and people who are not enrolled."""

from datetime import datetime, timedelta
from typing import Any

from hepatrail_events.types import SiteId
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, Script, text
from hepatrail_services.simulation.visits import Stay

NEW_FORM_ON_DAY = 75
"""From this day of the trial on consent is given on the new version of the form."""
_OLD, _NEW = "2.1", "3.0"
_LATE_DAYS = 10


def enrol(script: Script, site_id: SiteId, consented: datetime, enrolled: datetime) -> None:
    """Consent, then enrolment; some are entered twice, which is refused."""
    participant = script.participant
    consent = _consent(site_id, _OLD if participant.enrolled_on_day < NEW_FORM_ON_DAY else _NEW, consented)
    script.enter(script.later(consented, 3, 30), COORDINATOR, "recordConsent", consent)
    script.enter(enrolled, INVESTIGATOR, "enrolSubject", _enrolment(script))
    if participant.number % 6 == 4:
        script.enter(script.later(enrolled, 2, 9), COORDINATOR, "enrolSubject", _enrolment(script), expect="ENR-02")


def consent_again(script: Script, site_id: SiteId, begins: datetime, stay: Stay) -> None:
    """Who is in the trial when the form changes signs the new version."""
    changed = begins + timedelta(days=NEW_FORM_ON_DAY)
    signed = changed + timedelta(days=script.rng.randint(1, _LATE_DAYS), minutes=script.rng.randint(0, 300))
    if script.participant.enrolled_on_day < NEW_FORM_ON_DAY and stay.present(signed):
        script.enter(script.later(signed, 5, 60), COORDINATOR, "recordConsent", _consent(site_id, _NEW, signed))


def fail_screening(script: Script, site_id: SiteId, consented: datetime) -> None:
    """Consented, but a criterion is not met: not enrolled, before or after."""
    early = consented - timedelta(minutes=30)
    script.enter(early, COORDINATOR, "enrolSubject", _enrolment(script), expect="ENR-01")
    script.enter(script.later(consented, 3, 30), COORDINATOR, "recordConsent", _consent(site_id, _OLD, consented))
    failed = script.later(consented, 600, 2000)
    reason = {"reason": "Sepsis not under control, exclusion criterion"}
    script.enter(failed, INVESTIGATOR, "recordScreenFailure", reason)
    script.enter(script.later(failed, 60, 300), COORDINATOR, "enrolSubject", _enrolment(script), expect="ENR-02")


def think_again(script: Script, site_id: SiteId, consented: datetime) -> None:
    """Consented, and withdrew the consent before enrolment."""
    script.enter(script.later(consented, 3, 30), COORDINATOR, "recordConsent", _consent(site_id, _OLD, consented))
    withdrawn = script.later(consented, 300, 2000)
    values = {"withdrawnAt": text(withdrawn)}
    script.enter(script.later(withdrawn, 10, 60), COORDINATOR, "withdrawConsent", values)


def _consent(site_id: SiteId, version: str, given: datetime) -> dict[str, Any]:
    return {"siteId": site_id, "version": version, "givenAt": text(given), "healthDataConsent": True}


def _enrolment(script: Script) -> dict[str, Any]:
    participant = script.participant
    return {
        "indication": participant.indication.value,
        "sex": participant.sex.value,
        "ageYears": participant.age_years,
        "chronicHealth": participant.chronic_health,
        "admissionType": participant.admission_type.value,
        "heightCm": str(participant.height_cm),
    }
