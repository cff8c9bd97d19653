"""What would differ under another protocol, asked of the live projection: read in one snapshot, nothing is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from hepatrail_events.codec import Recorded
from hepatrail_events.protocol import Protocol
from hepatrail_events.streams import subject_stream
from hepatrail_projections.collecting import without_gc
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.endpoints.outcomes import Facts, facts_of, outcomes, unchanged
from hepatrail_projections.event import EVENT, events_of_many
from hepatrail_projections.offset import complete_to_of
from hepatrail_projections.quarantine import parked_records
from hepatrail_projections.queries.enrolment import over_planned
from hepatrail_projections.responsible_event import ResponsibleEvent, responsible
from hepatrail_projections.snapshots import Snapshots
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_projections.subject import subject_ids
from hepatrail_projections.subject_reading import open_at
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.table import Connection
from hepatrail_projections.whatif import ProtocolDifference, differences
from hepatrail_projections.whatif_answer import WhatIf
from hepatrail_projections.whatif_outcomes import (
    OutcomeDifference,
    OutcomeDifferences,
    named,
    outcome_differences,
)
from hepatrail_projections.whatif_study import from_the_start, taken_effect

_AT_ONCE = 20
"""Participants whose events are held at the same time."""
_NAMED_AT_ONCE = 1000
"""Events that are read again for their names at the same time."""


class WhatIfReader(Snapshots):
    """Compares through a pool of the role `hepatrail_reader`. Lost connections are Unavailable."""

    async def what_if(
        self,
        protocol: Protocol,
        as_of: datetime | None = None,
        *,
        always: bool = False,
        subject_id: str | None = None,
    ) -> WhatIf:
        """The differences now, or as of an instant (aware), of all participants or of one, by participant.

        The other protocol takes effect at that instant, or, `always`, has been the only one from the start. Outcomes
        are compared when all participants are. Raises Unavailable, and InvalidMessage when an event cannot be read.
        """
        async with self._snapshot() as connection:
            at = as_of or await self._latest(connection)
            study = await self._study_view(connection, at)
            other = from_the_start(study, protocol, at) if always else taken_effect(study, protocol, at)
            asked = await subject_ids(connection) if subject_id is None else [subject_id]
            found: list[ProtocolDifference] = []
            sides = _Sides(study.published_at(at), other.published_at(at))
            participants = 0
            for first in range(0, len(asked), _AT_ONCE):
                pairs = await _derived(connection, asked[first : first + _AT_ONCE], study, other, at)
                participants += len(pairs)
                for pair in pairs:
                    found += differences(pair.now, pair.then, pair.events, at)
                    if subject_id is None:
                        sides.add(pair)
            parked = await parked_records(connection, None if subject_id is None else subject_stream(subject_id))
            return WhatIf(
                at=at,
                complete_to=await complete_to_of(connection),
                in_force=sides.published,
                hash=other.protocols[-1].row.hash,
                participants=participants,
                differences=tuple(found),
                outcomes=None if subject_id is not None else await _outcomes(connection, sides, at),
                parked=tuple(sorted({each.stream for each in parked if each.stream is not None})),
            )

    async def _latest(self, connection: Connection) -> datetime:
        """Now, and never before what was recorded: this machine's clock may be behind that of a decider."""
        recorded = await connection.fetchval(f"SELECT max(recorded_at) FROM {EVENT.name}")  # noqa: S608
        return max(self._clock.now(), recorded or self._clock.now())


@dataclass(frozen=True, slots=True)
class _Pair:
    """A participant's rows as they are and as they would be, and all events behind them."""

    events: Sequence[Recorded]
    now: SubjectRows
    then: SubjectRows


async def _derived(
    connection: Connection, some: Sequence[str], study: StudyView, other: StudyView, at: datetime
) -> list[_Pair]:
    recorded = await events_of_many(connection, [subject_stream(each) for each in some], at)
    made = {
        each: tuple(_both(each, recorded[subject_stream(each)], study, other, at))
        for each in some
        if subject_stream(each) in recorded
    }
    enrolled = [each for each, (rows, _) in made.items() if rows.subject.enrolled_at is not None]
    too_many = [
        await over_planned(connection, each.published_at(at), enrolled) if enrolled else {} for each in (study, other)
    ]
    return [
        _Pair(
            recorded[subject_stream(each)],
            *(open_at(rows, at, late.get(each)) for rows, late in zip(both, too_many, strict=True)),
        )
        for each, both in made.items()
    ]


def _both(
    subject_id: str, events: Sequence[Recorded], study: StudyView, other: StudyView, at: datetime
) -> Iterator[SubjectRows]:
    view = fold_all(subject_id, events)
    yield derive(view, study, at)
    yield derive(view, other, at)


class _Sides:
    """What each participant contributes to the outcomes under both protocols: all that is kept of their rows."""

    def __init__(self, published: PublishedProtocol | None, other: PublishedProtocol | None) -> None:
        self.published = published
        self._other = other
        self._now: list[Facts] = []
        self._then: list[Facts] = []

    def add(self, pair: _Pair) -> None:
        """One more participant."""
        now = None if self.published is None else facts_of(pair.now, self.published.protocol)
        then = None if self._other is None else facts_of(pair.then, self._other.protocol)
        if now is not None:
            self._now.append(now)
        if then is not None:
            # What is equal is held once, and seen to be equal at once.
            self._then.append(then if now is None else unchanged(then, now))

    def differences(self, at: datetime) -> list[OutcomeDifference]:
        """What would differ in the tables of all that were added."""
        return list(outcome_differences(outcomes(self._now, self.published, at), outcomes(self._then, self._other, at)))


async def _outcomes(connection: Connection, sides: _Sides, at: datetime) -> OutcomeDifferences:
    with without_gc():
        found = sides.differences(at)
    wanted = list({event_id for each in found for event_id in each.event_ids})
    events: list[ResponsibleEvent] = []
    for first in range(0, len(wanted), _NAMED_AT_ONCE):
        rows = await EVENT.where(connection, "event_id = ANY ($1)", wanted[first : first + _NAMED_AT_ONCE])
        events += (responsible(row.recorded()) for row in rows)
    return named(found, events)
