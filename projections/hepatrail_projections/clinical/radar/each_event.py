"""Looking at one adverse event after the other, each with its own history."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TypeAlias

from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.radar.course import Point, Run, Version, ends, runs, version_before
from hepatrail_projections.clinical.radar.known import Events, Known
from hepatrail_projections.clinical.radar.sighting import About, Seen
from hepatrail_projections.data_query import QueryObject

Judge: TypeAlias = Callable[[Version[AdverseEventFact], datetime | None], Mapping[str, Seen]]
"""What is seen of a version that counts, by aspect, just before a moment of recording."""


def _no_points(_: Events) -> Iterable[Point]:
    return ()


def each_event(
    known: Known,
    wanted: Callable[[AdverseEventFact], bool],
    judge: Judge,
    further: Callable[[Events], Iterable[Point]] = _no_points,
) -> Iterator[tuple[About, Run]]:
    """The findings about adverse events of which any version is `wanted`; a void one is never judged.

    `further` are the moments beside the event's own at which a finding about it may go.
    """
    for ae_id, course in known.adverse_events.items():
        if not any(wanted(each.fact) for each in course):
            continue
        about = About(QueryObject.ADVERSE_EVENT, ae_id)

        def look(at: datetime | None, course: Events = course, about: About = about) -> Mapping[About, Seen]:
            version = version_before(course, at)
            if version is None or version.fact.voided is not None:
                return {}
            return {about._replace(aspect=aspect): seen for aspect, seen in judge(version, at).items()}

        yield from runs([*ends(course), *further(course)], look).items()
