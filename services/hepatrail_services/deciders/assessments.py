"""Death and withdrawal (`events.md` 3.5, rules VIS; the part of the first slice)."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew, WithdrawalScope
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import SITE, Role
from hepatrail_events.types import Instant, PartialDate
from hepatrail_services.command import ReasonText, SubjectCommand
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.times import is_later, say


class RecordDeath(SubjectCommand):
    """The site learned that the participant died."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    death_at: PartialDate = Field(description="When the participant died, as far as it is known")
    aware_at: Instant = Field(description="When the site first knew of the death")
    primary_cause_ae_id: UUID | None = Field(default=None, description="The fatal adverse event that caused the death")
    autopsy_done: bool | None = Field(default=None, description="Whether an autopsy was done")


class WithdrawSubject(SubjectCommand):
    """The participant withdrew from treatment, from follow-up or from all use of data."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    withdrawn_at: Instant = Field(description="When the participant said so")
    scope: WithdrawalScope = Field(description="From what the participant withdrew; a later withdrawal may only widen")
    vital_status_allowed: bool = Field(
        description="Whether the site may still ask if the participant lives; only with FOLLOW_UP"
    )
    reason: ReasonText | None = Field(default=None, description="Why, in the site's words")


AssessmentCommand: TypeAlias = RecordDeath | WithdrawSubject
AssessmentEvent: TypeAlias = ParticipantDied | ParticipantWithdrew


@dataclass(frozen=True, slots=True)
class AssessmentsState:
    """The death record and the last withdrawal."""

    death: ParticipantDied | None = None
    withdrawal: ParticipantWithdrew | None = None


_WIDTH = {scope: width for width, scope in enumerate(WithdrawalScope)}


def decide(
    state: AssessmentsState,
    onsets: Iterable[PartialDate],
    fatal: Set[UUID],
    command: AssessmentCommand,
    situation: Situation,
) -> tuple[Event, ...]:
    """Events of a command; `onsets` are those of all adverse events, `fatal` the ids of the fatal ones."""
    match command:
        case RecordDeath():
            return (_death(state, onsets, fatal, command, situation),)
        case WithdrawSubject():
            situation.past("withdrawnAt", command.withdrawn_at)
            withdrawal = ParticipantWithdrew(
                withdrawn_at=command.withdrawn_at,
                scope=command.scope,
                vital_status_allowed=command.vital_status_allowed,
                reason=command.reason,
            )
            refuse_narrowing(state, withdrawal)
            if _extent(withdrawal) == _extent(state.withdrawal):
                raise CommandRejected(
                    f"The withdrawal of scope {command.scope} is on record already.", rule="VIS-04", field="scope"
                )
            return (withdrawal,)
        case _:
            assert_never(command)


def refuse_narrowing(state: AssessmentsState, withdrawal: ParticipantWithdrew) -> None:
    """VIS-04: CommandRejected when a withdrawal takes back part of the one on record, or contradicts itself.

    To end the permission to ask for the vital status counts as widening.
    """
    if withdrawal.vital_status_allowed and withdrawal.scope is not WithdrawalScope.FOLLOW_UP:
        raise CommandRejected(
            "The vital status may be asked for only after a withdrawal of scope FOLLOW_UP.",
            rule="VIS-04",
            field="vitalStatusAllowed",
        )
    if _extent(withdrawal) < _extent(state.withdrawal):
        raise CommandRejected(
            "A withdrawal may only widen: TREATMENT_ONLY, FOLLOW_UP, ALL_DATA_USE.", rule="VIS-04", field="scope"
        )


def is_on_record(state: AssessmentsState, withdrawal: ParticipantWithdrew) -> bool:
    """Whether a withdrawal of the same extent is on record."""
    return _extent(withdrawal) == _extent(state.withdrawal)


def refuse_second_death(state: AssessmentsState) -> None:
    """VIS-02: CommandRejected when a death is on record."""
    if state.death is not None:
        raise CommandRejected(
            "The death is on record; it can be corrected, not recorded again.", rule="VIS-02", field="deathAt"
        )


def refuse_onset_after_death(onset: PartialDate, death_at: PartialDate, field: str, situation: Situation) -> None:
    """INV-09: CommandRejected when an adverse event begins after the death."""
    if is_later(onset, death_at, situation.zone):
        raise CommandRejected(
            f"An adverse event cannot begin on {say(onset)}, after the death on {say(death_at)}.",
            rule="INV-09",
            field=field,
        )


def _extent(withdrawal: ParticipantWithdrew | None) -> tuple[int, bool]:
    if withdrawal is None:
        return (-1, False)
    return (_WIDTH[withdrawal.scope], not withdrawal.vital_status_allowed)


def _death(
    state: AssessmentsState,
    onsets: Iterable[PartialDate],
    fatal: Set[UUID],
    command: RecordDeath,
    situation: Situation,
) -> ParticipantDied:
    refuse_second_death(state)
    situation.past("deathAt", command.death_at)
    situation.past("awareAt", command.aware_at)
    if command.primary_cause_ae_id is not None and command.primary_cause_ae_id not in fatal:
        raise CommandRejected(
            "The primary cause must be a fatal adverse event of the participant.",
            rule="VIS-03",
            field="primaryCauseAeId",
        )
    for onset in onsets:
        refuse_onset_after_death(onset, command.death_at, "deathAt", situation)
    return ParticipantDied(
        death_at=command.death_at,
        aware_at=command.aware_at,
        primary_cause_ae_id=command.primary_cause_ae_id,
        autopsy_done=command.autopsy_done,
    )


def evolve(state: AssessmentsState, event: AssessmentEvent) -> AssessmentsState:
    """The state after an event."""
    match event:
        case ParticipantDied():
            return replace(state, death=event)
        case ParticipantWithdrew():
            return replace(state, withdrawal=event)
        case _:
            assert_never(event)
