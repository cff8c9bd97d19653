"""The table `reporting_clock`: what is written is read, in the order of the deadlines, and follows the log alone."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.streams import STUDY
from hepatrail_projections.catalog import CATALOG
from hepatrail_projections.derive import derive, stored_at
from hepatrail_projections.meta import enter_live_schema
from hepatrail_projections.reporting_clock import (
    REPORTING_CLOCK,
    ReportingClockRow,
    clock_of,
    reporting_clock_rows,
)
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_reading import stored_rows
from hepatrail_projections.subject_view import SubjectView, empty_view, fold
from hepatrail_projections.version import PROJECTION_VERSION
from log_commits import sample
from projection_tables import Tables
from reporting_course import EC, HOSPITALISATION, LIFE_THREATENING, NMPA, SUBJECT, Course
from reporting_histories import RandomCourse


def reported_course() -> Course:
    course = Course()
    course.reported("03-10 23:50", HOSPITALISATION)
    course.criteria_changed("03-12 09:00", [LIFE_THREATENING])
    course.submitted("03-13 09:00", NMPA)
    course.submitted("03-13 10:00", EC)
    return course


def test_the_rows_are_the_clocks_with_the_site_in_the_order_of_their_deadlines() -> None:
    course = reported_course()
    rows = derive(course.view, course.study, stored_at(course.view, course.study)).clocks
    assert tuple(map(clock_of, rows)) == tuple(sorted(course.clocks(), key=lambda each: (each.due_at, each.clock_id)))
    assert {(row.site_id, row.subject_id) for row in rows} == {("BFH", SUBJECT)}


def test_the_table_is_of_the_catalogue() -> None:
    assert REPORTING_CLOCK in CATALOG


async def test_what_the_projector_writes_is_what_is_derived(tables: Tables) -> None:
    course = reported_course()
    await tables.project(course.log.records)
    async with tables.pool.acquire() as reading, reading.transaction():
        await enter_live_schema(reading, PROJECTION_VERSION)
        stored = await stored_rows(reading, [SUBJECT])
    assert stored[SUBJECT].clocks == derive(course.view, course.study, stored_at(course.view, course.study)).clocks
    assert {clock_of(row).type for row in stored[SUBJECT].clocks} >= {"SUSAR_7D", "DEV_7D", "EC_SAE_24H"}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000_000), st.booleans())
def test_rows_derived_event_by_event_are_those_derived_at_once(seed: int, lagging: bool) -> None:
    study, view, rows = EMPTY_STUDY, empty_view(SUBJECT), None
    for event in RandomCourse(seed, lagging=lagging).course.recorded:
        before = None if rows is None else (view, _version(view, study), rows)
        if event.envelope.stream == STUDY:
            study = fold_study(study, event)
        else:
            view = fold(view, event)
        if view.recorded_at is not None:
            at = stored_at(view, study)
            rows = reporting_clock_rows(view, study, at, before)
            assert _ordered(rows) == _ordered(reporting_clock_rows(view, study, at))


def _version(view: SubjectView, study: StudyView) -> str | None:
    published = study.published_at(stored_at(view, study))
    return None if published is None else published.version


def _ordered(rows: Sequence[ReportingClockRow]) -> list[ReportingClockRow]:
    return sorted(rows, key=lambda row: (row.due_at, row.clock_id))


def test_what_touches_no_clock_takes_the_rows_as_they_were() -> None:
    course = reported_course()
    view, study = course.view, course.study
    rows = derive(view, study, stored_at(view, study))
    sample(course.log, course.stream, creatinine="150")
    after = fold(view, course.recorded[-1])
    later = derive(after, study, stored_at(after, study), (view, rows))
    assert len(rows.clocks) > 3
    assert all(old is new for old, new in zip(rows.clocks, later.clocks, strict=True))
