"""The course of an adverse event: follow-up, severity, end, going on again (`safety.md` 4.1)."""

from typing import ClassVar

from pydantic import Field

from hepatrail_events.adverse_events import (
    ActionTaken,
    AEFollowedUp,
    AEGradeChanged,
    AEReopened,
    AEResolved,
    Outcome,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import INVESTIGATORS, SITE, Role
from hepatrail_events.types import Grade, Instant, Label, PartialDate
from hepatrail_services.command import AdverseEventCommand, Comment, ReasonText
from hepatrail_services.deciders.ae_rules import Commit, known, naming, refuse_broken, refuse_missing_grade
from hepatrail_services.deciders.ae_state import ENDED
from hepatrail_services.deciders.context import Situation


class FollowUpAdverseEvent(AdverseEventCommand):
    """New information about the event; after the participant's death too (autopsy, cultures)."""

    ROLES: ClassVar[frozenset[Role]] = SITE | {Role.SPONSOR}

    info_received_at: Instant = Field(description="When the information came in")
    text: Comment = Field(description="The information, without anything that identifies")
    outcome: Outcome | None = Field(
        default=None, description="Outcome now, of an event that goes on; an end is told by resolveAdverseEvent"
    )
    action_taken: ActionTaken | None = Field(
        default=None, description="Action taken with the bioartificial liver, as known now"
    )
    frequency_worsened_at: PartialDate | None = Field(default=None, description="Since when it came more often")
    attachments: tuple[Label, ...] = Field((), max_length=20, description="References of documents, no content")


class ChangeAdverseEventGrade(AdverseEventCommand):
    """The severity changed: a new point of the grade timeline."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    from_grade: Grade | None = Field(default=None, description="Grade in force that the sender saw; checked when given")
    to_grade: Grade = Field(description="CTCAE v5.0 grade")
    grade_at: PartialDate = Field(description="Since when it has this grade")


class ResolveAdverseEvent(AdverseEventCommand):
    """The event ended."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    outcome: Outcome = Field(description="RECOVERED or RECOVERED_WITH_SEQUELAE; FATAL comes with the death")
    end_at: PartialDate = Field(description="When it ended")


class ReopenAdverseEvent(AdverseEventCommand):
    """An event that had ended goes on: its outcome is NOT_RECOVERED and it has no end any more."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    reason: ReasonText = Field(description="Why it goes on; a worsening after more than 24 hours is a new event")


def follow_up(
    commit: Commit, command: FollowUpAdverseEvent, death_at: PartialDate | None, situation: Situation
) -> Commit:
    """AEFollowedUp; an outcome that ends the event is refused (INV-07)."""
    known(commit.state.events, command.ae_id, command.expected_ae_version)
    if command.outcome in ENDED:
        raise CommandRejected(
            f"The outcome {command.outcome} ends the event: resolve it instead.", rule="INV-07", field="outcome"
        )
    situation.past("infoReceivedAt", command.info_received_at)
    commit = commit.then(
        AEFollowedUp(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            info_received_at=command.info_received_at,
            text=command.text,
            outcome=command.outcome,
            action_taken=command.action_taken,
            frequency_worsened_at=command.frequency_worsened_at,
            attachments=command.attachments,
        )
    )
    refuse_broken(commit[command.ae_id], death_at, situation, naming(endAt="outcome"))
    return commit


def change_grade(
    commit: Commit, command: ChangeAdverseEventGrade, death_at: PartialDate | None, situation: Situation
) -> Commit:
    """AEGradeChanged with the grade in force before; CONFLICT when the sender saw another one."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    in_force = event.grade_in_force(situation.zone)
    if command.from_grade not in (None, in_force):
        raise CommandRejected("Another grade is in force by now: read it again.", code="CONFLICT", field="fromGrade")
    commit = commit.then(
        AEGradeChanged(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            from_grade=in_force,
            to_grade=command.to_grade,
            grade_at=command.grade_at,
        )
    )
    refuse_missing_grade(event, command.to_grade, "toGrade")
    name = naming(grade="toGrade", outcome="toGrade", endAt="gradeAt")
    refuse_broken(commit[command.ae_id], death_at, situation, name)
    return commit


def resolve(commit: Commit, command: ResolveAdverseEvent, death_at: PartialDate | None, situation: Situation) -> Commit:
    """AEResolved of an event that is OPEN."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    if event.ended:
        raise CommandRejected("The adverse event has ended already.", field="aeId")
    commit = commit.then(
        AEResolved(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            outcome=command.outcome,
            end_at=command.end_at,
        )
    )
    refuse_broken(commit[command.ae_id], death_at, situation)
    return commit


def reopen(commit: Commit, command: ReopenAdverseEvent, death_at: PartialDate | None, situation: Situation) -> Commit:
    """AEReopened of an event that is RESOLVED; a fatal one changes with the death record only (INV-04)."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    if event.fatal:
        raise CommandRejected(
            "A fatal adverse event changes with a correction of the death record only.", rule="INV-04", field="aeId"
        )
    if not event.ended:
        raise CommandRejected("The adverse event has not ended.", field="aeId")
    commit = commit.then(
        AEReopened(ae_id=command.ae_id, ae_version=commit.next_version(command.ae_id), reason=command.reason)
    )
    refuse_broken(commit[command.ae_id], death_at, situation)
    return commit
