"""A laboratory grade above the grade that was reported for the adverse event of the same CTCAE term.

Decided here, because the reference leaves room:

- The adverse event's greatest grade counts, whenever it was stated: a grade that is too low is looked for, not the
  order of the timeline. Without any grade INV-20 asks.
- The grade of the laboratory counts as far as it is certain (a minimum is one), of results collected while the adverse
  event may have been going.
- A result that an investigator reviewed counts with the final grade of the review; without one it is settled.
- One finding for each grade of the laboratory: a worse result later is a new question, also after an answer, and takes
  the place of the one about the lesser grade.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.types import PartialDate
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.grading.circumstances import covers
from hepatrail_projections.clinical.grading.terms import TERM_NAMED
from hepatrail_projections.clinical.radar.course import Point, Run, Version, ends, version_before
from hepatrail_projections.clinical.radar.each_event import each_event
from hepatrail_projections.clinical.radar.events_said import each_once, named, result_said, shown_by
from hepatrail_projections.clinical.radar.known import Events, Known
from hepatrail_projections.clinical.radar.sighting import About, Question, Seen, Severity
from hepatrail_projections.facts import ResultFact
from hepatrail_projections.lab_grades import ctcae_term, grader

GRADES = (2, 3, 4)
"""The grades of a laboratory that can lie above a reported one."""

_SEVERITIES = {2: Severity.MINOR, 3: Severity.MAJOR, 4: Severity.MAJOR}
_TERMS = {name.casefold(): term for name, term in TERM_NAMED.items()}


class _Graded(NamedTuple):
    """One version of a result with the least grade that it has by a term, and the events beside it that this takes."""

    version: Version[ResultFact]
    grade: int
    beside: tuple[UUID, ...]


class _Judged(NamedTuple):
    """The same just before a moment of recording: with the final grade of a review, where there is one."""

    grade: int
    since: datetime
    result: ResultFact
    event_ids: tuple[UUID, ...]


def above_reported(known: Known) -> Iterator[tuple[About, Run]]:
    """An adverse event whose reported grades are all below the grade of a result of its term."""
    laboratory = _Laboratory(known)

    def judge(version: Version[AdverseEventFact], at: datetime | None) -> Mapping[str, Seen]:
        fact, reported = version.fact, version.fact.max_grade
        higher = [each for each in laboratory.before(fact, at) if reported is not None and each.grade > reported]
        if not higher:
            return {}
        worst = max(each.grade for each in higher)
        first = min((each for each in higher if each.grade == worst), key=lambda each: each.since)
        words = (
            f"The adverse event {named(fact)} went with a laboratory grade {worst} ({result_said(first.result)}); "
            "correct the grade, or review the result."
        )
        since, aspect = max(version.since, first.since), f":{worst}"
        evidence = each_once(shown_by(fact), first.event_ids)
        seen = Seen(since, _SEVERITIES[worst], words, evidence, Question("RAD-04", aspect), fact.event_ids)
        return {aspect: seen}

    yield from each_event(known, lambda fact: ctcae_term(fact) in _TERMS, judge, laboratory.points)


class _Laboratory:
    """The graded results of the terms that adverse events name, worked out once a term."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._grades_of = grader(known.view, known.state)
        self._by_term: dict[str, tuple[_Graded, ...]] = {}
        self._by_time: dict[tuple[str | None, PartialDate, PartialDate | None], tuple[_Graded, ...]] = {}

    def before(self, fact: AdverseEventFact, at: datetime | None) -> Iterator[_Judged]:
        """The grades by the event's term, of results collected while it may have been going."""
        for version, grade, beside in self._covered(fact):
            if not version.known_before(at):
                continue
            result = version.fact
            ids = each_once(result.event_ids, beside)
            review = version_before(self._known.reviews(result.result_id), at)
            if review is None:
                yield _Judged(grade, version.since, result, ids)
            elif review.fact.final_grade is not None:
                final = min(review.fact.final_grade, GRADES[-1])
                yield _Judged(final, max(version.since, review.since), result, each_once(ids, (review.made_by,)))

    def points(self, course: Events) -> list[Point]:
        """The moments at which results of the event's term came, were mended or reviewed."""
        terms = {ctcae_term(version.fact): version.fact for version in course}
        graded = [each for fact in terms.values() for each in self._of(fact)]
        found = ends(each.version for each in graded)
        for version, grade, _ in graded:
            reviews = self._known.reviews(version.fact.result_id)
            found += [Point(review.since, review.made_by) for review in reviews]
            if grade >= GRADES[0]:
                found.append(Point(version.since, version.made_by))
        return found

    def _covered(self, fact: AdverseEventFact) -> tuple[_Graded, ...]:
        """Those of the event's term that were collected while it may have been going."""
        key = (ctcae_term(fact), fact.reported.onset, fact.end_at)
        if key not in self._by_time:
            zone = self._known.zone
            self._by_time[key] = tuple(
                each
                for each in self._of(fact)
                if covers(fact.reported.onset, fact.end_at, each.version.fact.observation.collected, zone)
            )
        return self._by_time[key]

    def _of(self, fact: AdverseEventFact) -> tuple[_Graded, ...]:
        name = ctcae_term(fact)
        if name is None or name not in _TERMS:
            return ()
        if name not in self._by_term:
            self._by_term[name] = tuple(self._graded(name))
        return self._by_term[name]

    def _graded(self, name: str) -> Iterator[_Graded]:
        term = _TERMS[name]
        for version in self._known.usable((term.code,)):
            for each in self._grades_of(version.fact).terms:
                if each.grade.term == term.name and each.grade.at_least is not None:
                    yield _Graded(version, each.grade.at_least, tuple(map(UUID, each.entry["eventIds"])))
