"""Conditions present before treatment (`events.md` 3.7, `safety.md` section 1).

Decided here, because the reference leaves room: the grades that exist are those of adverse events (INV-03), and
none is a 5, because grade 5 is a death.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.ae_terms import AeCode, grade_exists
from hepatrail_events.baseline_conditions import (
    BaselineConditionCorrected,
    BaselineConditionRecorded,
    BaselineConditionVoided,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_events.types import Label, PartialDate
from hepatrail_services.command import Comment, SubjectCommand
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import Correctable, CorrectRecordWithText, VoidRecord, correctable
from hepatrail_services.deciders.kept import Kept, added, change, corrected, known, voided, voiding


class RecordBaselineCondition(SubjectCommand):
    """The investigator records a disease or sign present before treatment; no adverse event until it worsens."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    code: AeCode = Field(description="The trial's own code")
    ctcae_term: Label | None = Field(default=None, description="CTCAE v5.0 term, when not the code's own")
    verbatim: Comment = Field(description="The condition in the recorder's words")
    onset: PartialDate | None = Field(default=None, description="When it began, as far as it is known")
    grade: Annotated[int, Field(ge=1, le=4)] | None = Field(
        default=None, description="CTCAE v5.0 grade before treatment; absent while unknown"
    )


class CorrectBaselineCondition(CorrectRecordWithText):
    """One field of a baseline condition is corrected; the original stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The baseline condition")


class VoidBaselineCondition(VoidRecord):
    """The record of a baseline condition is void: it feeds nothing from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The baseline condition")


BaselineConditionCommand: TypeAlias = RecordBaselineCondition | CorrectBaselineCondition | VoidBaselineCondition
BaselineConditionEvent: TypeAlias = BaselineConditionRecorded | BaselineConditionCorrected | BaselineConditionVoided

CORRECTABLE: Mapping[str, Correctable] = correctable(
    RecordBaselineCondition, ("code", "ctcaeTerm", "verbatim", "onset", "grade")
)
_NOUN = "baseline condition"


@dataclass(frozen=True, slots=True)
class BaselineConditionsState:
    """All baseline conditions of a participant by their ids."""

    conditions: Mapping[UUID, Kept[BaselineConditionRecorded]] = field(default_factory=dict)


def decide(
    state: BaselineConditionsState, command: BaselineConditionCommand, situation: Situation
) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site."""
    match command:
        case RecordBaselineCondition():
            situation.past("onset", command.onset)
            condition = BaselineConditionRecorded(
                baseline_condition_id=object_id(command.command_id, "baselineCondition"),
                code=command.code,
                ctcae_term=command.ctcae_term,
                verbatim=command.verbatim,
                onset=command.onset,
                grade=command.grade,
            )
            _refuse_missing_grade(condition, "grade")
            return (condition,)
        case CorrectBaselineCondition():
            correction = change(known(state.conditions, command.id, _NOUN), CORRECTABLE, command, situation)
            _refuse_missing_grade(correction.fact, "newValue")
            return (correction.event(BaselineConditionCorrected, command),)
        case VoidBaselineCondition():
            known(state.conditions, command.id, _NOUN)
            return (voiding(BaselineConditionVoided, command),)
        case _:
            assert_never(command)


def _refuse_missing_grade(condition: BaselineConditionRecorded, path: str) -> None:
    grade = condition.grade
    if grade is not None and not grade_exists(condition.code, condition.ctcae_term, grade):
        raise CommandRejected(
            f"CTCAE v5.0 has no grade {grade} for {condition.ctcae_term or condition.code}; record it under another "
            "term.",
            rule="INV-03",
            field=path,
        )


def evolve(state: BaselineConditionsState, event: BaselineConditionEvent) -> BaselineConditionsState:
    """The state after an event."""
    match event:
        case BaselineConditionRecorded():
            return BaselineConditionsState(added(state.conditions, event.baseline_condition_id, event))
        case BaselineConditionCorrected():
            return BaselineConditionsState(corrected(state.conditions, event))
        case BaselineConditionVoided():
            return BaselineConditionsState(voided(state.conditions, event))
        case _:
            assert_never(event)
