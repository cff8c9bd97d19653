"""What the API may ask of the projections. Every answer comes from one snapshot of the live schema."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.codec import Recorded
from hepatrail_events.streams import SAFETY_DESK, subject_stream
from hepatrail_projections import subject_reading
from hepatrail_projections.alert import AlertRow, alerts_of
from hepatrail_projections.audit_reading import AuditReader
from hepatrail_projections.data_query import ANY_QUERY, QueryFilter, QueryRow
from hepatrail_projections.decision import DecisionRow, decision_of
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.event import ANY_EVENT, EventFilter, EventRow, events_after, stream_events
from hepatrail_projections.finding_reading import ANY_FINDING, FindingFilter, findings_after, findings_as_of
from hepatrail_projections.meta import SafetyStatus, live_schema, read_safety_status
from hepatrail_projections.offset import OffsetRow, complete_to_of, offsets
from hepatrail_projections.quarantine import QuarantineRow, parked_of, parked_records
from hepatrail_projections.queries.reading import opened_by_commit, queries_of_trial
from hepatrail_projections.safety_finding import SafetyFindingRow
from hepatrail_projections.snapshots import MAX_PAGE, Page, bounded, fold_study_events, page, zone_at
from hepatrail_projections.stream_head import version_of
from hepatrail_projections.study import (
    ACCESS_WITHDRAWN,
    HOLD,
    PROTOCOL,
    SITE,
    AccessWithdrawnRow,
    HoldRow,
    ProtocolRow,
    SiteRow,
)
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject import ANY_SUBJECT, SubjectFilter, SubjectRow, subjects_after
from hepatrail_projections.subject_reading import Course
from hepatrail_projections.table import Connection

__all__ = ["Page", "Reader", "StatusRead", "SubjectRead", "fold_study_events"]

Answer = TypeVar("Answer")
Work: TypeAlias = Callable[[Connection, StudyView, datetime | None, datetime], Awaitable[Answer]]
"""Reads by a connection whose snapshot is that of the study; given the instant asked for, and now."""

_WAIT = timedelta(seconds=2)
_POLL = 0.1


@dataclass(frozen=True, slots=True)
class SubjectRead:
    """A participant's rows at `version`.

    `complete_to`: every event recorded until then is in the projections (None: not known yet). `provisional`: an
    `as_of` later than that, or a parked participant; the answer may change. `parked` is what could not be read,
    `alerts` are all of the participant as they stand now, `course` is for what no table holds; both are there when
    they were asked for. `zone` is that of the sites.
    """

    rows: SubjectRows
    version: int
    complete_to: datetime | None
    provisional: bool
    parked: tuple[QuarantineRow, ...]
    zone: ZoneInfo
    alerts: tuple[AlertRow, ...] = ()
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class StatusRead:
    """How far the projections are: the safety process' row, the desk as projected, offsets, what is parked."""

    schema: str
    safety: SafetyStatus | None
    desk_version: int
    desk_alert_seq: int
    complete_to: datetime | None
    offsets: tuple[OffsetRow, ...]
    parked: tuple[QuarantineRow, ...]


