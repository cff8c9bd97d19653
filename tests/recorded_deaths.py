"""Participants whose death is on record, and what a correction of it may say."""

from typing import Any

from builders.adverse_events import FATAL, ae_reported
from builders.ids import AE
from builders.participant import consent, died
from builders.times import minute
from hepatrail_events.assessments import ParticipantDied
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState

OTHER = "00000000-0000-4000-8000-00000000bbbb"
DEATH_AT = minute(days=2)
CAUSE = {"primaryCauseAeId": str(AE)}
FATAL_AE = ae_reported(**FATAL | {"criteria": ["DEATH", "HOSPITALISATION"]}, endAt=DEATH_AT)
DEAD = (consent(), FATAL_AE, died(**CAUSE))
DEAD_OF_TWO = (*DEAD, ae_reported(aeId=OTHER, **FATAL, endAt=DEATH_AT))
DEAD_OF_NOTHING_KNOWN = (consent(), ae_reported(), died())
ALIVE: dict[str, Any] = {"revived": True, "autopsyDone": None}
GOES_ON = {"aeId": str(AE), "outcome": "RECOVERING", "criteria": ["HOSPITALISATION"]}
IS_FATAL = {"aeId": str(AE), "grade": 5, "outcome": "FATAL", "criteria": ["DEATH"]}


def subject(state: object) -> SubjectState:
    """The state of the participant."""
    assert isinstance(state, SubjectState)
    return state


def events_of(state: object) -> dict[str, AdverseEvent]:
    """The adverse events by their id."""
    return {str(ae_id): event for ae_id, event in subject(state).adverse_events.events.items()}


def death_of(state: object) -> ParticipantDied:
    """The death on record."""
    death = subject(state).assessments.death
    assert death is not None
    return death
