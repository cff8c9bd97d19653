"""`LAB_GRADE_UNREVIEWED` of `ctcae_labs.md` R13, with what took it away.

What it is and when it opens, `grading/unreviewed.py` decides, for the alert of the same name as well; here it is
looked at over the whole log: a review settles it, so does an adverse event of the same term that was going, and a
result that is mended no longer has it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from hepatrail_projections.clinical.grading.circumstances import covers
from hepatrail_projections.clinical.grading.reported import Graded
from hepatrail_projections.clinical.grading.terms import TERMS_OF
from hepatrail_projections.clinical.grading.unreviewed import Finding, GradedResult, new_severe_grades
from hepatrail_projections.clinical.placement import before_t0
from hepatrail_projections.clinical.radar.course import Point, Run, Version, ends, late, runs, standing
from hepatrail_projections.clinical.radar.events_said import each_once, result_said
from hepatrail_projections.clinical.radar.known import Events, Known, begins, points_of
from hepatrail_projections.clinical.radar.sighting import About, Question, Seen, Severity
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import ResultFact
from hepatrail_projections.lab_grades import ctcae_term, findings_of, grader

_URGENT = 4
_Graded = tuple[Version[ResultFact], Graded]


def unreviewed(known: Known) -> Iterator[tuple[About, Run]]:
    """One finding a result, for the most urgent of its terms."""
    if known.state.anchored is None:
        return
    grades_of = grader(known.view, known.state)
    for code in TERMS_OF:
        graded = [(each, grades_of(each.fact)) for each in known.usable((code,))]
        graded = [(version, found) for version, found in graded if found.terms and _treated(version.fact, known)]
        if any(found.worst >= known.safety.alert_lab_grade_ge for _, found in graded):
            yield from _of_code(code, graded, known)


def _of_code(code: str, graded: Sequence[_Graded], known: Known) -> Iterator[tuple[About, Run]]:
    severe, hours = known.safety.alert_lab_grade_ge, known.safety.lab_review_hours
    names = {term.name.casefold() for term in TERMS_OF[code]}
    linked = [
        course for course in known.adverse_events.values() if any(ctcae_term(each.fact) in names for each in course)
    ]

    def look(at: datetime | None) -> Mapping[About, Seen]:
        standing_ones = [each for each in graded if each[0].known_before(at)]
        results = [_result(version, found, known) for version, found in standing_ones]
        fresh = [
            each
            for each in new_severe_grades(results, severe, timedelta(hours=hours))
            if standing(known.reviews(each.result_id), at) is None and not _linked(each, linked, known, at)
        ]
        facts = {version.fact.result_id: (version.fact, found) for version, found in standing_ones}
        beside = known.said_of(linked, at)
        return dict(_seen(each, *facts[each.result_id], hours, beside) for each in findings_of(fresh).values())

    reviews = [
        Point(review.since, review.made_by)
        for result_id in dict.fromkeys(version.fact.result_id for version, _ in graded)
        for review in known.reviews(result_id)
    ]
    mended = ends(version for version, _ in graded)
    points = [
        *reviews,
        *mended,
        *late((known.moment(version.fact), version) for version, _ in graded),
        *points_of(linked),
        *begins(linked),
    ]
    yield from runs(points, look).items()


def _treated(fact: ResultFact, known: Known) -> bool:
    anchored = known.state.anchored
    return anchored is not None and not before_t0(fact.observation.collected, fact.sample.pre_session, anchored)


def _result(version: Version[ResultFact], found: Graded, known: Known) -> GradedResult:
    fact = version.fact
    moment = known.moment(fact)
    collected = fact.observation.collected
    return GradedResult(fact.result_id, fact.code, collected, moment, version.since, found.terms, fact.event_ids)


def _seen(
    finding: Finding, fact: ResultFact, found: Graded, hours: int, beside: tuple[UUID, ...]
) -> tuple[About, Seen]:
    baseline = next(each.entry["eventIds"] for each in found.terms if each.grade.term == finding.term)
    urgent = finding.grade >= _URGENT
    words = (
        f"{finding.term}: {result_said(fact)} is grade {finding.grade}, new since treatment; review the finding, or "
        "report an adverse event of this term."
    )
    return About(QueryObject.LAB_FINDING, fact.result_id), Seen(
        finding.since,
        Severity.MAJOR if urgent else Severity.MINOR,
        words,
        each_once(fact.event_ids, map(UUID, baseline)),
        Question("RAD-08"),
        beside,
        wait_hours=0 if urgent else hours,
    )


def _linked(finding: Finding, courses: Sequence[Events], known: Known, at: datetime | None) -> bool:
    """Whether an adverse event of the same CTCAE term, not void, was going at collection."""
    facts = (standing(course, at) for course in courses)
    return any(
        fact is not None
        and fact.voided is None
        and ctcae_term(fact) == finding.term.casefold()
        and covers(fact.reported.onset, fact.end_at, finding.collected, known.zone)
        for fact in facts
    )