class Reader(AuditReader):
    """Reads through a pool of the role `hepatrail_reader`. Lost connections are Unavailable."""

    async def subject(self, subject_id: str, as_of: datetime | None = None) -> SubjectRead | None:
        """A participant now or as of an instant (aware); None when nothing was recorded of them until then.

        Waits up to 2 s for the projections to be complete to `as_of`.
        """
        return (await self.participants([subject_id], as_of)).get(subject_id)

    async def participants(
        self, subject_ids: Sequence[str], as_of: datetime | None = None, *, alerts: bool = False, courses: bool = False
    ) -> dict[str, SubjectRead]:
        """Participants by id, now or as of an instant (aware), in one snapshot and as many statements as for one.

        Left out are those of whom nothing was recorded until then. Waits up to 2 s for the projections to be complete
        to `as_of`. `alerts` and `courses` say whether those are wanted too.
        """
        await self._wait_until_complete(as_of)
        async with self._snapshot() as connection:
            study = await self._study_view(connection, as_of)
            found = await subject_reading.rows_of(
                connection, subject_ids, study, as_of, self._clock.now(), courses=courses
            )
            complete_to = await complete_to_of(connection)
            parked = await parked_of(connection, [subject_stream(each) for each in found])
            raised = await alerts_of(connection, list(found)) if alerts else {}
        late = as_of is not None and (complete_to is None or as_of > complete_to)
        reads, zone = {}, zone_at(study, as_of or self._clock.now())
        for subject_id, derived in found.items():
            held = tuple(parked.get(subject_stream(subject_id), ()))
            reads[subject_id] = SubjectRead(
                rows=derived.rows,
                version=derived.rows.subject.version,
                complete_to=complete_to,
                provisional=late or bool(held),
                parked=held,
                zone=zone,
                alerts=tuple(raised.get(subject_id, ())),
                course=derived.course,
            )
        return reads

    async def subjects(
        self, first: int, after: str | None = None, chosen: SubjectFilter = ANY_SUBJECT
    ) -> Page[SubjectRow]:
        """Participants by id, those behind the id `after`."""
        async with self._snapshot() as connection:
            return page(await subjects_after(connection, after, chosen, bounded(first) + 1), first)

    async def stream_events_after(self, stream: str, streamseq: int, limit: int = MAX_PAGE) -> list[Recorded]:
        """A stream's events behind a streamseq, in order; of the desk AlertRaised, AlertAcknowledged, ..."""
        async with self._snapshot() as connection:
            return await stream_events(connection, stream, streamseq, bounded(limit))

    async def decision(self, stream: str, command_id: UUID) -> DecisionRow | None:
        """What became of a command; None while it is not known here."""
        async with self._snapshot() as connection:
            return await decision_of(connection, stream, command_id)

    async def queries_opened(self, subject_id: str, event_ids: Sequence[UUID]) -> tuple[QueryRow, ...]:
        """The queries of a participant that the commit of these events opened."""
        async with self._snapshot() as connection:
            study = await self._study_view(connection, None)
            return await opened_by_commit(connection, study, subject_stream(subject_id), event_ids)

    async def data_queries(
        self, first: int, after: tuple[str, UUID] | None = None, chosen: QueryFilter = ANY_QUERY
    ) -> Page[QueryRow]:
        """Data queries that have opened, by (participant, query), those behind `after`."""
        async with self._snapshot() as connection:
            study, now = await self._study_view(connection, None), self._clock.now()
            return page(await queries_of_trial(connection, study, now, after, chosen, bounded(first) + 1), first)

    async def safety_findings(
        self,
        first: int,
        after: tuple[str, UUID] | None = None,
        chosen: FindingFilter = ANY_FINDING,
        as_of: datetime | None = None,
    ) -> Page[SafetyFindingRow]:
        """Findings of the radar, now or as of an instant (aware), by (participant, finding), those behind `after`."""
        await self._wait_until_complete(as_of)
        async with self._snapshot() as connection:
            if as_of is None:
                rows = await findings_after(connection, after, chosen, self._clock.now(), bounded(first) + 1)
            else:
                study = await self._study_view(connection, as_of)
                rows = await findings_as_of(connection, study, after, chosen, as_of, bounded(first) + 1)
        return page(rows, first)

    async def events(
        self, first: int, after: tuple[datetime, str, int] | None = None, chosen: EventFilter = ANY_EVENT
    ) -> Page[EventRow]:
        """Events by (recordedAt, stream, streamseq), those behind `after`, up to the moment of completeness."""
        async with self._snapshot() as connection:
            until = await complete_to_of(connection)
            rows = [] if until is None else await events_after(connection, after, until, chosen, bounded(first) + 1)
        return page(rows, first)

    async def holds(self) -> list[HoldRow]:
        """All holds, oldest first; in force while `released_at` is None."""
        async with self._snapshot() as connection:
            return await HOLD.where(connection, "true", order="streamseq")

    async def sites(self) -> list[SiteRow]:
        """All sites, by id."""
        async with self._snapshot() as connection:
            return await SITE.where(connection, "true")

    async def access_withdrawn(self) -> list[AccessWithdrawnRow]:
        """The tokens that are refused."""
        async with self._snapshot() as connection:
            return await ACCESS_WITHDRAWN.where(connection, "true")

    async def protocol(self, as_of: datetime | None = None) -> ProtocolRow | None:
        """The protocol version in force at `as_of`, now without; None before the first took effect."""
        async with self._snapshot() as connection:
            rows = await PROTOCOL.where(
                connection,
                "effective_from <= $1",
                as_of or self._clock.now(),
                order="effective_from DESC, streamseq DESC",
                limit=1,
            )
        return rows[0] if rows else None

    async def stream_version(self, stream: str) -> int:
        """How far a stream is projected; 0 when nothing of it is."""
        async with self._snapshot() as connection:
            return await version_of(connection, stream)

    async def complete_to(self) -> datetime | None:
        """The moment until which every recorded event is projected."""
        async with self._snapshot() as connection:
            return await complete_to_of(connection)

    async def parked(self) -> tuple[QuarantineRow, ...]:
        """Everything that could not be read and was not released."""
        async with self._snapshot() as connection:
            return await parked_records(connection, None)

    async def status(self) -> StatusRead:
        """How far everything is."""
        async with self._snapshot() as connection:
            return StatusRead(
                schema=await live_schema(connection, self._version),
                safety=await read_safety_status(connection),
                desk_version=await version_of(connection, SAFETY_DESK),
                desk_alert_seq=await connection.fetchval("SELECT coalesce(max(alert_seq), 0) FROM alert"),
                complete_to=await complete_to_of(connection),
                offsets=await offsets(connection),
                parked=await parked_records(connection, None),
            )

    async def answer(self, work: Work[Answer], as_of: datetime | None = None) -> tuple[Answer, datetime | None]:
        """What `work` makes of one snapshot, and the moment until which every recorded event is in it.

        Waits up to 2 s for the projections to be complete to `as_of` (aware).
        """
        await self._wait_until_complete(as_of)
        async with self._snapshot() as connection:
            study = await self._study_view(connection, as_of)
            answer = await work(connection, study, as_of, self._clock.now())
            return answer, await complete_to_of(connection)

    async def _wait_until_complete(self, as_of: datetime | None) -> None:
        # Completeness trails the clock by 4 s, so what is nearer than 2 s cannot be reached in 2 s.
        now = self._clock.now()
        if as_of is None or as_of > now - _WAIT:
            return
        deadline = asyncio.get_running_loop().time() + _WAIT.total_seconds()
        while asyncio.get_running_loop().time() < deadline:
            complete_to = await self.complete_to()
            if complete_to is not None and as_of <= complete_to:
                return
            await asyncio.sleep(_POLL)
