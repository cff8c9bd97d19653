"""The study: protocol versions, sites, holds, access, keys and reviews of the log (`events.md` 3.12, rules STU)."""

from dataclasses import replace
from typing import Annotated, ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.codec import Recorded
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id, object_id
from hepatrail_events.protocol import content_hash
from hepatrail_events.roles import Role
from hepatrail_events.study import (
    AccessWithdrawn,
    AuditTrailReviewed,
    HoldAction,
    HoldPlaced,
    HoldReleased,
    HoldRequires,
    HoldScope,
    ProtocolPublished,
    SealingKeyPublished,
    SiteActivated,
    SiteDeactivated,
)
from hepatrail_events.types import Code, Instant, Label, SealedText, SiteId, SubjectId
from hepatrail_services.command import Sealable, StudyCommand
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.protocol_checks import canonical_content
from hepatrail_services.deciders.study_state import Release, StudyState, published, with_hold, without_hold

StudyText = Annotated[str, Field(min_length=3, max_length=1000), Sealable(min_length=3, max_length=1000)]
"""A reason in the study stream, which stays plain and is screened for identifiers."""
HoldText = Annotated[SealedText | StudyText, Sealable(min_length=3, max_length=1000)]
"""A reason that is sealed where it concerns one participant."""


class ActivateSite(StudyCommand):
    """A site may enrol: its approval is on file."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.ADMIN})

    site_id: SiteId = Field(description="Site of the trial")
    approval_ref: Label = Field(description="Reference of the approval")


class DeactivateSite(StudyCommand):
    """A site may no longer enrol."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.ADMIN})

    site_id: SiteId = Field(description="Site of the trial")
    reason: StudyText = Field(description="Why, without anything about a participant")


class PlaceHold(StudyCommand):
    """Sessions or enrolment must wait, for one participant or the whole trial."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.PRINCIPAL_INVESTIGATOR, Role.SYSTEM})

    action: HoldAction = Field(description="What must wait")
    scope: HoldScope = Field(description="Whom the hold concerns")
    subject_id: SubjectId | None = Field(default=None, description="The participant, where the scope is PARTICIPANT")
    rule_id: Code | None = Field(default=None, description="Stopping rule behind the hold")
    hit_id: UUID | None = Field(default=None, description="Hit of the stopping rule; stated by the system only")
    requires: HoldRequires = Field(description="Who may release the hold")
    reason: HoldText = Field(description="Why; sealed with the participant's key where the scope is PARTICIPANT")


class ReleaseHold(StudyCommand):
    """A hold is released."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.PRINCIPAL_INVESTIGATOR})

    hold_id: UUID = Field(description="The hold in force")
    subject_id: SubjectId | None = Field(
        None, description="Participant of the hold; when stated, the reason is sealed with the participant's key"
    )
    reason: HoldText = Field(description="Why the hold may be released")
    dsmb_reference: Label | None = Field(
        default=None, description="Reference of the DSMB's decision, where the hold needs it"
    )


class WithdrawAccess(StudyCommand):
    """Access of a person or of one token ends before the token does."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.ADMIN})

    token_subject: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Whose tokens are refused"
    )
    jti: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Id of the one token that is refused"
    )
    reason: StudyText = Field(description="Why")


class PublishProtocol(StudyCommand):
    """A version of the protocol, whole, with who approved it."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SPONSOR, Role.PRINCIPAL_INVESTIGATOR})

    version: Label = Field(description="Name of the version")
    content: Annotated[str, Field(max_length=200_000)] = Field(description="The whole protocol as JSON")
    approved_by: Label = Field(description="Who approved it")
    reason: StudyText = Field(description="What changed and why")
    effective_at: Instant = Field(description="When it takes effect, at the earliest when it is recorded")


class PublishSealingKey(StudyCommand):
    """Seals of the log may be signed by another key from now on."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.ADMIN, Role.SYSTEM})

    public_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")] = Field(
        description="Ed25519 public key, 32 bytes in base64"
    )
    reason: StudyText = Field(description="Why")


class ReviewAuditTrail(StudyCommand):
    """What was recorded in a period was reviewed."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.AUDITOR})

    period_from: Instant = Field(alias="from", description="Begin of the period")
    period_to: Instant = Field(alias="to", description="End of the period, not in the future")
    seal: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Seal up to which the log was reviewed")
    seal_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="SHA-256 of that seal's record"
    )
    findings: StudyText | None = Field(default=None, description="What was found, without anything about a participant")


StudyCommandType: TypeAlias = (
    ActivateSite
    | DeactivateSite
    | PlaceHold
    | ReleaseHold
    | WithdrawAccess
    | PublishProtocol
    | PublishSealingKey
    | ReviewAuditTrail
)
StudyEvent: TypeAlias = (
    SiteActivated
    | SiteDeactivated
    | HoldPlaced
    | HoldReleased
    | AccessWithdrawn
    | ProtocolPublished
    | SealingKeyPublished
    | AuditTrailReviewed
)


