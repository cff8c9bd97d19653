"""Corrections of an adverse event (`safety.md` 4.1): one field of its report, or one point of its grade timeline.

Criteria and causality are not corrected but judged anew. A field that later events changed (outcome, endAt,
actionTaken, frequencyWorsenedAt) is compared with its value now.

Decided here, because the reference leaves room: a corrected point without gradeAt keeps its time, and a point keeps
the id of the event that recorded it, however often it is corrected.
"""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from hepatrail_events.adverse_events import AECorrected, AEGradeCorrected
from hepatrail_events.corrected_values import as_text
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_events.types import Grade, Label, PartialDate, SealedText
from hepatrail_services.command import AdverseEventCommand, Comment, ReasonText, SubjectCommand
from hepatrail_services.deciders.ae_report import ReportAdverseEvent
from hepatrail_services.deciders.ae_rules import (
    Commit,
    always,
    known,
    naming,
    refuse_broken,
    refuse_missing_grade,
)
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import Correctable, correctable, read_change, refuse_stale

_OF_THEIR_OWN = frozenset({"grade", "gradeAt", "criteria", "causality", "death"})
"""Fields of a report that have events of their own."""
CORRECTABLE: Mapping[str, Correctable] = correctable(
    ReportAdverseEvent,
    (
        str(field.alias)
        for name, field in ReportAdverseEvent.model_fields.items()
        if name not in SubjectCommand.model_fields and field.alias not in _OF_THEIR_OWN
    ),
)


class CorrectAdverseEvent(AdverseEventCommand):
    """One field of the report is corrected; the original stays readable. Grades have their own correction."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    field: Label = Field(description="Name of the field in reportAdverseEvent")
    old_value: str | None = Field(
        default=None, max_length=200, description="Value that the sender saw; checked when given"
    )
    new_value: str | None = Field(
        default=None, max_length=200, description="New value as text; absent where it may be empty"
    )
    new_text: Comment | None = Field(default=None, description="New verbatim, which has no oldValue and no newValue")
    reason: ReasonText = Field(description="Why the report is corrected")


class CorrectAdverseEventGrade(AdverseEventCommand):
    """One point of the grade timeline was recorded wrongly: it is replaced, or removed where grade is absent."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    grade_event_id: UUID = Field(description="The event that recorded the point")
    grade: Grade | None = Field(default=None, description="Right grade; absent: there was no such grade")
    grade_at: PartialDate | None = Field(default=None, description="Since when; absent: as recorded")
    reason: ReasonText = Field(description="Why the point is corrected")


def correct(commit: Commit, command: CorrectAdverseEvent, death_at: PartialDate | None, situation: Situation) -> Commit:
    """AECorrected of one field; CONFLICT for another old value."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    change = read_change(CORRECTABLE, command.field, command.new_value, command.new_text)
    old = None
    if change.sealed is None:
        old = current_text(event, command.field)
        refuse_stale(command.old_value, old, change.text)
    elif command.old_value is not None:
        raise CommandRejected("Free text has no oldValue.", code="SHAPE", field="oldValue")
    commit = commit.then(
        correction(
            commit,
            command.ae_id,
            command.field,
            (old, change.text),
            new_text=change.sealed,
            reason=command.reason,
        )
    )
    refuse_broken(commit[command.ae_id], death_at, situation, always("newValue"))
    return commit


def correct_grade(
    commit: Commit, command: CorrectAdverseEventGrade, death_at: PartialDate | None, situation: Situation
) -> Commit:
    """AEGradeCorrected of one point that stands in the timeline."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    point = next((point for point in event.grades if point.event_id == command.grade_event_id), None)
    if point is None:
        raise CommandRejected("The adverse event has no such point in its grade timeline.", field="gradeEventId")
    if command.grade is None and command.grade_at is not None:
        raise CommandRejected("A point that is removed has no time.", code="SHAPE", field="gradeAt")
    grade_at = None if command.grade is None else command.grade_at or point.grade_at
    if (command.grade, grade_at) == (point.grade, point.grade_at):
        raise CommandRejected("The point says so already.", code="SHAPE", field="grade")
    commit = commit.then(
        AEGradeCorrected(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            grade_event_id=point.event_id,
            grade=command.grade,
            grade_at=grade_at,
            reason=command.reason,
        )
    )
    refuse_missing_grade(event, command.grade, "grade")
    refuse_broken(commit[command.ae_id], death_at, situation, naming(outcome="grade", endAt="gradeAt"))
    return commit


def current_text(event: AdverseEvent, field: str) -> str | None:
    """What the record says of a field now, as a correction writes it."""
    return as_text(event.report.payload().get(field))


def correction(
    commit: Commit,
    ae_id: UUID,
    field: str,
    values: tuple[str | None, str | None],
    *,
    reason: SealedText,
    new_text: SealedText | None = None,
) -> AECorrected:
    """The next event of the adverse event: a field (camelCase) with its old and new value."""
    old, new = values
    return AECorrected(
        ae_id=ae_id,
        ae_version=commit.next_version(ae_id),
        field=field,
        old_value=old,
        new_value=new,
        new_text=new_text,
        reason=reason,
    )
