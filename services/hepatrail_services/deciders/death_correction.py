"""Correcting the record of a death, with the adverse events that it concerns, in one commit (`safety.md` 4.1).

What a listed event takes: grade, outcome and the investigator's criteria. One that was fatal and is no more has its
grade-5 point replaced or removed and outcome and end corrected; one that becomes fatal gets the grade 5, DEATH and
FATAL. A new time of death moves the end and the grade 5 of every fatal event, listed or not.

Decided here, because the reference leaves room:

- Only events that are fatal before or after are listed; of an event that ends otherwise `endAt` is stated.
- The primary cause cannot be left empty while the death stands: name another one, reported before with the death.
- `awareAt` is when the site first knew what the correction says, by default the moment of the decision; it starts the
  clocks of an event that becomes fatal. An emptied set of criteria is a downgrade with the code CRITERION_MISAPPLIED.
- An event that ended otherwise becomes fatal by a correction of its outcome and end, not by a second end.
"""

from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from hepatrail_events.adverse_events import (
    AEDowngradedToNonSerious,
    AEGradeCorrected,
    AEResolved,
    AESeriousnessCriteriaChanged,
    Assessor,
    Criterion,
    DowngradeReason,
    Outcome,
)
from hepatrail_events.assessments import DeathRecordCorrected, ParticipantDied
from hepatrail_events.corrected_values import as_text
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_events.types import Fact, Grade, Instant, PartialDate, SealedText
from hepatrail_services.command import ReasonText, SubjectCommand, Version
from hepatrail_services.deciders.ae_correction import correction, current_text
from hepatrail_services.deciders.ae_rules import (
    Commit,
    always,
    known,
    refuse_broken,
    refuse_missing_grade,
    refuse_wrong_cause,
)
from hepatrail_services.deciders.ae_state import FATAL_GRADE, AdverseEventsState
from hepatrail_services.deciders.assessments_state import (
    AssessmentsState,
    corrected_death,
    refuse_onset_after_death,
    refuse_unsupported_status,
)
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.death import graded_5, with_criteria


class CorrectedAe(Fact):
    """An adverse event that was fatal, or becomes so, as it stands after the correction."""

    ae_id: UUID = Field(description="The adverse event")
    expected_ae_version: Version | None = Field(
        None, description="Version of the adverse event that the sender saw; another one is a CONFLICT"
    )
    grade: Grade | None = Field(default=None, description="Grade instead of the 5; absent: there was no such grade")
    outcome: Outcome = Field(description="Outcome after the correction")
    criteria: tuple[Criterion, ...] = Field(
        (), max_length=6, description="All criteria of the investigator from now on"
    )
    end_at: PartialDate | None = Field(
        default=None, description="When it ended, where the outcome needs it; a fatal one ends with the death"
    )


