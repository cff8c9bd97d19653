"""Laboratory grades that nobody has looked at yet: finding `LAB_GRADE_UNREVIEWED` (`ctcae_labs.md` R13).

Decided here, because the reference leaves room:

- Where a grade is only known as a minimum (incomplete, censored), the minimum counts: the grade is at least that.
  It does not end an earlier, higher grade, because it does not say that the grade was lower.
- "Since the grade was last lower" looks at results from T0 on; what was before treatment is the baseline's.
- Results follow each other by collection; a date alone stands at noon of the site, equal times in the log's order.
- A finding counts from the last recorded version of the result, as far as its corrections say when.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from hepatrail_projections.clinical.grading.reported import TermGrade
from hepatrail_projections.clinical.grading.terms import Direction
from hepatrail_projections.clinical.inputs import Collected

_AT_ONCE = 4


class GradedResult(NamedTuple):
    """A graded result collected at or after T0; `moment` orders, `known_at` is when its version was recorded."""

    result_id: UUID
    code: str
    collected: Collected
    moment: datetime
    known_at: datetime
    terms: tuple[TermGrade, ...]
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A new severe laboratory grade without linked adverse event and without review.

    `grade` is at least that when `minimum`. `grade_at_baseline` None: there is none. `since` is when it became known,
    `opens_at` when the safety officer is to hear of it.
    """

    result_id: UUID
    code: str
    term: str
    direction: Direction
    grade: int
    minimum: bool
    grade_at_baseline: int | None
    collected: Collected
    since: datetime
    priority: Literal["P2", "P3"]
    opens_at: datetime
    event_ids: tuple[UUID, ...]


def new_severe_grades(results: Iterable[GradedResult], severe: int, review_within: timedelta) -> Iterator[Finding]:
    """Of one analyte's results in any order: those whose grade of a term is severe, above the baseline's, and the
    first at that grade since it was last lower. Linked adverse events and reviews are the caller's.
    """
    ordered = sorted(results, key=lambda each: each.moment)
    names = dict.fromkeys(each.grade.term for result in ordered for each in result.terms)
    for name in names:
        yield from _of_term(name, ordered, severe, review_within)


def _of_term(name: str, ordered: Sequence[GradedResult], severe: int, review_within: timedelta) -> Iterator[Finding]:
    seen: set[int] = set()
    for result in ordered:
        judged = next((each for each in result.terms if each.grade.term == name), None)
        least = None if judged is None else judged.grade.at_least
        if judged is None or least is None:
            continue
        if judged.grade.grade is not None:
            seen = {each for each in seen if each <= least}
        if least >= severe and least > (judged.grade_at_baseline or 0) and least not in seen:
            at_once = least >= _AT_ONCE
            yield Finding(
                result.result_id,
                result.code,
                name,
                judged.grade.direction,
                least,
                judged.grade.grade is None,
                judged.grade_at_baseline,
                result.collected,
                result.known_at,
                "P2" if at_once else "P3",
                result.known_at if at_once else result.known_at + review_within,
                result.event_ids,
            )
        seen.add(least)
