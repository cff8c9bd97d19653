"""What every decision knows of the study: protocol in force, active sites, holds in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_events.study import HoldAction, HoldRequires, HoldScope, ProtocolPublished


@lru_cache(maxsize=32)
def _read(content: str) -> Protocol:
    return Protocol.read(content)


@dataclass(frozen=True, slots=True)
class PublishedProtocol:
    """A published version; `effective_from` is the later of effectiveAt and recordedAt (STU-03)."""

    version: str
    hash: str
    effective_from: datetime
    content: str

    @property
    def protocol(self) -> Protocol:
        """The content, read; InvalidPayload when this program cannot read it."""
        return _read(self.content)


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in force."""

    action: HoldAction
    scope: HoldScope
    subject_id: str | None
    requires: HoldRequires

    def concerns(self, subject_id: str) -> bool:
        """Whether the participant has to wait."""
        return self.scope is HoldScope.TRIAL or self.subject_id == subject_id


@dataclass(frozen=True, slots=True)
class StudyState:
    """The folded study stream. `approvals` are those of the active sites."""

    version: int = 0
    protocols: tuple[PublishedProtocol, ...] = ()
    approvals: Mapping[str, str] = field(default_factory=dict)
    holds: Mapping[UUID, Hold] = field(default_factory=dict)
    known_holds: frozenset[UUID] = frozenset()

    @property
    def published(self) -> bool:
        """Whether any protocol was published."""
        return bool(self.protocols)

    def protocol_at(self, now: datetime) -> PublishedProtocol | None:
        """The version in force: the one that took effect last; None before the first does."""
        effective = [known for known in self.protocols if known.effective_from <= now]
        return max(reversed(effective), key=lambda known: known.effective_from, default=None)

    def site_active(self, site_id: str) -> bool:
        """Whether the site may enrol."""
        return site_id in self.approvals

    def held(self, action: HoldAction, subject_id: str) -> bool:
        """Whether a hold of this kind is in force for the participant or the trial."""
        return any(hold.action is action and hold.concerns(subject_id) for hold in self.holds.values())

    def with_sites(self, approvals: Mapping[str, str]) -> "StudyState":
        """The state with these sites active."""
        return replace(self, approvals=approvals)


def published(state: StudyState, event: ProtocolPublished, recorded_at: datetime) -> StudyState:
    """The state after a publication."""
    effective_from = max(event.effective_at, recorded_at)
    known = PublishedProtocol(event.version, event.hash, effective_from, event.content)
    return replace(state, protocols=(*state.protocols, known))


def with_hold(state: StudyState, hold_id: UUID, hold: Hold) -> StudyState:
    """The state with the hold in force."""
    return replace(state, holds={**state.holds, hold_id: hold}, known_holds=state.known_holds | {hold_id})


def without_hold(state: StudyState, hold_id: UUID) -> StudyState:
    """The state with the hold released; it stays known."""
    return replace(state, holds={known: hold for known, hold in state.holds.items() if known != hold_id})
