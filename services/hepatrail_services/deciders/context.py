"""What a decision knows besides its stream: the moment, the caller, the study."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.commands import Actor
from hepatrail_events.protocol import Protocol
from hepatrail_events.types import PartialDate
from hepatrail_services.deciders.study_state import StudyState
from hepatrail_services.deciders.times import refuse_future


@dataclass(frozen=True, slots=True)
class Context:
    """The moment of the decision (which becomes recordedAt) and who asked."""

    now: datetime
    actor: Actor
    command_id: UUID
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """The context of a command under the protocol in force."""

    context: Context
    study: StudyState
    protocol: Protocol

    @property
    def now(self) -> datetime:
        """The moment of the decision."""
        return self.context.now

    @property
    def zone(self) -> ZoneInfo:
        """Civil time of the sites."""
        return ZoneInfo(self.protocol.site_zone)

    def past(self, field: str, when: datetime | PartialDate | None) -> None:
        """INV-06: CommandRejected when a clinical time lies in the future; an absent one does not."""
        if when is not None:
            refuse_future(field, when, self.now, self.zone)