def decide(state: StudyState, command: StudyCommandType, context: Context) -> tuple[Event, ...]:
    """Events of a command; CommandRejected names the rule."""
    match command:
        case ActivateSite():
            if state.approvals.get(command.site_id) == command.approval_ref:
                return ()
            return (SiteActivated(site_id=command.site_id, approval_ref=command.approval_ref),)
        case DeactivateSite():
            if not state.site_active(command.site_id):
                raise CommandRejected(f"Site {command.site_id} is not active.", field="siteId")
            return (SiteDeactivated(site_id=command.site_id, reason=command.reason),)
        case PlaceHold():
            return _hold(state, command, context)
        case ReleaseHold():
            return (_release(state, command, context),)
        case WithdrawAccess():
            if command.token_subject is None and command.jti is None:
                raise CommandRejected("tokenSubject or jti is required.", code="SHAPE", field="tokenSubject")
            return (AccessWithdrawn(token_subject=command.token_subject, jti=command.jti, reason=command.reason),)
        case PublishProtocol():
            return (_publication(state, command),)
        case PublishSealingKey():
            if command.public_key in state.sealing_keys:
                return ()
            return (SealingKeyPublished(public_key=command.public_key, reason=command.reason),)
        case ReviewAuditTrail():
            return (_review(command, context),)
        case _:
            assert_never(command)


def _hold(state: StudyState, command: PlaceHold, context: Context) -> tuple[Event, ...]:
    concerns_one = command.scope is HoldScope.PARTICIPANT
    if concerns_one != (command.subject_id is not None):
        raise CommandRejected(
            "subjectId is required where the scope is PARTICIPANT, and only there.", code="SHAPE", field="subjectId"
        )
    if command.hit_id is not None and context.actor.role is not Role.SYSTEM:
        raise CommandRejected("hitId is stated by the system only.", code="FORBIDDEN", field="hitId")
    of_rule = command.hit_id is not None and command.reason == reason_of_rule(command.rule_id)
    if not of_rule and concerns_one != isinstance(command.reason, SealedText):
        raise CommandRejected("reason is sealed for one participant only.", code="SHAPE", field="reason")
    hold_id = derived_id(command.hit_id, command.action) if command.hit_id else object_id(command.command_id, "hold")
    if hold_id in state.known_holds:
        return ()
    return (
        HoldPlaced(
            hold_id=hold_id,
            action=command.action,
            scope=command.scope,
            subject_id=command.subject_id,
            rule_id=command.rule_id,
            requires=command.requires,
            reason=command.reason,
        ),
    )


def reason_of_rule(rule_id: str | None) -> str:
    """The reason of a hold that a stopping rule causes: it names the rule and nothing else, so that it stays plain."""
    return f"The stopping rule {rule_id} was hit."


def _release(state: StudyState, command: ReleaseHold, context: Context) -> HoldReleased:
    hold = state.holds.get(command.hold_id)
    if hold is None:
        raise CommandRejected("No such hold is in force.", rule="STU-01", field="holdId")
    if hold.requires is HoldRequires.DSMB and command.dsmb_reference is None:
        raise CommandRejected(
            "This hold is released with the reference of the DSMB's decision.", rule="STU-01", field="dsmbReference"
        )
    if command.subject_id not in (None, hold.subject_id):
        raise CommandRejected("The hold concerns another participant.", code="SHAPE", field="subjectId")
    return HoldReleased(
        hold_id=command.hold_id, by=context.actor.id, reason=command.reason, dsmb_reference=command.dsmb_reference
    )


def _review(command: ReviewAuditTrail, context: Context) -> AuditTrailReviewed:
    if command.period_from >= command.period_to:
        raise CommandRejected("The period ends after it begins.", rule="AUD-10", field="to")
    if command.period_to > context.now:
        raise CommandRejected("What is still to come cannot have been reviewed.", rule="AUD-10", field="to")
    if (command.seal is None) != (command.seal_hash is None):
        raise CommandRejected("A seal is named by its number and its hash.", rule="AUD-10", field="sealHash")
    return AuditTrailReviewed.model_validate(
        {
            "from": command.period_from,
            "to": command.period_to,
            "seal": command.seal,
            "sealHash": command.seal_hash,
            "findings": command.findings,
        }
    )


def _publication(state: StudyState, command: PublishProtocol) -> ProtocolPublished:
    content = canonical_content(command.content)
    if any(known.version == command.version for known in state.protocols):
        raise CommandRejected(f"Version {command.version} was published before.", rule="STU-03", field="version")
    if any(known.hash == content_hash(content) for known in state.protocols):
        raise CommandRejected("This content was published before.", rule="STU-03", field="content")
    return ProtocolPublished(
        version=command.version,
        content=content,
        hash=content_hash(content),
        approved_by=command.approved_by,
        reason=command.reason,
        effective_at=command.effective_at,
    )


def evolve(state: StudyState, event: StudyEvent, recorded: Recorded) -> StudyState:
    """The state after an event; `recorded` tells when it was recorded."""
    match event:
        case ProtocolPublished():
            return published(state, event, recorded.envelope.recordedat)
        case SiteActivated():
            return state.with_sites({**state.approvals, event.site_id: event.approval_ref})
        case SiteDeactivated():
            return state.with_sites({site: ref for site, ref in state.approvals.items() if site != event.site_id})
        case HoldPlaced():
            return with_hold(state, event)
        case HoldReleased():
            envelope = recorded.envelope
            return without_hold(state, event.hold_id, Release(envelope.streamseq, envelope.recordedat))
        case SealingKeyPublished():
            return replace(state, sealing_keys=(*state.sealing_keys, event.public_key))
        case AccessWithdrawn() | AuditTrailReviewed():
            return state
        case _:
            assert_never(event)
