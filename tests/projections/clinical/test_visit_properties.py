"""What holds of visits for every course (visits.md sections 2.1, 4, 5)."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import orjson
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clinical_builders import A, derived, hours, lab_result, session, stop
from hepatrail_events.assessments import WithdrawalScope
from hepatrail_projections.clinical.assignment import PointAssignment
from hepatrail_projections.clinical.compliance import VisitStatus, status
from hepatrail_projections.clinical.evidence import Circumstances, evidence
from hepatrail_projections.clinical.items import ItemRules
from hepatrail_projections.clinical.visits import DEFAULT_PLAN, TimePoint
from hepatrail_projections.clinical.windows import Window
from hepatrail_projections.visit import row_evidence, row_stops
from hepatrail_projections.visits import compliance_at, deviation_at, notices_at, status_at
from visit_course import VisitCourse

OFFSETS = st.timedeltas(timedelta(days=-9), timedelta(days=400)).map(
    lambda offset: timedelta(minutes=offset // timedelta(minutes=1))
)
Deed = Callable[[VisitCourse, datetime], object]
DEEDS: dict[str, Deed] = {
    "labs": lambda course, at: course.labs(at),
    "some labs": lambda course, at: course.labs(at, ["alt", "creatinine"]),
    "bedside": lambda course, at: course.bedside(at),
    "everything": lambda course, at: course.everything(at),
    "ae": lambda course, at: course.ae(at),
    "survival": lambda course, at: course.survival(at),
    "transplant": lambda course, at: course.transplant(at),
    "withdrawal": lambda course, at: course.withdrawal(at, vital_status=True),
    "no treatment": lambda course, at: course.withdrawal(at, WithdrawalScope.TREATMENT_ONLY),
}


def made(deeds: list[tuple[str, timedelta]], death: timedelta | None) -> VisitCourse:
    """Two sessions, then the deeds in the order of their times."""
    course = VisitCourse()
    course.session()
    course.session(A + timedelta(days=2), A + timedelta(days=2, hours=6))
    if death is not None:
        course.death(A + death)
    for name, offset in deeds:
        DEEDS[name](course, A + offset)
    return course


COURSES = st.builds(
    made,
    st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), OFFSETS), max_size=8),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=300)),
)


@settings(deadline=None, max_examples=60)
@given(COURSES, OFFSETS)
def test_a_row_survives_its_way_through_the_table(course: VisitCourse, offset: timedelta) -> None:
    for row in course.rows().values():
        stored = orjson.loads(orjson.dumps({"done": row.done, "lacking": row.lacking, "stops": row.stops}))
        assert stored == {"done": row.done, "lacking": row.lacking, "stops": row.stops}
        again = row_evidence(row)
        assert list(again.done) == [item for item in row.required if item in again.done]
        assert not set(again.done) & (set(again.lacking) | set(again.unusable))
        assert {stop.cause for stop in row_stops(row)} >= {stop.cause for stop in course.state().stops}
        found = status_at(row, A + offset)
        assert set(found.satisfied) <= set(found.required) <= set(row.required)


@settings(deadline=None, max_examples=60)
@given(COURSES, OFFSETS)
def test_deviations_and_notices_follow_from_the_status(course: VisitCourse, offset: timedelta) -> None:
    as_of = A + offset
    rows = list(course.rows().values())
    for row in rows:
        found = status_at(row, as_of)
        opened = deviation_at(row, as_of) is not None
        assert opened == (found.status in ("missed", "partial", "complete_out_of_window"))
        notices = notices_at(row, as_of)
        assert [notice.at for notice in notices] == sorted(notice.at for notice in notices)
        assert not notices or found.status in ("due", "missed", "partial")
        assert (found.status == "not_applicable") == (not found.required)
    counted = compliance_at(rows, as_of)
    assert 0 <= counted.outside_sessions <= counted.numerator <= counted.denominator <= 14


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), OFFSETS), max_size=8), OFFSETS, st.integers(0, 9))
def test_an_earlier_answer_equals_that_of_a_log_that_ends_there(
    deeds: list[tuple[str, timedelta]], asked: timedelta, kept: int
) -> None:
    ordered = sorted(deeds, key=lambda deed: deed[1])
    ordered = [(name, offset) for name, offset in ordered if offset > timedelta(days=3)]
    # What is recorded at the very same instant is known together.
    assume(kept >= len(ordered) or kept == 0 or ordered[kept - 1][1] < ordered[kept][1])
    whole, shorter = made(ordered, None), made(ordered[:kept], None)
    cut = shorter.log.now
    known = {code: status_at(row, A + asked) for code, row in whole.rows(cut).items()}
    assert known == {code: status_at(row, A + asked) for code, row in shorter.rows().items()}


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.tuples(st.sampled_from(["alt", "ast", "gcs_eye"]), st.integers(-9 * 1440, 400 * 1440)),
        max_size=12,
        unique=True,
    ),
    st.lists(
        st.tuples(st.sampled_from(["DEATH", "WITHDRAWAL", "TRANSPLANT"]), st.integers(0, 400 * 1440)),
        max_size=3,
        unique_by=lambda each: each[1],
    ),
    OFFSETS,
    st.randoms(use_true_random=False),
)
def test_a_status_never_depends_on_the_order_of_recording(
    rows: list[tuple[str, int]], ends: list[tuple[str, int]], asked: timedelta, chance: random.Random
) -> None:
    observations = [
        lab_result(
            code, "3" if minute % 3 else None, A + timedelta(minutes=minute), not_done=None if minute % 3 else "OTHER"
        )
        for code, minute in rows
    ]
    stops = [stop(cause, A + timedelta(minutes=minute)) for cause, minute in ends]  # type: ignore[arg-type]
    sessions = [session(), session(A + hours(30), A + hours(36))]

    def answers() -> list[VisitStatus]:
        anchored, opened, assignment = derived(observations, sessions)
        known = Circumstances(None if anchored is None else anchored.t0, stops, ItemRules(DEFAULT_PLAN))
        return [answer(point, opened, assignment.points[point.code], known, A + asked) for point in DEFAULT_PLAN.points]

    before = answers()
    chance.shuffle(observations)
    chance.shuffle(stops)
    chance.shuffle(sessions)
    assert answers() == before


def answer(
    point: TimePoint, opened: Sequence[Window], assigned: PointAssignment, known: Circumstances, as_of: datetime
) -> VisitStatus:
    """The status of a point with two labs, the coma scale and what its row of the schedule adds."""
    required = ("alt", "ast", "GCS", *(("AE", "SURV") if point.ae else ()))
    window = next((each for each in opened if each.code == point.code), None)
    visit = evidence(point, window, assigned, required, known)
    return status(visit, known.stops, required, as_of, DEFAULT_PLAN)
