"""What is on record of death, transplant, withdrawal and contact, and what must hold of it (`events.md` 3.5, VIS).

The rules here hold for the state as a whole, so that a correction or a void keeps them as a first record does.
Decided here, because the reference leaves room:

- To end the permission to ask for the vital status counts as widening a withdrawal (VIS-04).
- Loss to follow-up and regained contact take turns, in the log and in their times (VIS-05): no second loss without
  a contact in between, no contact regained at or before the last one.
- A void transplant, or a death taken back, leaves no survival status that rests on it (VIS-01): that one is
  corrected or void first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeAlias, TypeVar, assert_never
from uuid import UUID

from hepatrail_events.assessments import (
    AEAssessmentDone,
    AssessmentCorrected,
    AssessmentVoided,
    ContactRegained,
    DeathRecordCorrected,
    LostToFollowUp,
    ParticipantDied,
    ParticipantWithdrew,
    SurvivalStatusRecorded,
    TransplantDone,
    TransplantStatus,
    VitalStatus,
    WithdrawalScope,
)
from hepatrail_events.codec import Recorded
from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import PartialDate
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.kept import Kept, added, corrected, voided
from hepatrail_services.deciders.times import is_later, say

Assessment: TypeAlias = (
    AEAssessmentDone | SurvivalStatusRecorded | TransplantDone | ParticipantWithdrew | LostToFollowUp | ContactRegained
)
"""What is corrected and void by the id of its event; never a death."""
AssessmentEvent: TypeAlias = (
    Assessment | ParticipantDied | DeathRecordCorrected | AssessmentCorrected | AssessmentVoided
)
AssessmentType = TypeVar("AssessmentType", bound=Assessment)


@dataclass(frozen=True, slots=True)
class AssessmentsState:
    """The death in its latest version (None: none, or taken back), and all assessments by the id of their event.

    `assessments` stand in the order of the log; `death_ids` are the events of the death record.
    """

    death: ParticipantDied | None = None
    death_ids: frozenset[UUID] = frozenset()
    assessments: Mapping[UUID, Kept[Assessment]] = field(default_factory=dict)

    def valid(self, kind: type[AssessmentType]) -> tuple[AssessmentType, ...]:
        """The assessments of a kind that are not void, in the order of the log."""
        return tuple(kept.fact for kept in self.assessments.values() if isinstance(kept.fact, kind) and not kept.voided)

    @property
    def withdrawals(self) -> tuple[ParticipantWithdrew, ...]:
        """The withdrawals in force, each wider than the one before (VIS-04)."""
        return self.valid(ParticipantWithdrew)

    @property
    def withdrawal(self) -> ParticipantWithdrew | None:
        """The widest withdrawal in force."""
        return self.withdrawals[-1] if self.withdrawals else None

    @property
    def transplanted(self) -> bool:
        """Whether a liver transplant is on record."""
        return bool(self.valid(TransplantDone))


_WIDTH = {scope: width for width, scope in enumerate(WithdrawalScope)}


def refuse_contradiction(after: AssessmentsState, changed: Assessment, path: str) -> None:
    """VIS-01, VIS-04, VIS-05: CommandRejected when the records contradict each other once `changed` is changed."""
    match changed:
        case SurvivalStatusRecorded() | TransplantDone():
            refuse_unsupported_status(after, path)
        case ParticipantWithdrew():
            _refuse_disordered_withdrawals(after, path)
        case LostToFollowUp() | ContactRegained():
            refuse_disordered_contact(after, path)
        case AEAssessmentDone():
            return
        case _:
            assert_never(changed)


def refuse_unsupported_status(after: AssessmentsState, path: str) -> None:
    """VIS-01: CommandRejected when a survival status says dead or transplanted and no such record stands."""
    for status in after.valid(SurvivalStatusRecorded):
        if status.alive is VitalStatus.N and after.death is None:
            raise CommandRejected(
                "A survival status says that the participant does not live: record the death first.",
                rule="VIS-01",
                field=path,
            )
        if status.transplant is TransplantStatus.DONE and not after.transplanted:
            raise CommandRejected(
                "A survival status says that a liver was transplanted: record the transplant first.",
                rule="VIS-01",
                field=path,
            )


def _refuse_disordered_withdrawals(after: AssessmentsState, path: str) -> None:
    for withdrawal in after.withdrawals:
        _refuse_vital_status(withdrawal, path)
    for earlier, later in pairwise(after.withdrawals):
        if _extent(later) <= _extent(earlier):
            raise _narrowing(path)


def refuse_narrowing(state: AssessmentsState, withdrawal: ParticipantWithdrew) -> None:
    """VIS-04: CommandRejected when a withdrawal takes back part of the one on record, or contradicts itself."""
    _refuse_vital_status(withdrawal, "vitalStatusAllowed")
    if _extent(withdrawal) < _extent(state.withdrawal):
        raise _narrowing("scope")


def _refuse_vital_status(withdrawal: ParticipantWithdrew, path: str) -> None:
    if withdrawal.vital_status_allowed and withdrawal.scope is not WithdrawalScope.FOLLOW_UP:
        raise CommandRejected(
            "The vital status may be asked for only after a withdrawal of scope FOLLOW_UP.", rule="VIS-04", field=path
        )


def _narrowing(path: str) -> CommandRejected:
    return CommandRejected(
        "A withdrawal may only widen: TREATMENT_ONLY, FOLLOW_UP, ALL_DATA_USE.", rule="VIS-04", field=path
    )


def is_on_record(state: AssessmentsState, withdrawal: ParticipantWithdrew) -> bool:
    """Whether a withdrawal of the same extent is on record."""
    return _extent(withdrawal) == _extent(state.withdrawal)


def _extent(withdrawal: ParticipantWithdrew | None) -> tuple[int, bool]:
    if withdrawal is None:
        return (-1, False)
    return (_WIDTH[withdrawal.scope], not withdrawal.vital_status_allowed)


def refuse_disordered_contact(after: AssessmentsState, path: str) -> None:
    """VIS-05: CommandRejected when loss to follow-up and regained contact do not take turns, in this order."""
    before: LostToFollowUp | ContactRegained | None = None
    for kept in after.assessments.values():
        fact = kept.fact
        if kept.voided or not isinstance(fact, LostToFollowUp | ContactRegained):
            continue
        if problem := _out_of_turn(before, fact):
            raise CommandRejected(problem, rule="VIS-05", field=path)
        before = fact


def _out_of_turn(before: LostToFollowUp | ContactRegained | None, fact: LostToFollowUp | ContactRegained) -> str | None:
    match before, fact:
        case LostToFollowUp(), LostToFollowUp():
            return "The participant is lost to follow-up already: record the regained contact first."
        case ContactRegained(), LostToFollowUp() if fact.last_contact_at < before.at:
            return f"The last contact cannot lie before the one regained on {say(before.at)}."
        case LostToFollowUp(), ContactRegained() if fact.at <= before.last_contact_at:
            return f"Contact is regained after the last contact on {say(before.last_contact_at)}."
        case ((None | ContactRegained()), ContactRegained()):
            return "Contact is regained only after a loss to follow-up."
        case _:
            return None


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


def evolve(state: AssessmentsState, event: AssessmentEvent, recorded: Recorded) -> AssessmentsState:
    """The state after an event; `recorded` gives the id by which it is corrected and void."""
    event_id = recorded.envelope.id
    match event:
        case ParticipantDied():
            return replace(state, death=event, death_ids=state.death_ids | {event_id})
        case DeathRecordCorrected():
            return replace(state, death=corrected_death(state.death, event), death_ids=state.death_ids | {event_id})
        case AssessmentCorrected():
            return replace(state, assessments=corrected(state.assessments, event))
        case AssessmentVoided():
            return replace(state, assessments=voided(state.assessments, event))
        case (
            AEAssessmentDone()
            | SurvivalStatusRecorded()
            | TransplantDone()
            | ParticipantWithdrew()
            | LostToFollowUp()
            | ContactRegained()
        ):
            return replace(state, assessments=added(state.assessments, event_id, event))
        case _:
            assert_never(event)


def corrected_death(death: ParticipantDied | None, event: DeathRecordCorrected) -> ParticipantDied | None:
    """The death record after its correction: an absent field keeps its value, `revived` takes the record back."""
    if death is None or event.revived:
        return None
    stated = {
        name: value
        for name in ("death_at", "primary_cause_ae_id", "autopsy_done")
        if (value := getattr(event, name)) is not None
    }
    return death.model_copy(update=stated)
