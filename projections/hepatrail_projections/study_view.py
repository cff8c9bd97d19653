"""The study as a pure fold of its stream: protocol versions, sites, holds, access withdrawn, keys, reviews."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from hepatrail_events.codec import Recorded
from hepatrail_events.envelope import GENESIS
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.protocol import Protocol
from hepatrail_events.study import (
    AccessWithdrawn,
    AuditTrailReviewed,
    HoldPlaced,
    HoldReleased,
    ProtocolPublished,
    SealingKeyPublished,
    SiteActivated,
    SiteDeactivated,
)
from hepatrail_events.types import SealedText
from hepatrail_projections.audit_review import AuditReviewRow
from hepatrail_projections.clinical.visits import VisitPlan
from hepatrail_projections.plan import visit_plan
from hepatrail_projections.sealing_key import SealingKeyRow
from hepatrail_projections.study import AccessWithdrawnRow, HoldRow, ProtocolRow, SiteRow


@dataclass(frozen=True, slots=True)
class PublishedProtocol:
    """A version of the protocol, read, with the visit plan that follows from it."""

    row: ProtocolRow
    protocol: Protocol
    plan: VisitPlan

    @property
    def version(self) -> str:
        """Its name."""
        return self.row.version


@dataclass(frozen=True, slots=True)
class StudyView:
    """The folded study stream."""

    version: int = 0
    last_hash: str = GENESIS
    recorded_at: datetime | None = None
    protocols: tuple[PublishedProtocol, ...] = ()
    sites: Mapping[str, SiteRow] = field(default_factory=dict)
    holds: Mapping[UUID, HoldRow] = field(default_factory=dict)
    access_withdrawn: tuple[AccessWithdrawnRow, ...] = ()
    sealing_keys: tuple[SealingKeyRow, ...] = ()
    audit_reviews: tuple[AuditReviewRow, ...] = ()

    def published_at(self, at: datetime) -> PublishedProtocol | None:
        """The version in force: the one that took effect last, of equal ones the last published; None before any."""
        effective = [known for known in self.protocols if known.row.effective_from <= at]
        return max(reversed(effective), key=lambda known: known.row.effective_from, default=None)

    def protocol_at(self, at: datetime) -> tuple[str, Protocol] | None:
        """Name and content of the version in force at an instant (aware), None before the first took effect."""
        found = self.published_at(at)
        return None if found is None else (found.version, found.protocol)

    def site_active(self, site_id: str) -> bool:
        """Whether the site may enrol."""
        site = self.sites.get(site_id)
        return site is not None and site.active

    @property
    def holds_in_force(self) -> tuple[HoldRow, ...]:
        """The holds that were not released, oldest first."""
        return tuple(hold for hold in self.holds.values() if hold.released_at is None)


EMPTY_STUDY = StudyView()


def fold_study(view: StudyView, recorded: Recorded) -> StudyView:
    """The view after the next event of the stream `study`; InvalidPayload when it cannot be understood."""
    envelope = recorded.envelope
    after = _step(view, recorded)
    return replace(after, version=envelope.streamseq, last_hash=recorded.hash, recorded_at=envelope.recordedat)


def _step(view: StudyView, recorded: Recorded) -> StudyView:
    envelope = recorded.envelope
    match recorded.event:
        case ProtocolPublished() as event:
            return replace(view, protocols=(*view.protocols, _published(event, recorded)))
        case SiteActivated() as event:
            site = SiteRow(event.site_id, True, event.approval_ref, None, envelope.recordedat, (envelope.id,))
            return _with_site(view, site)
        case SiteDeactivated() as event:
            site = SiteRow(event.site_id, False, None, event.reason, envelope.recordedat, (envelope.id,))
            return _with_site(view, site)
        case HoldPlaced() as event:
            return replace(view, holds={**view.holds, event.hold_id: _placed(event, recorded)})
        case HoldReleased() as event:
            return replace(view, holds={**view.holds, event.hold_id: _released(view, event, recorded)})
        case AccessWithdrawn() as event:
            row = AccessWithdrawnRow(
                envelope.streamseq,
                event.token_subject,
                event.jti,
                event.reason,
                envelope.recordedat,
                (envelope.id,),
            )
            return replace(view, access_withdrawn=(*view.access_withdrawn, row))
        case SealingKeyPublished() as event:
            return replace(view, sealing_keys=(*view.sealing_keys, _key(event, recorded)))
        case AuditTrailReviewed() as event:
            return replace(view, audit_reviews=(*view.audit_reviews, _review(event, recorded)))
        case other:
            raise InvalidPayload(f"{type(other).__name__} is no event of the study")


def _published(event: ProtocolPublished, recorded: Recorded) -> PublishedProtocol:
    envelope = recorded.envelope
    protocol = Protocol.read(event.content)
    row = ProtocolRow(
        version=event.version,
        streamseq=envelope.streamseq,
        content=orjson.loads(event.content),
        hash=event.hash,
        approved_by=event.approved_by,
        reason=event.reason,
        effective_at=event.effective_at,
        effective_from=max(event.effective_at, envelope.recordedat),
        published_at=envelope.recordedat,
        commit_id=envelope.commitid,
        event_ids=(envelope.id,),
    )
    return PublishedProtocol(row, protocol, visit_plan(protocol))


def _key(event: SealingKeyPublished, recorded: Recorded) -> SealingKeyRow:
    envelope = recorded.envelope
    return SealingKeyRow(
        streamseq=envelope.streamseq,
        public_key=event.public_key,
        reason=event.reason,
        published_at=envelope.recordedat,
        published_by=envelope.actorid,
        event_ids=(envelope.id,),
    )


def _review(event: AuditTrailReviewed, recorded: Recorded) -> AuditReviewRow:
    envelope = recorded.envelope
    return AuditReviewRow(
        streamseq=envelope.streamseq,
        period_from=event.period_from,
        period_to=event.period_to,
        seal=event.seal,
        seal_hash=event.seal_hash,
        findings=event.findings,
        reviewed_at=envelope.recordedat,
        reviewed_by=envelope.actorid,
        event_ids=(envelope.id,),
    )


def _with_site(view: StudyView, site: SiteRow) -> StudyView:
    before = view.sites.get(site.site_id)
    if before is not None:
        site = replace(
            site,
            approval_ref=site.approval_ref or before.approval_ref,
            event_ids=(*before.event_ids, *site.event_ids),
        )
    return replace(view, sites={**view.sites, site.site_id: site})


def _placed(event: HoldPlaced, recorded: Recorded) -> HoldRow:
    envelope = recorded.envelope
    return HoldRow(
        hold_id=event.hold_id,
        streamseq=envelope.streamseq,
        action=event.action.value,
        scope=event.scope.value,
        subject_id=event.subject_id,
        rule_id=event.rule_id,
        requires=event.requires.value,
        reason=_reason(event.reason),
        placed_at=envelope.recordedat,
        placed_by=envelope.actorid,
        released_at=None,
        released_by=None,
        release_reason=None,
        dsmb_reference=None,
        event_ids=(envelope.id,),
    )


def _released(view: StudyView, event: HoldReleased, recorded: Recorded) -> HoldRow:
    hold = view.holds.get(event.hold_id)
    if hold is None:
        raise InvalidPayload(f"the study has no hold {event.hold_id}")
    return replace(
        hold,
        released_at=recorded.envelope.recordedat,
        released_by=event.by,
        release_reason=_reason(event.reason),
        dsmb_reference=event.dsmb_reference,
        event_ids=(*hold.event_ids, recorded.envelope.id),
    )


def _reason(reason: SealedText | str) -> dict[str, Any]:
    return {"text": reason} if isinstance(reason, str) else reason.payload()
