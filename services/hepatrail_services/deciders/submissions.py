"""Reports to sponsor, ethics committee and authorities (`events.md` 3.8, rules SUB).

Decided here, because the reference leaves room: a void adverse event takes a NULLIFICATION and nothing else
(INV-11); "after INITIAL" holds for the record and for the time of submission, also after a correction or a void; a
submission for another adverse event than the one stated is void and recorded anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.roles import Role
from hepatrail_events.submissions import (
    NarrativeLanguage,
    NarrativeWritten,
    Recipient,
    SponsorNotified,
    SubmissionCorrected,
    SubmissionKind,
    SubmissionRecorded,
    SubmissionVoided,
)
from hepatrail_events.types import Instant, Label, SealedText
from hepatrail_services.command import Sealable, SubjectCommand
from hepatrail_services.deciders.ae_state import AdverseEventsState
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import Correctable, CorrectRecord, VoidRecord, correctable
from hepatrail_services.deciders.kept import Kept, added, change, corrected, known, voided, voiding

SUBMITTERS = frozenset({Role.SPONSOR, Role.SAFETY_OFFICER})

Narrative = Annotated[SealedText, Sealable(max_length=7000)]
"""Free text as long as sealed text can be in any script."""


class RecordSponsorNotification(SubjectCommand):
    """The sponsor records when it first knew of the adverse event; its clocks start from that."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SPONSOR})

    ae_id: UUID = Field(description="The adverse event")
    notified_at: Instant = Field(description="When the sponsor first knew")


class RecordSubmission(SubjectCommand):
    """A report of the adverse event was handed to a recipient."""

    ROLES: ClassVar[frozenset[Role]] = SUBMITTERS

    ae_id: UUID = Field(description="The adverse event")
    to: Recipient = Field(description="To whom the report went")
    kind: SubmissionKind = Field(description="What the report is in the course of the case")
    submitted_at: Instant = Field(description="When it was handed over")
    reference: Label | None = Field(default=None, description="The recipient's reference")


class CorrectSubmission(CorrectRecord):
    """One field of a submission is corrected; the original stays readable."""

    ROLES: ClassVar[frozenset[Role]] = SUBMITTERS

    id: UUID = Field(description="The submission")


class VoidSubmission(VoidRecord):
    """The record of a submission is void: it meets no clock from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = SUBMITTERS

    id: UUID = Field(description="The submission")


class WriteNarrative(SubjectCommand):
    """The case in words, for the report (ICSR H.1); the latest narrative of a language counts."""

    ROLES: ClassVar[frozenset[Role]] = SUBMITTERS

    ae_id: UUID = Field(description="The adverse event")
    narrative: Narrative = Field(description="Course of the case, without anything that identifies a person")
    language: NarrativeLanguage = Field(description="Language of the narrative (ISO 639-2)")


SubmissionCommand: TypeAlias = (
    RecordSponsorNotification | RecordSubmission | CorrectSubmission | VoidSubmission | WriteNarrative
)
SubmissionEvent: TypeAlias = (
    SponsorNotified | SubmissionRecorded | SubmissionCorrected | SubmissionVoided | NarrativeWritten
)

CORRECTABLE: Mapping[str, Correctable] = correctable(RecordSubmission, ("to", "kind", "submittedAt", "reference"))


@dataclass(frozen=True, slots=True)
class SubmissionsState:
    """All submissions about a participant by their ids."""

    submissions: Mapping[UUID, Kept[SubmissionRecorded]] = field(default_factory=dict)


def decide(
    state: SubmissionsState, adverse_events: AdverseEventsState, command: SubmissionCommand, situation: Situation
) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site.

    Awareness of the sponsor before that of the site is accepted (SUB-03).
    """
    match command:
        case RecordSponsorNotification():
            _refuse_unknown(adverse_events, command.ae_id)
            situation.past("notifiedAt", command.notified_at)
            return (SponsorNotified(ae_id=command.ae_id, notified_at=command.notified_at),)
        case RecordSubmission():
            return (_submission(state, adverse_events, command, situation),)
        case CorrectSubmission():
            correction = change(known(state.submissions, command.id, "submission"), CORRECTABLE, command, situation)
            if correction.fact.kind is SubmissionKind.NULLIFICATION:
                _refuse_nullification(adverse_events, correction.fact.ae_id, "newValue")
            after = {**state.submissions, command.id: Kept(correction.fact)}
            _refuse_without_initial(_of(after, correction.fact.ae_id), "newValue")
            return (correction.event(SubmissionCorrected, command),)
        case VoidSubmission():
            submission = known(state.submissions, command.id, "submission")
            event = voiding(SubmissionVoided, command)
            _refuse_without_initial(_of(voided(state.submissions, event), submission.ae_id), "id")
            return (event,)
        case WriteNarrative():
            _refuse_unknown(adverse_events, command.ae_id)
            return (NarrativeWritten(ae_id=command.ae_id, narrative=command.narrative, language=command.language),)
        case _:
            assert_never(command)