class CorrectDeathRecord(SubjectCommand):
    """The record of the death is corrected; what is absent keeps its value. `revived`: the participant is alive."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    revived: bool = Field(description="Whether the participant is alive after all: the whole record is taken back")
    death_at: PartialDate | None = Field(default=None, description="When the participant died")
    primary_cause_ae_id: UUID | None = Field(default=None, description="The fatal adverse event that caused the death")
    autopsy_done: bool | None = Field(default=None, description="Whether an autopsy was done")
    aware_at: Instant | None = Field(
        default=None, description="When the site first knew what the correction says; absent: now"
    )
    aes: tuple[CorrectedAe, ...] = Field(
        (), max_length=20, description="Adverse events that were fatal or become so; every fatal one when revived"
    )
    reason: ReasonText = Field(description="Why the record is corrected")


def correct_death_record(
    assessments: AssessmentsState, adverse_events: AdverseEventsState, command: CorrectDeathRecord, situation: Situation
) -> tuple[Event, ...]:
    """DeathRecordCorrected and the events of the adverse events that it concerns.

    Raises CommandRejected by VIS-01, VIS-02, VIS-03 or an invariant of `safety.md` 4.2.
    """
    if assessments.death is None:
        raise CommandRejected("No death is on record.", rule="VIS-02")
    _refuse_shape(command)
    _refuse_untimely(adverse_events, command, situation)
    corrected = DeathRecordCorrected(
        revived=command.revived,
        death_at=command.death_at,
        primary_cause_ae_id=command.primary_cause_ae_id,
        autopsy_done=command.autopsy_done,
        reason=command.reason,
    )
    death = corrected_death(assessments.death, corrected)
    if death is None:
        refuse_unsupported_status(replace(assessments, death=None), "revived")
    commit = Commit.begun(adverse_events, situation).then(corrected)
    paths = {listed.ae_id: f"aes[{number}]" for number, listed in enumerate(command.aes)}
    for listed in command.aes:
        commit = _taken(commit, listed, death, command, situation, paths[listed.ae_id])
    if death is not None:
        for ae_id in sorted(commit.state.fatal()):
            if command.death_at is not None:
                commit = _moved(commit, ae_id, death.death_at, command.reason)
            refuse_broken(commit[ae_id], death.death_at, situation, always(paths.get(ae_id, "deathAt")))
    elif commit.state.fatal():
        raise CommandRejected(
            "The participant is alive, so no adverse event stays fatal: list every fatal one.",
            rule="VIS-03",
            field="aes",
        )
    refuse_wrong_cause(commit.state, death, "primaryCauseAeId")
    return commit.events


def _refuse_shape(command: CorrectDeathRecord) -> None:
    stated = {
        "deathAt": command.death_at,
        "primaryCauseAeId": command.primary_cause_ae_id,
        "autopsyDone": command.autopsy_done,
    }
    given = [name for name, value in stated.items() if value is not None]
    if command.revived and given:
        raise CommandRejected("Of a death that is taken back nothing is stated.", code="SHAPE", field=given[0])
    if not command.revived and not given and not command.aes:
        raise CommandRejected("The correction changes nothing.", code="SHAPE", field="deathAt")
    ids = [listed.ae_id for listed in command.aes]
    for number, ae_id in enumerate(ids):
        if ae_id in ids[:number]:
            raise CommandRejected("The adverse event is listed twice.", code="SHAPE", field=f"aes[{number}].aeId")


def _refuse_untimely(adverse_events: AdverseEventsState, command: CorrectDeathRecord, situation: Situation) -> None:
    situation.past("deathAt", command.death_at)
    situation.past("awareAt", command.aware_at)
    if command.death_at is not None:
        for event in adverse_events.standing().values():
            refuse_onset_after_death(event.onset, command.death_at, "deathAt", situation)


def _taken(
    commit: Commit,
    listed: CorrectedAe,
    death: ParticipantDied | None,
    command: CorrectDeathRecord,
    situation: Situation,
    path: str,
) -> Commit:
    event = known(commit.state.events, listed.ae_id, listed.expected_ae_version, f"{path}.aeId")
    becomes_fatal = listed.outcome is Outcome.FATAL
    if not event.fatal and not becomes_fatal:
        raise CommandRejected(
            "Only an adverse event that is fatal or becomes so is corrected with the death record.",
            field=f"{path}.aeId",
        )
    if becomes_fatal and death is None:
        raise CommandRejected(
            "The participant is alive, so no adverse event is fatal.", rule="VIS-03", field=f"{path}.outcome"
        )
    commit = _with_grade(commit, listed, death, command.reason, situation, path)
    commit = _with_criteria(commit, listed, death, command, situation)
    commit = _with_outcome(commit, listed, death, command.reason)
    if not becomes_fatal:
        death_at = death.death_at if death else None
        refuse_broken(commit[listed.ae_id], death_at, situation, lambda field: f"{path}.{field}")
    return commit


def _with_grade(
    commit: Commit,
    listed: CorrectedAe,
    death: ParticipantDied | None,
    reason: SealedText,
    situation: Situation,
    path: str,
) -> Commit:
    event = commit[listed.ae_id]
    points = [point for point in event.grades if point.grade == FATAL_GRADE]
    if listed.grade == FATAL_GRADE:
        needed = not points and death is not None
        return graded_5(commit, listed.ae_id, death.death_at, situation) if needed and death else commit
    refuse_missing_grade(event, listed.grade, f"{path}.grade")
    for number, point in enumerate(points):
        kept = listed.grade if number == 0 else None
        commit = commit.then(
            AEGradeCorrected(
                ae_id=listed.ae_id,
                ae_version=commit.next_version(listed.ae_id),
                grade_event_id=point.event_id,
                grade=kept,
                grade_at=None if kept is None else point.grade_at,
                reason=reason,
            )
        )
    return commit


def _with_criteria(
    commit: Commit,
    listed: CorrectedAe,
    death: ParticipantDied | None,
    command: CorrectDeathRecord,
    situation: Situation,
) -> Commit:
    held, stated = commit[listed.ae_id].investigator.criteria, frozenset(listed.criteria)
    aware_at = command.aware_at or situation.now
    if not held and death is not None:
        return with_criteria(commit, listed.ae_id, stated, since=death.death_at, aware_at=aware_at)
    if held == stated:
        return commit
    version = commit.next_version(listed.ae_id)
    if not stated:
        return commit.then(
            AEDowngradedToNonSerious(
                ae_id=listed.ae_id,
                ae_version=version,
                assessor=Assessor.INVESTIGATOR,
                reason_code=DowngradeReason.CRITERION_MISAPPLIED,
                reason_text=command.reason,
            )
        )
    return commit.then(
        AESeriousnessCriteriaChanged(
            ae_id=listed.ae_id,
            ae_version=version,
            assessor=Assessor.INVESTIGATOR,
            added=tuple(criterion for criterion in Criterion if criterion in stated - held),
            removed=tuple(criterion for criterion in Criterion if criterion in held - stated),
            reason=command.reason,
            aware_at=aware_at,
        )
    )


def _with_outcome(commit: Commit, listed: CorrectedAe, death: ParticipantDied | None, reason: SealedText) -> Commit:
    event = commit[listed.ae_id]
    if listed.outcome is Outcome.FATAL and death is not None and not event.ended:
        return commit.then(
            AEResolved(
                ae_id=listed.ae_id,
                ae_version=commit.next_version(listed.ae_id),
                outcome=Outcome.FATAL,
                end_at=death.death_at,
            )
        )
    end_at = death.death_at if listed.outcome is Outcome.FATAL and death is not None else listed.end_at
    commit = _corrected(commit, listed.ae_id, "outcome", listed.outcome.value, reason)
    return _corrected(commit, listed.ae_id, "endAt", as_text(end_at and end_at.payload()), reason)


def _moved(commit: Commit, ae_id: UUID, death_at: PartialDate, reason: SealedText) -> Commit:
    """End and grade 5 of a fatal event at the time of death."""
    for point in commit[ae_id].grades:
        if point.grade == FATAL_GRADE and point.grade_at != death_at:
            commit = commit.then(
                AEGradeCorrected(
                    ae_id=ae_id,
                    ae_version=commit.next_version(ae_id),
                    grade_event_id=point.event_id,
                    grade=FATAL_GRADE,
                    grade_at=death_at,
                    reason=reason,
                )
            )
    return _corrected(commit, ae_id, "endAt", as_text(death_at.payload()), reason)


def _corrected(commit: Commit, ae_id: UUID, field: str, new: str | None, reason: SealedText) -> Commit:
    old = current_text(commit[ae_id], field)
    return commit if new == old else commit.then(correction(commit, ae_id, field, (old, new), reason=reason))
