"""Survival status (`events.md` 3.5, VIS-01), with the death and the transplant that it tells of in the same commit.

Decided here, because the reference leaves room: `death` comes with alive N and `transplantation` with transplant
DONE only, because a status that says otherwise contradicts its own commit.
"""

from typing import ClassVar

from pydantic import Field

from hepatrail_events.assessments import SurvivalSource, SurvivalStatusRecorded, TransplantStatus, VitalStatus
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import SITE, Role
from hepatrail_events.types import Code, Instant, PartialDate
from hepatrail_services.command import SubjectCommand
from hepatrail_services.deciders.ae_state import AdverseEventsState
from hepatrail_services.deciders.assessments import TransplantationInput, transplanted
from hepatrail_services.deciders.assessments_state import AssessmentsState
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.death import DeathInput, record_death


class RecordSurvivalStatus(SubjectCommand):
    """The site records whether the participant lives and whether a liver was transplanted.

    Only the records of the death and of the transplant count; they may come with this command.
    """

    ROLES: ClassVar[frozenset[Role]] = SITE

    at: Instant = Field(description="When this was known to be so")
    alive: VitalStatus = Field(description="Whether the participant lives; N needs the record of the death")
    transplant: TransplantStatus = Field(description="Where the participant stands; DONE needs the transplant's record")
    transplant_at: PartialDate | None = Field(
        default=None, description="When the liver was transplanted, as this source tells it"
    )
    source: SurvivalSource = Field(description="Where the knowledge comes from")
    visit_code: Code | None = Field(default=None, description="Time point that the status was asked for")
    death: DeathInput | None = Field(default=None, description="The death, where it is not on record yet")
    transplantation: TransplantationInput | None = Field(
        default=None, description="The transplant, where it is not on record yet"
    )


def record_survival_status(
    assessments: AssessmentsState,
    adverse_events: AdverseEventsState,
    command: RecordSurvivalStatus,
    situation: Situation,
) -> tuple[Event, ...]:
    """The death, the transplant and the status, as far as they are stated.

    The caller has checked ENR-01 and the site. What VIS-06 lists is accepted.
    """
    _refuse_unsupported(assessments, command)
    situation.past("at", command.at)
    situation.past("transplantAt", command.transplant_at)
    status = SurvivalStatusRecorded(
        at=command.at,
        alive=command.alive,
        transplant=command.transplant,
        transplant_at=command.transplant_at,
        source=command.source,
        visit_code=command.visit_code,
    )
    death = record_death(assessments, adverse_events, command.death, situation, "death.") if command.death else ()
    if command.transplantation is None:
        return (*death, status)
    return (*death, transplanted(command.transplantation, situation, "transplantation."), status)


def _refuse_unsupported(assessments: AssessmentsState, command: RecordSurvivalStatus) -> None:
    """VIS-01: a status rests on the record that it names, and names what comes with it."""
    dead, done = command.alive is VitalStatus.N, command.transplant is TransplantStatus.DONE
    if command.death is not None and not dead:
        raise CommandRejected("A death comes with alive = N only.", rule="VIS-01", field="death")
    if command.transplantation is not None and not done:
        raise CommandRejected("A transplant comes with transplant = DONE only.", rule="VIS-01", field="transplantation")
    if dead and command.death is None and assessments.death is None:
        raise CommandRejected(
            "alive = N needs the death: record it in the same command or before.", rule="VIS-01", field="alive"
        )
    if done and command.transplantation is None and not assessments.transplanted:
        raise CommandRejected(
            "transplant = DONE needs the transplant: record it in the same command or before.",
            rule="VIS-01",
            field="transplant",
        )