def _submission(
    state: SubmissionsState, adverse_events: AdverseEventsState, command: RecordSubmission, situation: Situation
) -> SubmissionRecorded:
    nullifies = command.kind is SubmissionKind.NULLIFICATION
    _refuse_unknown(adverse_events, command.ae_id, even_void=nullifies)
    if nullifies:
        _refuse_nullification(adverse_events, command.ae_id, "kind")
    situation.past("submittedAt", command.submitted_at)
    event = SubmissionRecorded(
        submission_id=object_id(command.command_id, "submission"),
        ae_id=command.ae_id,
        to=command.to,
        kind=command.kind,
        submitted_at=command.submitted_at,
        reference=command.reference,
    )
    _refuse_without_initial((*_of(state.submissions, command.ae_id), event), "kind")
    return event


def _refuse_unknown(adverse_events: AdverseEventsState, ae_id: UUID, *, even_void: bool = False) -> None:
    """SUB-01: CommandRejected when the adverse event is not there, or is void."""
    event = adverse_events.events.get(ae_id)
    if event is None:
        raise CommandRejected("The participant has no such adverse event.", rule="SUB-01", field="aeId")
    if event.voided and not even_void:
        raise CommandRejected(
            "The adverse event is void: only a nullification may follow.", rule="SUB-01", field="aeId"
        )


def _refuse_nullification(adverse_events: AdverseEventsState, ae_id: UUID, path: str) -> None:
    if not adverse_events.events[ae_id].voided:
        raise CommandRejected("The adverse event is not void: there is nothing to nullify.", rule="SUB-02", field=path)


def _of(submissions: Mapping[UUID, Kept[SubmissionRecorded]], ae_id: UUID) -> tuple[SubmissionRecorded, ...]:
    """The submissions about an adverse event that are not void."""
    return tuple(kept.fact for kept in submissions.values() if not kept.voided and kept.fact.ae_id == ae_id)


def _refuse_without_initial(submissions: Iterable[SubmissionRecorded], path: str) -> None:
    """SUB-02: CommandRejected when one of an adverse event's submissions has no initial one before it."""
    listed = tuple(submissions)
    for later in listed:
        initial = later.kind is SubmissionKind.INITIAL or any(
            one.kind is SubmissionKind.INITIAL and one.to is later.to and one.submitted_at <= later.submitted_at
            for one in listed
        )
        if not initial:
            raise CommandRejected(
                f"A {later.kind} report to {later.to} needs an INITIAL one to the same recipient before it.",
                rule="SUB-02",
                field=path,
            )


def evolve(state: SubmissionsState, event: SubmissionEvent) -> SubmissionsState:
    """The state after an event."""
    match event:
        case SubmissionRecorded():
            return SubmissionsState(added(state.submissions, event.submission_id, event))
        case SubmissionCorrected():
            return SubmissionsState(corrected(state.submissions, event))
        case SubmissionVoided():
            return SubmissionsState(voided(state.submissions, event))
        case SponsorNotified() | NarrativeWritten():
            return state
        case _:
            assert_never(event)
