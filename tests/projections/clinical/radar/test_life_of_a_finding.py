"""The life of a finding: it opens one query, an answer closes it, so does what accounts for it, and it stays listed."""

from datetime import timedelta

import pytest

from hepatrail_events.adverse_events import Criterion
from hepatrail_events.ids import derived_id
from hepatrail_projections.clinical.radar.catalogue import DETECTORS
from hepatrail_projections.clinical.radar.sighting import FindingKind
from hepatrail_projections.queries.catalogue import RULES
from hepatrail_projections.queries.radar import RADAR_RULES
from hepatrail_projections.safety_finding import SafetyFindingRow
from log_commits import publish
from radar_course import RadarCourse, closed

GRADE_4 = FindingKind.GRADE_4_WITHOUT_CRITERION


@pytest.fixture
def course() -> RadarCourse:
    """A participant with Hy's law."""
    made = RadarCourse()
    made.lab(alt="200", tbil="340")
    made.wait(hours=1)
    made.session()
    made.wait(days=1)
    made.lab(alt="700", tbil="800")
    return made


def only(course: RadarCourse) -> SafetyFindingRow:
    return course.the_finding(FindingKind.HYS_LAW)


def test_it_has_an_id_of_its_own_and_the_query_that_its_rule_gives_it(course: RadarCourse) -> None:
    row = only(course)
    assert row.finding_id == derived_id("FINDING", "HYS_LAW", "S-1", str(row.object_id))
    assert row.query_id == derived_id("RAD-05", "S-1", str(row.object_id))
    (query,) = course.open("RAD-05")
    assert (query.query_id, query.message, query.code) == (row.query_id, row.words, "HYS_LAW")
    assert set(row.evidence) <= set(query.event_ids)
    assert (row.status, row.closed_at, row.closed_by, row.closing_event_id) == ("OPEN", None, None, None)


def test_it_opens_one_query_however_long_it_is_there(course: RadarCourse) -> None:
    for _ in range(3):
        course.wait(days=2)
        course.lab(alt="710", tbil="810")
    assert [each.rule for each in course.queries()] == ["RAD-05"]


def test_the_first_answer_closes_it_while_the_query_waits_for_the_monitor(course: RadarCourse) -> None:
    opened = only(course).opened_at
    course.wait(hours=3)
    answered = course.answer(only(course))
    at = course.now
    course.answer(only(course))
    row = only(course)
    assert closed(row) == ("CLOSED", "ANSWERED", answered)
    assert (row.opened_at, row.closed_at) == (opened, at)
    assert answered in row.event_ids
    assert [each.status for each in course.queries()] == ["ANSWERED"]


def test_the_monitor_closes_it_for_the_version_of_its_rule(course: RadarCourse) -> None:
    course.close(only(course), version="0")
    assert only(course).status == "OPEN"
    gone = course.close(only(course))
    assert closed(only(course)) == ("CLOSED", "QUERY_CLOSED", gone)
    assert course.asking(only(course)) == []


def test_whatever_came_first_closed_it_and_it_stays_listed(course: RadarCourse) -> None:
    answered = course.answer(only(course))
    result_id = only(course).object_id
    course.wait(days=1)
    course.void_result(result_id)
    course.wait(days=100)
    assert closed(only(course)) == ("CLOSED", "ANSWERED", answered)


def test_one_that_comes_again_is_open_again_with_the_same_query(course: RadarCourse) -> None:
    before = only(course)
    course.answer(before)
    course.wait(hours=1)
    course.correct_result(before.object_id, "300")
    course.wait(hours=1)
    course.correct_result(before.object_id, "900")
    row = only(course)
    assert (row.finding_id, row.query_id) == (before.finding_id, before.query_id)
    assert (row.status, row.opened_at) == ("OPEN", course.now)
    answered = course.answer(row)
    assert closed(only(course)) == ("CLOSED", "ANSWERED", answered)


def test_what_the_monitor_closed_stays_closed_when_it_comes_again(course: RadarCourse) -> None:
    before = only(course)
    gone = course.close(before)
    course.correct_result(before.object_id, "300")
    course.correct_result(before.object_id, "900")
    row = only(course)
    assert closed(row) == ("CLOSED", "QUERY_CLOSED", gone)
    assert row.closed_at == row.opened_at == course.now


def test_what_was_said_to_another_question_of_the_same_rule_closes_nothing() -> None:
    course = RadarCourse()
    event = course.adverse_event(grade=3)
    (about_the_stay,) = course.open("INV-15")
    course.regrade(event, 3)
    course.answer(about_the_stay)
    course.wait(hours=1)
    course.regrade(event, 4, version=3)
    row = course.the_finding(GRADE_4)
    assert row.query_id == about_the_stay.query_id
    assert row.status == "OPEN"
    answered = course.answer(row)
    assert closed(course.the_finding(GRADE_4)) == ("CLOSED", "ANSWERED", answered)


def test_as_of_an_instant_it_is_as_it_was_then(course: RadarCourse) -> None:
    row, times = only(course), [course.now]
    course.wait(hours=1)
    course.answer(row)
    times.append(course.now)
    course.wait(hours=1)
    course.void_result(row.object_id)
    times.append(course.now)
    before = times[0] - timedelta(minutes=1)
    assert [[row.status for row in course.rows(at)] for at in (before, *times)] == [
        [],
        ["OPEN"],
        ["CLOSED"],
        ["CLOSED"],
    ]


def test_a_protocol_names_itself_and_may_find_something_else(course: RadarCourse) -> None:
    assert only(course).protocol_version == "1.0"
    publish(course.log, "2.0", safety={"radar": {"bilirubin_x_baseline": "3"}})
    assert course.rows() == []


def test_without_a_protocol_nothing_is_found(course: RadarCourse) -> None:
    assert course.rows(course.events("study")[0].envelope.recordedat - timedelta(seconds=1)) == []


def test_no_two_findings_of_a_participant_have_one_id(course: RadarCourse) -> None:
    course.adverse_event(grade=4, causality=())
    course.adverse_event(grade=4, causality=(), criteria=(Criterion.LIFE_THREATENING,))
    course.died()
    course.wait(days=2)
    rows = course.rows()
    assert len(rows) > 4
    assert len({row.finding_id for row in rows}) == len(rows)


def test_the_radar_asks_about_nothing_that_another_rule_asks_about(course: RadarCourse) -> None:
    course.adverse_event(grade=4, causality=(), criteria=())
    course.adverse_event(grade=4, causality=(), criteria=(Criterion.LIFE_THREATENING,))
    course.adverse_event(grade=3)
    course.died()
    course.wait(days=2)
    for row in course.rows():
        assert len(course.asking(row)) == 1, row.words
    own = {each.rule_id for each in RADAR_RULES}
    asked = {row.rule for row in course.rows()}
    assert asked - own == {"INV-15", "INV-18", "INV-20"}


def test_every_kind_has_one_detector_with_a_version_and_every_question_a_rule() -> None:
    assert [each.kind for each in DETECTORS] == sorted(FindingKind, key=[each.kind for each in DETECTORS].index)
    assert {each.kind for each in DETECTORS} == set(FindingKind)
    assert all(each.version for each in DETECTORS)
    assert {each.rule_id for each in RADAR_RULES} <= {each.rule_id for each in RULES}
