"""What every decision knows of the study: protocol in force, active sites, holds in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from hepatrail_events.errors import CommandRejected
from hepatrail_events.protocol import Protocol
from hepatrail_events.study import HoldAction, HoldPlaced, HoldRequires, HoldScope, ProtocolPublished


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
    """A hold in force; `rule_id` is the stopping rule behind it, None where a person placed it."""

    hold_id: UUID
    action: HoldAction
    scope: HoldScope
    subject_id: str | None
    requires: HoldRequires
    rule_id: str | None = None

    def concerns(self, subject_id: str) -> bool:
        """Whether the participant has to wait."""
        return self.scope is HoldScope.TRIAL or self.subject_id == subject_id


@dataclass(frozen=True, slots=True)
class Release:
    """Where in the study, and when, a hold was released."""

    streamseq: int
    recorded_at: datetime

    def precedes(self, studyseq: int, at: datetime) -> bool:
        """Whether something was said after it: by somebody who knew of it, or later than it."""
        return studyseq >= self.streamseq or at > self.recorded_at


@dataclass(frozen=True, slots=True)
class StudyState:
    """The folded study stream. `approvals` are those of the active sites."""

    version: int = 0
    protocols: tuple[PublishedProtocol, ...] = ()
    approvals: Mapping[str, str] = field(default_factory=dict)
    holds: Mapping[UUID, Hold] = field(default_factory=dict)
    known_holds: frozenset[UUID] = frozenset()
    released: Mapping[UUID, Release] = field(default_factory=dict)
    sealing_keys: tuple[str, ...] = ()

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

    def held(self, action: HoldAction, subject_id: str) -> Hold | None:
        """The oldest hold of this kind that is in force for the participant or the trial; None: nothing is held."""
        return next((hold for hold in self.holds.values() if hold.action is action and hold.concerns(subject_id)), None)

    def refuse_held(self, action: HoldAction, subject_id: str, rule: str) -> None:
        """CommandRejected by `rule` while a hold of this kind is in force; the sentence names the hold."""
        hold = self.held(action, subject_id)
        if hold is not None:
            what = "sessions" if action is HoldAction.HOLD_SESSIONS else "enrolment"
            behind = "" if hold.rule_id is None else f" of the stopping rule {hold.rule_id}"
            raise CommandRejected(f"A hold on {what} is in force: hold {hold.hold_id}{behind}.", rule=rule)

    def with_sites(self, approvals: Mapping[str, str]) -> "StudyState":
        """The state with these sites active."""
        return replace(self, approvals=approvals)


def published(state: StudyState, event: ProtocolPublished, recorded_at: datetime) -> StudyState:
    """The state after a publication."""
    effective_from = max(event.effective_at, recorded_at)
    known = PublishedProtocol(event.version, event.hash, effective_from, event.content)
    return replace(state, protocols=(*state.protocols, known))


def with_hold(state: StudyState, event: HoldPlaced) -> StudyState:
    """The state with the hold in force."""
    hold = Hold(event.hold_id, event.action, event.scope, event.subject_id, event.requires, event.rule_id)
    holds = {**state.holds, event.hold_id: hold}
    return replace(state, holds=holds, known_holds=state.known_holds | {event.hold_id})


def without_hold(state: StudyState, hold_id: UUID, release: Release) -> StudyState:
    """The state with the hold released; it stays known."""
    holds = {known: hold for known, hold in state.holds.items() if known != hold_id}
    return replace(state, holds=holds, released={**state.released, hold_id: release})
