"""A trial from a seed: deterministic, with the standard library's generator."""

from datetime import UTC, datetime, timedelta

from hepatrail_services.simulation.events_of_care import die, suffer_events, withdraw
from hepatrail_services.simulation.participants import Course, Participant, draw_participants
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, Script, text
from hepatrail_services.simulation.treatment import hold_sessions
from hepatrail_services.simulation.trial import Header, TimedCommand, Trial
from hepatrail_services.simulation.visits import attend_visits

BEGINS = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
"""Monday 08:00 in Beijing; a player shifts the whole trial to where its clock stands."""
SITE_ID = "BFH"
_MORNING = timedelta(hours=1)


def generate_trial(seed: int, participants: int, *, begins: datetime = BEGINS, site_id: str = SITE_ID) -> Trial:
    """The trial of `seed`; the same arguments give the same trial on every machine.

    A participant is enrolled about every twelve days and followed for a year. In twelve, one dies, one withdraws,
    three have serious events that are survived, one of them upgraded later; a few commands must be refused.
    """
    header = Header(seed=seed, participants=participants, site_id=site_id, begins=begins)
    commands = [
        command
        for participant in draw_participants(seed, participants, site_id)
        for command in _live(seed, participant, header)
    ]
    return Trial(header, tuple(sorted(commands, key=lambda command: command.at)))


def _live(seed: int, participant: Participant, header: Header) -> list[TimedCommand]:
    script = Script(seed, participant)
    rng = script.rng
    consented = header.begins + timedelta(days=participant.enrolled_on_day, minutes=rng.randint(0, 180)) + _MORNING
    enrolled = script.later(consented, 120, 400)
    _enrol(script, header.site_id, consented, enrolled)
    first = (enrolled + timedelta(days=1)).replace(hour=rng.randint(1, 4), minute=rng.randint(0, 59))
    sessions = hold_sessions(script, first)
    anchor = sessions[0].ended
    until = None
    if participant.dies_on_day is not None:
        until = (anchor + timedelta(days=participant.dies_on_day)).replace(second=0, microsecond=0)
    elif participant.course is Course.WITHDRAWAL:
        until = anchor + timedelta(days=rng.randint(30, 40), minutes=rng.randint(0, 300))
    attend_visits(script, anchor, first, until)
    suffer_events(script, sessions, until)
    if participant.dies_on_day is not None and until is not None:
        die(script, until)
    elif until is not None:
        withdraw(script, until)
    return script.commands


def _enrol(script: Script, site_id: str, consented: datetime, enrolled: datetime) -> None:
    participant = script.participant
    consent = {
        "siteId": site_id,
        "version": "2.1",
        "givenAt": text(consented),
        "healthDataConsent": True,
    }
    script.enter(script.later(consented, 3, 30), COORDINATOR, "recordConsent", consent)
    enrolment = {
        "indication": participant.indication.value,
        "sex": participant.sex.value,
        "ageYears": participant.age_years,
        "chronicHealth": participant.chronic_health,
        "admissionType": participant.admission_type.value,
        "heightCm": str(participant.height_cm),
    }
    script.enter(enrolled, INVESTIGATOR, "enrolSubject", enrolment)
    if participant.number % 6 == 4:
        script.enter(script.later(enrolled, 2, 9), COORDINATOR, "enrolSubject", enrolment, expect="ENR-02")
