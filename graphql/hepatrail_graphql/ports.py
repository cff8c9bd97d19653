"""What the API needs of the processes and servers around it; each is given, none is made here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.codec import Recorded
from hepatrail_events.commands import Actor
from hepatrail_events.decisions import Decision
from hepatrail_infra.clock import Clock
from hepatrail_projections.access_record import AccessFilter, AccessRow
from hepatrail_projections.alert import AlertFilter, AlertRow
from hepatrail_projections.audit_review import AuditReviewRow
from hepatrail_projections.checkpoint_seal import SealRow
from hepatrail_projections.clock_reading import ClockFilter
from hepatrail_projections.data_query import QueryFilter, QueryRow
from hepatrail_projections.decision import DecisionRow, RejectedFilter
from hepatrail_projections.desk_reading import DeskEntry, DeskRead, EscalationFilter
from hepatrail_projections.endpoints.answer import OutcomesRead
from hepatrail_projections.event import EventFilter, EventRow
from hepatrail_projections.finding_reading import FindingFilter
from hepatrail_projections.proofs import ConsistencyRead, InclusionRead
from hepatrail_projections.reading import Page, StatusRead, SubjectRead
from hepatrail_projections.reporting_clock import ReportingClockRow
from hepatrail_projections.safety_finding import SafetyFindingRow
from hepatrail_projections.stopping_hit import StoppingRuleHitRow
from hepatrail_projections.study import AccessWithdrawnRow, HoldRow, ProtocolRow
from hepatrail_projections.subject import SubjectFilter, SubjectRow
from hepatrail_projections.trail.row import TrailFilter, TrailPlace, TrailRow
from hepatrail_services.access_log import Access
from hepatrail_services.gateway import Pending

__all__ = ["AccessLog", "Clock", "Decisions", "Gateway", "Notifications", "Reader"]


class Gateway(Protocol):
    """Takes commands to the deciders; `hepatrail_services.gateway.Gateway` is one."""

    async def submit(
        self,
        name: str,
        raw_input: Mapping[str, Any],
        actor: Actor,
        *,
        traceparent: str | None = None,
        correlationid: str | None = None,
    ) -> Decision | Pending:
        """The decision; CommandRejected for what the gateway refuses, Unavailable when nothing was sent."""
        ...


class Decisions(Protocol):
    """The reading of decisions; `hepatrail_services.command_bus.CommandBus` does it."""

    @property
    def alive(self) -> bool:
        """Whether decisions are being read."""
        ...


class Notifications(Protocol):
    """Word that something was projected."""

    async def wait_change(self, timeout: float) -> bool:  # noqa: ASYNC109
        """Waits for the next change, at most `timeout` seconds; whether there was one."""
        ...

    def version(self, stream: str) -> int:
        """The highest version of a stream that there was word of; 0 when there was none."""
        ...

    @property
    def connections(self) -> int:
        """How often word began to arrive: with every further time, some may have been lost before."""
        ...


class AccessLog(Protocol):
    """The log of refusals and of reads of the trail (AUD-07); both raise Unavailable when it cannot be written."""

    async def refused(
        self,
        actor: Actor | None,
        command: str,
        *,
        code: str,
        rule: str | None = None,
        field: str | None = None,
        bodyhash: str | None = None,
        commandid: UUID | None = None,
    ) -> None:
        """Something was refused before it reached a decider."""
        ...

    async def write(
        self, kind: Access, actor: Actor | None = None, *, detail: Mapping[str, Any] | None = None, **fields: Any
    ) -> None:
        """Anything else that must be on record."""
        ...


class OutcomesReader(Protocol):
    """The outcomes; `hepatrail_projections.endpoints.worker.OutcomeWorker` works them out in another process."""

    async def outcomes(self, as_of: datetime | None = None) -> OutcomesRead:
        """Now or as of an instant (aware); Unavailable when they cannot be had."""
        ...


class Reader(Protocol):
    """The projections; `hepatrail_projections.reading.Reader` is one. Lost connections are Unavailable."""

    async def subject(self, subject_id: str, as_of: datetime | None = None) -> SubjectRead | None:
        """A participant now or as of an instant."""
        ...

    async def participants(
        self, subject_ids: Sequence[str], as_of: datetime | None = None, *, alerts: bool = False, courses: bool = False
    ) -> dict[str, SubjectRead]:
        """Participants by id, now or as of an instant, in as many statements as for one."""
        ...

    async def subjects(self, first: int, after: str | None = None, chosen: SubjectFilter = ...) -> Page[SubjectRow]:
        """Participants by id."""
        ...

    async def alerts(self, first: int, after: int | None = None, chosen: AlertFilter = ...) -> Page[AlertRow]:
        """Alerts by alertSeq."""
        ...

    async def alert(self, alert_id: UUID) -> AlertRow | None:
        """One alert."""
        ...

    async def alert_seq_until(self, streamseq: int) -> int:
        """The number of the last alert at or before a place on the desk."""
        ...

    async def desk_after(self, after: int | None, limit: int = ...) -> DeskRead:
        """The desk's events behind a streamseq with their alerts, and the desk's end."""
        ...

    async def escalations(self, first: int, after: int = ..., chosen: EscalationFilter = ...) -> Page[DeskEntry]:
        """Escalations in the desk's order."""
        ...

    async def stopping_rule_hits(self) -> list[StoppingRuleHitRow]:
        """All hits of stopping rules."""
        ...

    async def reporting_clocks(
        self, first: int, after: tuple[datetime, UUID] | None = None, chosen: ClockFilter = ...
    ) -> Page[ReportingClockRow]:
        """Reporting clocks by (due, id)."""
        ...

    async def site_zone(self) -> ZoneInfo:
        """The time zone of the sites."""
        ...

    async def stream_events_after(self, stream: str, streamseq: int, limit: int = ...) -> list[Recorded]:
        """A stream's events behind a streamseq, in order."""
        ...

    async def decision(self, stream: str, command_id: UUID) -> DecisionRow | None:
        """What became of a command."""
        ...

    async def queries_opened(self, subject_id: str, event_ids: Sequence[UUID]) -> tuple[QueryRow, ...]:
        """The queries of a participant that the commit of these events opened."""
        ...

    async def data_queries(
        self, first: int, after: tuple[str, UUID] | None = None, chosen: QueryFilter = ...
    ) -> Page[QueryRow]:
        """Data queries by (participant, query)."""
        ...

    async def safety_findings(
        self,
        first: int,
        after: tuple[str, UUID] | None = None,
        chosen: FindingFilter = ...,
        as_of: datetime | None = None,
    ) -> Page[SafetyFindingRow]:
        """Findings of the radar by (participant, finding)."""
        ...

    async def events(
        self, first: int, after: tuple[datetime, str, int] | None = None, chosen: EventFilter = ...
    ) -> Page[EventRow]:
        """Events by (recordedAt, stream, streamseq)."""
        ...

    async def trail(self, first: int, after: TrailPlace | None = None, chosen: TrailFilter = ...) -> Page[TrailRow]:
        """Rows of the trail by (recordedAt, stream, streamseq, row); a page may be short although more follow."""
        ...

    async def rejected(
        self, first: int, after: tuple[datetime, int, int] | None = None, chosen: RejectedFilter = ...
    ) -> Page[DecisionRow]:
        """Rejected commands by (recordedAt, partition, offset)."""
        ...

    async def access(self, first: int, after: int | None = None, chosen: AccessFilter = ...) -> Page[AccessRow]:
        """Records of the access log by offset."""
        ...

    async def seals(self, first: int, before: int | None = None) -> Page[SealRow]:
        """Seals, the newest first, those with a number below `before`."""
        ...

    async def seal(self, number: int | None = None) -> SealRow | None:
        """One seal; None: the last."""
        ...

    async def inclusion(self, event_id: UUID, number: int | None = None) -> InclusionRead | None:
        """That an event is in a seal, in the last without a number; None when it is not, or there is no such seal."""
        ...

    async def consistency(self, partition: int, first: int, second: int) -> ConsistencyRead | None:
        """That a partition's tree in one seal begins that in a later one; None when there is no such seal."""
        ...

    async def reviews(self) -> list[AuditReviewRow]:
        """The reviews of the trail, in their order."""
        ...

    async def holds(self) -> list[HoldRow]:
        """All holds."""
        ...

    async def access_withdrawn(self) -> list[AccessWithdrawnRow]:
        """The tokens that are refused."""
        ...

    async def protocol(self, as_of: datetime | None = None) -> ProtocolRow | None:
        """The protocol version in force."""
        ...

    async def stream_version(self, stream: str) -> int:
        """How far a stream is projected."""
        ...

    async def status(self) -> StatusRead:
        """How far everything is."""
        ...
