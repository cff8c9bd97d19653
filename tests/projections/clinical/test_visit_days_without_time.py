"""Results of which only the day is known, where something ends that day, and points that end to the millisecond."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clinical_builders import T0, A
from hepatrail_projections.visits import status_at
from visit_course import VisitCourse

W4 = A + timedelta(days=28)
DAY_OF_W4 = date(2026, 4, 7)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def course() -> VisitCourse:
    made = VisitCourse()
    made.session()
    return made


@pytest.mark.parametrize(
    ("transplant", "counts"),
    [
        (datetime(2026, 4, 7, 2, tzinfo=UTC), True),
        (datetime(2026, 4, 6, 16, tzinfo=UTC), True),
        (datetime(2026, 4, 6, 15, 59, tzinfo=UTC), False),
        (datetime(2026, 4, 7, 17, tzinfo=UTC), True),
    ],
    ids=["the same day", "at its first minute", "the day before", "by the site's clock the day after"],
)
def test_a_result_known_by_its_day_counts_before_a_transplant_of_that_day_or_later(
    course: VisitCourse, transplant: datetime, counts: bool
) -> None:
    course.labs(DAY_OF_W4, ["alt"])
    course.transplant(transplant)
    found = course.status("W4")
    assert ("alt" in found.satisfied) is counts


@pytest.mark.parametrize(("minutes", "counts"), [(-1, True), (0, False), (1, False)])
def test_a_result_of_a_known_minute_counts_only_before_the_transplant(
    course: VisitCourse, minutes: int, counts: bool
) -> None:
    course.labs(W4 + timedelta(minutes=minutes), ["alt"])
    course.transplant(W4)
    assert ("alt" in course.status("W4").satisfied) is counts


@pytest.mark.parametrize("cause", ["DEATH", "WITHDRAWAL"])
@pytest.mark.parametrize(("before", "status"), [(MILLISECOND, "not_applicable"), (timedelta(0), "partial")])
def test_a_point_is_owed_when_the_stop_comes_at_its_first_instant_and_not_when_before(
    course: VisitCourse, cause: str, before: timedelta, status: str
) -> None:
    opens = next(window.earliest for window in course.state().windows if window.code == "W4")
    course.labs(opens, ["alt"])
    end = course.death if cause == "DEATH" else course.withdrawal
    end(opens - before)
    assert (course.status("W4").status, course.status("W4").cause) == (status, cause)


@pytest.mark.parametrize(
    ("collected", "as_of", "fresh"),
    [
        (T0, T0, True),
        (T0, T0 - MILLISECOND, False),
        (T0, T0 + timedelta(days=7), True),
        (T0, T0 + timedelta(days=7, milliseconds=1), False),
        (date(2026, 3, 10), datetime(2026, 3, 9, 16, tzinfo=UTC), True),
        (date(2026, 3, 10), datetime(2026, 3, 9, 15, 59, tzinfo=UTC), False),
        (date(2026, 3, 10), datetime(2026, 3, 17, 15, 59, tzinfo=UTC), True),
        (date(2026, 3, 10), datetime(2026, 3, 17, 16, tzinfo=UTC), False),
    ],
)
def test_a_result_is_baseline_as_long_as_treatment_might_still_begin_within_the_look_back(
    collected: datetime | date, as_of: datetime, fresh: bool
) -> None:
    course = VisitCourse()
    course.labs(collected, ["alt"])
    assert ("alt" in status_at(course.rows()["BL"], as_of).satisfied) is fresh
