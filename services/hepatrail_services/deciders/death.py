"""The death of a participant and the adverse events that led to it, in one commit (`safety.md` 4.1, `events.md` 3.5).

Per fatal event: its new code and CTCAE term where one is given, grade 5, the investigator's criterion DEATH and the
outcome FATAL, all with the time of death. No other adverse event changes (INV-10).

Decided here, because the reference leaves room: an event that has ended is reopened before it can be fatal here; a
new code or term without a reason of its own has the event's own words (the verbatim) as its reason (INV-13).
"""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from hepatrail_events.adverse_events import (
    AEGradeChanged,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    Assessor,
    Criterion,
    Outcome,
)
from hepatrail_events.ae_terms import AeCode
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import SITE, Role
from hepatrail_events.types import Fact, Instant, Label, PartialDate
from hepatrail_services.command import ReasonText, SubjectCommand, Version
from hepatrail_services.deciders.ae_correction import correction, current_text
from hepatrail_services.deciders.ae_rules import Commit, always, known, refuse_broken, refuse_wrong_cause
from hepatrail_services.deciders.ae_state import FATAL_GRADE, AdverseEventsState
from hepatrail_services.deciders.assessments_state import (
    AssessmentsState,
    refuse_onset_after_death,
    refuse_second_death,
)
from hepatrail_services.deciders.context import Situation


class FatalAe(Fact):
    """An adverse event on record that led to the death."""

    ae_id: UUID = Field(description="The adverse event")
    expected_ae_version: Version | None = Field(
        None, description="Version of the adverse event that the sender saw; another one is a CONFLICT"
    )
    code: AeCode | None = Field(default=None, description="New code, where there is no fatal grade for the present one")
    ctcae_term: Label | None = Field(default=None, description="New CTCAE v5.0 term, likewise")
    reason: ReasonText | None = Field(
        default=None, description="Why code or term change; absent: the words in which the event was reported"
    )


class DeathInput(Fact):
    """The death of the participant, as the site learned of it."""

    death_at: PartialDate = Field(description="When the participant died, as far as it is known")
    aware_at: Instant = Field(description="When the site first knew of the death")
    primary_cause_ae_id: UUID | None = Field(
        default=None, description="The fatal adverse event that caused the death; required when any event is fatal"
    )
    autopsy_done: bool | None = Field(default=None, description="Whether an autopsy was done")
    fatal_aes: tuple[FatalAe, ...] = Field(
        (), max_length=20, description="Adverse events on record that led to the death"
    )


class RecordDeath(DeathInput, SubjectCommand):
    """The site learned that the participant died; the adverse events that led to it become fatal in the same commit."""

    ROLES: ClassVar[frozenset[Role]] = SITE


def record_death(
    assessments: AssessmentsState,
    adverse_events: AdverseEventsState,
    death: DeathInput,
    situation: Situation,
    prefix: str = "",
) -> tuple[Event, ...]:
    """ParticipantDied and the events of the fatal adverse events.

    Raises CommandRejected by VIS-02, VIS-03 or an invariant of `safety.md` 4.2; `prefix` leads to the input's fields
    where they are part of another command: `death.`.
    """
    refuse_second_death(assessments)
    situation.past(f"{prefix}deathAt", death.death_at)
    situation.past(f"{prefix}awareAt", death.aware_at)
    died = ParticipantDied(
        death_at=death.death_at,
        aware_at=death.aware_at,
        primary_cause_ae_id=death.primary_cause_ae_id,
        autopsy_done=death.autopsy_done,
    )
    commit = Commit.begun(adverse_events, situation).then(died)
    listed: set[UUID] = set()
    for number, fatal in enumerate(death.fatal_aes):
        path = f"{prefix}fatalAes[{number}]."
        if fatal.ae_id in listed:
            raise CommandRejected("The adverse event is listed twice.", code="SHAPE", field=f"{path}aeId")
        listed.add(fatal.ae_id)
        commit = _made_fatal(commit, fatal, death, situation, path)
    for event in commit.state.standing().values():
        refuse_onset_after_death(event.onset, death.death_at, f"{prefix}deathAt", situation)
    refuse_wrong_cause(commit.state, died, f"{prefix}primaryCauseAeId")
    return commit.events


def _made_fatal(commit: Commit, fatal: FatalAe, death: DeathInput, situation: Situation, path: str) -> Commit:
    event = known(commit.state.events, fatal.ae_id, fatal.expected_ae_version, f"{path}aeId")
    if event.ended:
        raise CommandRejected("The adverse event has ended: reopen it before it can be fatal.", field=f"{path}aeId")
    commit = _renamed(commit, fatal)
    commit = graded_5(commit, fatal.ae_id, death.death_at, situation)
    commit = with_criteria(
        commit,
        fatal.ae_id,
        event.investigator.criteria | {Criterion.DEATH},
        since=death.death_at,
        aware_at=death.aware_at,
    )
    commit = commit.then(
        AEResolved(
            ae_id=fatal.ae_id,
            ae_version=commit.next_version(fatal.ae_id),
            outcome=Outcome.FATAL,
            end_at=death.death_at,
        )
    )
    refuse_broken(commit[fatal.ae_id], death.death_at, situation, always(f"{path}aeId"))
    return commit


def _renamed(commit: Commit, fatal: FatalAe) -> Commit:
    stated: Mapping[str, str | None] = {"code": fatal.code, "ctcaeTerm": fatal.ctcae_term}
    for field, new in stated.items():
        event = commit[fatal.ae_id]
        old = current_text(event, field)
        if new is not None and new != old:
            reason = fatal.reason or event.report.verbatim
            commit = commit.then(correction(commit, fatal.ae_id, field, (old, str(new)), reason=reason))
    return commit


def graded_5(commit: Commit, ae_id: UUID, death_at: PartialDate, situation: Situation) -> Commit:
    """Grade 5 since the death."""
    return commit.then(
        AEGradeChanged(
            ae_id=ae_id,
            ae_version=commit.next_version(ae_id),
            from_grade=commit[ae_id].grade_in_force(situation.zone),
            to_grade=FATAL_GRADE,
            grade_at=death_at,
        )
    )


def with_criteria(
    commit: Commit, ae_id: UUID, criteria: frozenset[Criterion], *, since: PartialDate, aware_at: Instant
) -> Commit:
    """The investigator's set grown to `criteria`: an upgrade where it was empty, else a change."""
    held = commit[ae_id].investigator.criteria
    added = tuple(criterion for criterion in Criterion if criterion in criteria - held)
    if not added:
        return commit
    version = commit.next_version(ae_id)
    if held:
        return commit.then(
            AESeriousnessCriteriaChanged(
                ae_id=ae_id, ae_version=version, assessor=Assessor.INVESTIGATOR, added=added, aware_at=aware_at
            )
        )
    return commit.then(
        AEUpgradedToSerious(ae_id=ae_id, ae_version=version, criteria=added, serious_since=since, aware_at=aware_at)
    )
