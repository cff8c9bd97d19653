"""A trial from a seed: deterministic, with the standard library's generator."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hepatrail_services.simulation.assessments import assess
from hepatrail_services.simulation.care import give_medication, record_conditions, undergo_procedures
from hepatrail_services.simulation.endings import die, lose_contact, receive_liver, time_away, withdraw
from hepatrail_services.simulation.events_of_care import suffer_usual_events
from hepatrail_services.simulation.participants import (
    Course,
    Incident,
    Participant,
    draw_participants,
    draw_screened,
)
from hepatrail_services.simulation.record_errors import put_right
from hepatrail_services.simulation.screening import consent_again, enrol, fail_screening, think_again
from hepatrail_services.simulation.script import Script
from hepatrail_services.simulation.serious_events import suffer_incident
from hepatrail_services.simulation.treatment import hold_sessions
from hepatrail_services.simulation.trial import Header, TimedCommand, Trial
from hepatrail_services.simulation.visits import Stay, attend_visits, plan_visits

BEGINS = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
"""Monday 08:00 in Beijing; a player shifts the whole trial to where its clock stands."""
SITE_ID = "BFH"
_MORNING = timedelta(hours=1)


def generate_trial(seed: int, participants: int, *, begins: datetime = BEGINS, site_id: str = SITE_ID) -> Trial:
    """The trial of `seed`; the same arguments give the same trial on every machine.

    A participant is enrolled about every twelve days and followed for a year. Twelve live the twelve stories of
    `participants.CAST`: one dies, one withdraws, one receives a liver, others have serious events, lost contact or
    records that had to be put right. Two more people are screened. Some commands must be refused.
    """
    header = Header(seed=seed, participants=participants, site_id=site_id, begins=begins)
    commands = [
        command
        for participant in draw_participants(seed, participants, site_id)
        for command in _live(seed, participant, header)
    ]
    commands += _screened(seed, header)
    return Trial(header, tuple(sorted(commands, key=lambda command: command.at)))


def _live(seed: int, participant: Participant, header: Header) -> list[TimedCommand]:
    script = Script(seed, participant)
    rng = script.rng
    consented = _consented(script, header)
    enrolled = script.later(consented, 120, 400)
    enrol(script, header.site_id, consented, enrolled)
    condition = record_conditions(script, enrolled)
    first = (enrolled + timedelta(days=1)).replace(hour=rng.randint(1, 4), minute=rng.randint(0, 59))
    sessions = hold_sessions(script, first)
    anchor = sessions[0].ended
    stay = Stay(_until(script, anchor))
    planned = plan_visits(script, anchor, first, stay)
    if participant.incident is Incident.LOST_CONTACT:
        stay = time_away(planned)
        planned = tuple(replace(visit, seen=visit.seen and stay.present(visit.at)) for visit in planned)
        lose_contact(script, stay)
    consent_again(script, header.site_id, header.begins, stay)
    give_medication(script, enrolled, anchor, stay.until)
    dialyses = undergo_procedures(script, anchor, stay.until)
    attend_visits(script, planned, sessions, dialyses, stay)
    suffer_usual_events(script, sessions, stay.until)
    suffer_incident(script, sessions)
    if participant.incident is Incident.RECORD_ERRORS:
        put_right(script, enrolled, sessions)
    if participant.course is Course.DEATH and stay.until is not None:
        die(script, stay.until, condition)
    elif participant.course is Course.WITHDRAWAL and stay.until is not None:
        withdraw(script, sessions, stay.until)
    elif participant.transplant_on_day is not None:
        receive_liver(script, anchor + timedelta(minutes=round(participant.transplant_on_day * 1440)))
    assess(script, planned, sessions, stay, by_phone=participant.course is Course.WITHDRAWAL)
    return script.commands


def _until(script: Script, anchor: datetime) -> datetime | None:
    """When the participant dies or leaves follow-up."""
    participant, rng = script.participant, script.rng
    if participant.dies_on_day is not None:
        return (anchor + timedelta(days=participant.dies_on_day)).replace(second=0, microsecond=0)
    if participant.course is Course.WITHDRAWAL:
        return anchor + timedelta(days=rng.randint(30, 40), minutes=rng.randint(0, 300))
    return None


def _consented(script: Script, header: Header) -> datetime:
    day = timedelta(days=script.participant.enrolled_on_day, minutes=script.rng.randint(0, 180))
    return header.begins + day + _MORNING


def _screened(seed: int, header: Header) -> list[TimedCommand]:
    """Two people who consent and take no part."""
    failing, leaving = (Script(seed, person) for person in draw_screened(seed, 2, header.site_id))
    fail_screening(failing, header.site_id, _consented(failing, header))
    think_again(leaving, header.site_id, _consented(leaving, header))
    return failing.commands + leaving.commands
