"""Findings as the API reads them from real tables: the list of the whole trial, now and as of an instant."""

from datetime import datetime
from uuid import UUID

import pytest

from hepatrail_events.adverse_events import Criterion
from hepatrail_events.concomitant import ProcedureKind
from hepatrail_infra.clock import SystemClock
from hepatrail_projections.clinical.radar.sighting import FindingKind
from hepatrail_projections.finding_reading import ANY_FINDING, FindingFilter
from hepatrail_projections.reading import Page, Reader
from hepatrail_projections.safety_finding import SafetyFindingRow
from log_commits import adverse_event, enrol, start
from projection_tables import Tables
from query_course import minute
from radar_course import RadarCourse

GRADE_4 = FindingKind.GRADE_4_WITHOUT_CRITERION


class Standing(SystemClock):
    """Tells the time that the test says."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def course() -> RadarCourse:
    """A participant with three findings, one of them closed, and another one with one."""
    made = RadarCourse()
    other = enrol(made.log, "S-2")
    made.session()
    event = made.adverse_event(grade=4)
    made.wait(hours=1)
    made.upgrade(event)
    made.lab(platelets="20")
    made.wait(hours=1)
    made.lab(platelets="140")
    made.lab(platelets="30")
    start(made.log, other)
    adverse_event(made.log, other, grade=4)
    return made


async def listed(
    tables: Tables, at: datetime, chosen: FindingFilter = ANY_FINDING, as_of: datetime | None = None
) -> list[tuple[str, str, str]]:
    """Who, what and how far, page by page."""
    reader = Reader(tables.pool, Standing(at))
    found: list[SafetyFindingRow] = []
    after: tuple[str, UUID] | None = None
    while True:
        page: Page[SafetyFindingRow] = await reader.safety_findings(2, after, chosen, as_of)
        found += page.items
        if not page.has_next:
            break
        after = (page.items[-1].subject_id, page.items[-1].finding_id)
    assert [(row.subject_id, row.finding_id) for row in found] == sorted(
        (row.subject_id, row.finding_id) for row in found
    )
    return sorted((row.subject_id, row.kind, row.status) for row in found)


async def test_the_trial_lists_open_and_closed_findings_once_they_are_listed(
    tables: Tables, course: RadarCourse
) -> None:
    await tables.project(course.log.records, size=7)
    now = course.now
    at_once = [
        ("S-1", "GRADE_4_WITHOUT_CRITERION", "CLOSED"),
        ("S-1", "LAB_GRADE_UNREVIEWED", "OPEN"),
        ("S-2", "GRADE_4_WITHOUT_CRITERION", "OPEN"),
    ]
    assert await listed(tables, now) == at_once
    course.wait(hours=25)
    later = await listed(tables, course.now)
    assert later == sorted(
        [*at_once, ("S-1", "LAB_GRADE_UNREVIEWED", "OPEN"), ("S-2", "GRADE_4_WITHOUT_CAUSALITY", "OPEN")]
    )
    assert await listed(tables, now, FindingFilter(open=False)) == at_once[:1]
    assert await listed(tables, now, FindingFilter(open=True, kinds=frozenset({GRADE_4}))) == at_once[2:]
    assert await listed(tables, now, FindingFilter(subject_id="S-2")) == at_once[2:]
    assert await listed(tables, now, FindingFilter(sites=frozenset())) == []


async def test_as_of_an_instant_it_lists_what_was_listed_then(tables: Tables, course: RadarCourse) -> None:
    before, now = course.now, course.wait(hours=25)
    records = list(course.log.records)
    await tables.project(records, size=11)
    for chosen in (ANY_FINDING, FindingFilter(open=True), FindingFilter(subject_id="S-1", open=False)):
        assert await listed(tables, now, chosen, as_of=before) == await listed(tables, before, chosen)
        assert await listed(tables, now, chosen, as_of=now) == await listed(tables, now, chosen)
    event = next(each.envelope for each in course.events(course.stream) if each.envelope.type.startswith("AEUpgraded"))
    assert await listed(tables, now, FindingFilter(kinds=frozenset({GRADE_4})), as_of=event.recordedat) == [
        ("S-1", GRADE_4, "CLOSED")
    ]


async def test_the_participant_shows_its_findings_as_its_list_does(tables: Tables, course: RadarCourse) -> None:
    await tables.project(course.log.records)
    read = await Reader(tables.pool, Standing(course.now)).subject("S-1")
    assert read is not None
    assert list(read.rows.findings) == sorted(course.rows(), key=lambda row: row.finding_id)
    assert len(read.rows.findings) == 2


async def test_a_commit_tells_the_query_that_it_opened_although_it_speaks_of_another_event(tables: Tables) -> None:
    course = RadarCourse()
    course.adverse_event(grade=2)
    course.wait(hours=1)
    serious = course.adverse_event(grade=3, criteria=(Criterion.HOSPITALISATION,))
    course.wait(hours=1)
    course.procedure(ProcedureKind.HD, minute(course.now))
    before = course.rows()
    downgraded = course.downgrade(serious, version=2)
    await tables.project(course.log.records)
    opened = await Reader(tables.pool, Standing(course.now)).queries_opened("S-1", [downgraded])
    assert before == []
    assert "RAD-03" in {row.rule for row in opened}
