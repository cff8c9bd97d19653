"""The tables of the mapping file for vital signs (VS), subject visits (SV) and disposition (DS)."""

from collections.abc import Mapping
from enum import StrEnum

from hepatrail_events.assessments import SurvivalSource, TransplantStatus, WithdrawalScope
from hepatrail_services.importers.mapping_base import CivilTime, MappedTest, Table


class VsMapping(Table):
    """Vital signs: all rows of one subject, time and visit are observed at one moment.

    `method` names columns that say how a value was taken; their texts go in together as the row's method.
    """

    subject: str
    sequence: str
    assessed_at: str
    visit: str
    test: str
    value: str
    unit: str
    status: str
    method: tuple[str, ...] = ()
    units: Mapping[str, str]
    tests: Mapping[str, MappedTest]


class SvStandIn(Table):
    """What a survival status needs and SV lacks."""

    time: CivilTime
    transplant: TransplantStatus
    source: SurvivalSource


class SvMapping(Table):
    """Subject visits: who attends a visit is alive. `occurred` names the column that is N for a visit not made."""

    subject: str
    visit: str
    start: str
    occurred: str
    stand_in: SvStandIn


class Disposition(StrEnum):
    """What a row of DS tells; the first five are commands of the trial."""

    DEATH = "DEATH"
    LOST_TO_FOLLOW_UP = "LOST_TO_FOLLOW_UP"
    WITHDREW = "WITHDREW"
    """By the participant's own decision."""
    TRANSPLANTED = "TRANSPLANTED"
    """The participant received a liver."""
    ALIVE = "ALIVE"
    """Known to live on that day, at no visit: a survival status."""
    SCREEN_FAILED = "SCREEN_FAILED"
    """Told by DM."""
    CONSENTED = "CONSENTED"
    """Told by DM."""
    ATTENDED_VISIT = "ATTENDED_VISIT"
    """Told by SV."""
    COMPLETED = "COMPLETED"
    """No command: the trial derives from the visits what was completed."""
    DISCONTINUED = "DISCONTINUED"
    """By another's decision, or for another reason: no command, a withdrawal is the participant's."""


class DsStandIn(Table):
    """What withdrawal, loss to follow-up and being alive need and DS lacks.

    `scope` where the row does not speak of treatment; `alive_source` and `alive_transplant` of a survival status.
    """

    time: CivilTime
    death_aware_time: CivilTime
    scope: WithdrawalScope
    vital_status_allowed: bool
    alive_source: SurvivalSource = SurvivalSource.RECORD
    alive_transplant: TransplantStatus = TransplantStatus.NONE


class DsMapping(Table):
    """Disposition: one fact a row. `part` names the column that holds `treatment` where only treatment is meant."""

    subject: str
    sequence: str
    term: str
    decode: str
    start: str
    visit: str
    part: str
    treatment: str
    dispositions: Mapping[str, Disposition]
    stand_in: DsStandIn
