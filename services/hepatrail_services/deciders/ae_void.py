"""Adverse events that are void: by one person when never serious, else by two (`safety.md` 4.1, INV-21).

Decided here, because the reference leaves room: a later request takes the place of the one that waits; the event that
is the primary cause of the death is not void before a correction of the death record names another one (INV-08).
"""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from hepatrail_events.adverse_events import AEVoided, AeVoidReason, AEVoidRequested
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_services.command import AdverseEventCommand
from hepatrail_services.deciders.ae_rules import Commit, known
from hepatrail_services.deciders.ae_seriousness import LongReasonText
from hepatrail_services.deciders.context import Situation


class VoidAdverseEvent(AdverseEventCommand):
    """An event that was never serious is void: it feeds nothing from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    reason_code: AeVoidReason = Field(description="Why the event is void")
    reason_text: LongReasonText = Field(description="Explanation in the investigator's words, at least 10 characters")
    duplicate_of: UUID | None = Field(default=None, description="The event that it repeats; required by DUPLICATE")


class RequestAeVoid(AdverseEventCommand):
    """An investigator asks that an event which was ever serious be void; it counts until another one agrees."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    reason_code: AeVoidReason = Field(description="Why the event is void")
    reason_text: LongReasonText = Field(description="Explanation in the investigator's words, at least 10 characters")
    duplicate_of: UUID | None = Field(default=None, description="The event that it repeats; required by DUPLICATE")


class CoSignAeVoid(AdverseEventCommand):
    """A second investigator agrees to a request, and the event is void for the reason that the request gives."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS


def void(commit: Commit, command: VoidAdverseEvent) -> Commit:
    """AEVoided of an event that was never serious."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    if event.ever_serious:
        raise CommandRejected(
            "The event was serious: request that it be void, and a second investigator co-signs.",
            rule="INV-21",
            field="aeId",
        )
    _refuse_wrong_duplicate(commit, command)
    return commit.then(
        AEVoided(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            reason_code=command.reason_code,
            reason_text=command.reason_text,
            duplicate_of=command.duplicate_of,
        )
    )


def request(commit: Commit, command: RequestAeVoid, death: ParticipantDied | None) -> Commit:
    """AEVoidRequested of an event that was ever serious."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    if not event.ever_serious:
        raise CommandRejected(
            "The event was never serious: void it without a second person.", rule="INV-21", field="aeId"
        )
    _refuse_wrong_duplicate(commit, command)
    _refuse_primary_cause(command.ae_id, death)
    return commit.then(
        AEVoidRequested(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            reason_code=command.reason_code,
            reason_text=command.reason_text,
            duplicate_of=command.duplicate_of,
        )
    )


def co_sign(commit: Commit, command: CoSignAeVoid, death: ParticipantDied | None, situation: Situation) -> Commit:
    """AEVoided by another person than the one who asked."""
    pending = known(commit.state.events, command.ae_id, command.expected_ae_version).void_request
    if pending is None:
        raise CommandRejected("Nobody has requested that the event be void.", rule="INV-21", field="aeId")
    if pending.requester == situation.context.actor.id:
        raise CommandRejected("Another person than the one who asked co-signs.", rule="INV-21", field="aeId")
    _refuse_primary_cause(command.ae_id, death)
    return commit.then(
        AEVoided(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            reason_code=pending.reason_code,
            reason_text=pending.reason_text,
            duplicate_of=pending.duplicate_of,
            co_signer=situation.context.actor.id,
        )
    )


def _refuse_wrong_duplicate(commit: Commit, command: VoidAdverseEvent | RequestAeVoid) -> None:
    stated = command.duplicate_of
    if (command.reason_code is AeVoidReason.DUPLICATE) != (stated is not None):
        sentence = "is required: name the event that it repeats" if stated is None else "belongs to DUPLICATE only"
        raise CommandRejected(f"duplicateOf {sentence}.", code="SHAPE", field="duplicateOf")
    if stated is not None and (stated == command.ae_id or stated not in commit.state.standing()):
        raise CommandRejected(
            "The event that it repeats is another one of the participant, and not void.", field="duplicateOf"
        )


def _refuse_primary_cause(ae_id: UUID, death: ParticipantDied | None) -> None:
    if death is not None and death.primary_cause_ae_id == ae_id:
        raise CommandRejected(
            "The event is the primary cause of the death: correct the death record first.", rule="INV-08", field="aeId"
        )
