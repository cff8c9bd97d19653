"""Reading the live projection: every answer comes from one snapshot of its schema."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

import asyncpg

from hepatrail_events.codec import Recorded
from hepatrail_events.streams import STUDY
from hepatrail_infra.clock import Clock, SystemClock
from hepatrail_infra.postgres import translate_errors
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.event import events_of
from hepatrail_projections.meta import enter_live_schema
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.table import Connection
from hepatrail_projections.version import PROJECTION_VERSION

MAX_PAGE = 200

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a keyset list; `has_next` says whether more follow its last item."""

    items: tuple[Item, ...]
    has_next: bool


class Snapshots:
    """Reads through a pool of the role `hepatrail_reader`. Lost connections are Unavailable."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock | None = None, version: int = PROJECTION_VERSION) -> None:
        self._pool = pool
        self._clock = clock or SystemClock()
        self._version = version
        self._study: tuple[str, StudyView] = ("", EMPTY_STUDY)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        with translate_errors():
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                await enter_live_schema(connection, self._version)
                yield connection

    async def _study_view(self, connection: Connection, as_of: datetime | None) -> StudyView:
        if as_of is not None:
            return fold_study_events(await events_of(connection, STUDY, as_of))
        head = await connection.fetchval("SELECT hash FROM stream_head WHERE stream = $1", STUDY)
        if head is None:
            return EMPTY_STUDY
        if self._study[0] != head:
            self._study = (head, fold_study_events(await events_of(connection, STUDY)))
        return self._study[1]


def fold_study_events(events: Sequence[Recorded]) -> StudyView:
    """The study after these events."""
    view = EMPTY_STUDY
    for recorded in events:
        view = fold_study(view, recorded)
    return view


def zone_at(study: StudyView, at: datetime) -> ZoneInfo:
    """The time zone of the sites by the protocol in force at an instant (aware); UTC before the first took effect."""
    published = study.published_at(at)
    return site_zone("UTC" if published is None else published.protocol.site_zone)


def bounded(first: int) -> int:
    """A page's length; ValueError unless it is 1 to 200."""
    if not 1 <= first <= MAX_PAGE:
        raise ValueError(f"first must be 1 to {MAX_PAGE}")
    return first


def page(rows: Sequence[Item], first: int) -> Page[Item]:
    """The page of `first` items, when one more was asked for."""
    return Page(tuple(rows[:first]), len(rows) > first)
