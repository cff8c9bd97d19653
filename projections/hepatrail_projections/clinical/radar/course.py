"""What was known when: versions of records by the time of recording, and since when a finding has held.

The log only grows, so a finding comes with what is added and goes when something is mended, judged or added that
accounts for it. It is enough to look just before and just after each event that may take it away, and once at the end.
Nothing here looks at a clock.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from hepatrail_projections.clinical.radar.sighting import About, Seen
from hepatrail_projections.corrections import Superseded

_RESOLUTION = timedelta(microseconds=1)
"""Moments of recording are whole milliseconds: so long after one nothing else was recorded."""

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)


class Point(NamedTuple):
    """A moment of recording at which a finding may go, and the event that may take it away."""

    at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Version(Generic[F_co]):
    """A record as it stood from `since` until another version took its place (`until` None: it stands)."""

    fact: F_co
    since: datetime
    made_by: UUID
    until: datetime | None = None
    ended_by: UUID | None = None

    def known_before(self, at: datetime | None) -> bool:
        """Whether it stood just before a moment; None asks for the end of the log."""
        if at is None:
            return self.until is None
        return self.since < at and (self.until is None or self.until >= at)


def versions(current: F, earlier: Iterable[Superseded], since: datetime, made_by: UUID) -> tuple[Version[F], ...]:
    """All versions of a record, oldest first; `since` and `made_by` are of the first."""
    found: list[Version[F]] = []
    for each in earlier:
        found.append(Version(each.fact, since, made_by, each.until, each.event_id))
        since, made_by = each.until, each.event_id
    return (*found, Version(current, since, made_by))


def ends(course: Iterable[Version[F]]) -> list[Point]:
    """The moments at which another version took the place of one."""
    return [Point(each.until, each.ended_by) for each in course if each.until is not None and each.ended_by is not None]


def version_before(course: Iterable[Version[F]], at: datetime | None) -> Version[F] | None:
    """The version that stood just before a moment; None asks for the end of the log."""
    return next((each for each in course if each.known_before(at)), None)


def standing(course: Iterable[Version[F]], at: datetime | None) -> F | None:
    """The same without since when it stood."""
    version = version_before(course, at)
    return None if version is None else version.fact


def late(course: Iterable[tuple[datetime, Version[F]]]) -> list[Point]:
    """The moments at which something came that lies, by its own time, before something that was known already."""
    found: list[Point] = []
    latest: datetime | None = None
    for moment, version in sorted(course, key=lambda each: each[1].since):
        if latest is not None and moment < latest:
            found.append(Point(version.since, version.made_by))
        latest = moment if latest is None else max(latest, moment)
    return found


@dataclass(frozen=True, slots=True)
class Run:
    """How long a finding has been seen without a break: the last time that this was so.

    `opened_at` is when it was listed: once its hours of waiting were over, at once where it comes again.
    """

    seen: Seen
    opened_at: datetime
    waits: bool
    gone: Point | None = None


def runs(points: Iterable[Point], look: Callable[[datetime | None], Mapping[About, Seen]]) -> Mapping[About, Run]:
    """The last run of every finding that was listed, by what it is about.

    `points` are all moments at which one may go, `look` tells what is seen just before a moment (None: at the end).
    """
    last: dict[About, Run] = {}
    going: dict[About, Run] = {}
    before: datetime | None = None
    for point in _in_order(points):
        going = _followed(look(point.at), going, last, before)
        before = point.at
        if not going:
            continue
        after = look(point.at + _RESOLUTION)
        for about in [each for each in going if each not in after]:
            run = going.pop(about)
            if run.opened_at < point.at:
                last[about] = Run(run.seen, run.opened_at, run.waits, point)
        going = _followed(after, going, last, before)
    return {**last, **_followed(look(None), going, last, before)}


def _followed(
    seen: Mapping[About, Seen], going: Mapping[About, Run], last: Mapping[About, Run], before: datetime | None
) -> dict[About, Run]:
    """The runs of what is seen; what was not going at the moment `before` holds since then at the earliest."""
    return {
        about: Run(each, going[about].opened_at, going[about].waits)
        if about in going
        else _begun(each, before, about in last)
        for about, each in seen.items()
    }


def _begun(seen: Seen, before: datetime | None, again: bool) -> Run:
    since = seen.since if before is None else max(seen.since, before)
    waits = seen.wait_hours > 0 and not again
    return Run(seen, since + timedelta(hours=seen.wait_hours if waits else 0), waits)


def _in_order(points: Iterable[Point]) -> list[Point]:
    """One point a moment: the last event of a commit stands for it."""
    return list({each.at: each for each in sorted(points, key=lambda each: each.at)}.values())
