"""An intervention that began while adverse events were going of which none is serious.

An urgent intervention is what makes an adverse event severe, and often MEDICALLY_IMPORTANT or LIFE_THREATENING.

Decided here, because the reference leaves room:

- One finding an intervention, naming every adverse event that may have been going: which of them it was for, nobody but
  the site can say. From grade 2 on, because a mild adverse event needs no intervention; without any grade too.
- What an adverse event that is serious and was going may account for is flagged already.
- An intervention without any adverse event is none of this finding's business: dialysis is also given for the disease
  for which the participant is treated.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.radar.course import Run, ends, late, runs, version_before
from hepatrail_projections.clinical.radar.events_said import each_once, named, shown_by
from hepatrail_projections.clinical.radar.interventions import Intervention, begun, interventions_of
from hepatrail_projections.clinical.radar.known import Events, Known, begins, points_of
from hepatrail_projections.clinical.radar.sighting import About, Question, Seen, Severity

_MILD = 1


def without_serious_event(known: Known) -> Iterator[tuple[About, Run]]:
    """One finding an intervention that began."""
    by_sort: dict[str, list[Intervention]] = defaultdict(list)
    for each in interventions_of(known):
        by_sort[each.sort].append(each)
    for done in by_sort.values():
        yield from _of_sort(done, known)


def _of_sort(done: Sequence[Intervention], known: Known) -> Iterator[tuple[About, Run]]:
    """The findings about interventions of one sort, which are given by begin."""
    changed = [*ends(each.version for each in done), *late((each.first, each.version) for each in done)]

    @cache
    def begun_before(at: datetime | None) -> Mapping[About, Intervention]:
        return {each.about: each for each in begun(one for one in done if one.version.known_before(at))}

    for about in dict.fromkeys(about for at in (*(point.at for point in changed), None) for about in begun_before(at)):
        versions = [each for each in done if each.about == about]
        beside = known.ever_covering(min(each.first for each in versions), max(each.last for each in versions))

        def look(at: datetime | None, about: About = about, beside: list[Events] = beside) -> Mapping[About, Seen]:
            each = begun_before(at).get(about)
            seen = None if each is None else _seen(each, beside, known, at)
            return {} if seen is None else {about: seen}

        if beside:
            yield from runs([*changed, *points_of(beside), *begins(beside)], look).items()


def _seen(done: Intervention, beside: list[Events], known: Known, at: datetime | None) -> Seen | None:
    known_ones = [version for course in beside if (version := version_before(course, at)) is not None]
    going = [each for each in known_ones if known.covers(each.fact, done.first, done.last)]
    if any(each.fact.serious for each in going):
        return None
    asked = [each for each in going if each.fact.max_grade != _MILD]
    if not asked:
        return None
    names = ", ".join(named(each.fact) for each in asked)
    words = (
        f"A {done.sort} began on {done.first:%Y-%m-%dT%H:%MZ} while these adverse events were going, none of them "
        f"serious: {names}; say whether it was for one of them, and which criterion that meets."
    )
    facts: list[AdverseEventFact] = [each.fact for each in asked]
    return Seen(
        max(done.since, *(each.since for each in asked)),
        Severity.MAJOR,
        words,
        each_once(done.event_ids, *map(shown_by, facts)),
        Question("RAD-03"),
        each_once(*(each.fact.event_ids for each in known_ones)),
    )
