"""The life of a data query (`events.md` 3.10): open, answered, closed for its rule's version, resolved, open again."""

from dataclasses import replace

import pytest

from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabResultCorrected, RejectReason
from hepatrail_projections.data_query import QueryRow, QueryStatus
from hepatrail_projections.queries.catalogue import RULES
from hepatrail_projections.queries.finding import Rule
from projection_log import SEALED
from query_course import Course

ALT = {"code": "alt", "value": "99999", "unit": "U/L", "accepted": False, "reject_reason": RejectReason.IMPLAUSIBLE}


@pytest.fixture
def course() -> Course:
    """A result that was not accepted."""
    made = Course()
    made.labs(ALT)
    return made


def only(course: Course) -> QueryRow:
    (row,) = course.queries()
    return row


def answer(course: Course, row: QueryRow) -> None:
    course.commit(QueryAnswered(query_id=row.query_id, text=SEALED), actor="nurse", role="COORDINATOR")


def close(course: Course, row: QueryRow, version: str | None = None) -> None:
    event = QueryClosed(query_id=row.query_id, reason=SEALED, rule_version=version or row.rule_version)
    course.commit(event, actor="monitor", role="MONITOR")


def mend(course: Course, row: QueryRow, value: str = "30", reason: RejectReason | None = None) -> None:
    course.commit(
        LabResultCorrected(
            id=row.object_id,
            field="value",
            new_value=value,
            reason=SEALED,
            accepted=reason is None,
            reject_reason=reason,
        )
    )


def raised(rule_id: str, version: str) -> tuple[Rule, ...]:
    """The rules with another version of one of them."""
    return tuple(replace(rule, version=version) if rule.rule_id == rule_id else rule for rule in RULES)


def test_a_query_is_open_while_its_condition_holds_and_gone_when_it_does_not(course: Course) -> None:
    row = only(course)
    assert (row.status, row.answers, row.closures, row.closed) == (QueryStatus.OPEN, [], [], None)
    mend(course, row)
    assert course.queries() == []


def test_an_answered_query_shows_its_answers_and_stays_open(course: Course) -> None:
    answer(course, only(course))
    answer(course, only(course))
    row = only(course)
    assert (row.status, row.is_open_at(course.now)) == (QueryStatus.ANSWERED, True)
    assert [(each["actorId"], each["actorRole"], each["text"]) for each in row.answers] == [
        ("nurse", "COORDINATOR", SEALED.payload())
    ] * 2


def test_dat_04_a_query_that_the_monitor_closed_stays_closed_for_that_version_of_its_rule(course: Course) -> None:
    close(course, only(course))
    row = only(course)
    assert (row.status, row.is_open_at(course.now)) == (QueryStatus.CLOSED, False)
    assert row.closed is not None
    assert (row.closed["actorId"], row.closed["ruleVersion"]) == ("monitor", row.rule_version)
    mend(course, row)
    assert only(course).status == QueryStatus.RESOLVED
    mend(course, row, "99999", RejectReason.IMPLAUSIBLE)
    assert only(course).status == QueryStatus.CLOSED, "also when the condition comes again"


def test_a_newer_version_of_the_rule_opens_it_again_and_keeps_the_closure(course: Course) -> None:
    row = only(course)
    close(course, row)
    (newer,) = course.queries(rules=raised("LAB-02", "2"))
    assert (newer.query_id, newer.status, newer.closed) == (row.query_id, QueryStatus.OPEN, None)
    assert [each["ruleVersion"] for each in newer.closures] == ["1"]
    close(course, newer)
    (newer,) = course.queries(rules=raised("LAB-02", "2"))
    assert newer.status == QueryStatus.CLOSED
    assert only(course).status == QueryStatus.CLOSED, "what was closed for the older version is so still"


def test_a_closure_for_another_version_closes_nothing(course: Course) -> None:
    close(course, only(course), "7")
    assert only(course).status == QueryStatus.OPEN


@pytest.mark.parametrize("said", [answer, close])
def test_what_was_said_stays_readable_when_the_query_has_closed_by_itself(course: Course, said: object) -> None:
    before = only(course)
    assert callable(said)
    said(course, before)
    mend(course, before)
    row = only(course)
    assert (row.status, row.code, row.is_open_at(course.now)) == (QueryStatus.RESOLVED, "RESOLVED", False)
    assert (row.query_id, row.rule, row.object_kind, row.object_id) == (
        before.query_id,
        "LAB-02",
        "LAB_RESULT",
        before.object_id,
    )
    assert len(row.answers) + len(row.closures) == 1
    assert (row.closed is not None) is (said is close)


def test_a_condition_that_comes_again_has_the_answers_of_the_time_before(course: Course) -> None:
    row = only(course)
    answer(course, row)
    mend(course, row)
    mend(course, row, "99999", RejectReason.IMPLAUSIBLE)
    assert (only(course).status, len(only(course).answers)) == (QueryStatus.ANSWERED, 1)


def test_an_answer_to_what_never_was_a_query_has_no_row(course: Course) -> None:
    course.commit(QueryAnswered(query_id=course.log.uuid(), text=SEALED))
    assert [row.status for row in course.queries()] == [QueryStatus.OPEN]


def test_as_of_an_instant_a_query_is_as_it_was_then(course: Course) -> None:
    row, times = only(course), [course.now]
    for step in (answer, close, mend):
        course.wait(minutes=1)
        step(course, row)
        times.append(course.now)
    statuses = [[row.status for row in course.queries(at)] for at in times]
    assert statuses == [["OPEN"], ["ANSWERED"], ["CLOSED"], ["RESOLVED"]]
    assert course.queries(times[1])[0].message == row.message


def test_an_aspect_of_a_rule_that_opened_by_time_is_found_again_when_it_is_resolved() -> None:
    course = Course()
    event = course.adverse_event(grade=None, grade_at=None)
    course.wait(hours=25)
    row = only(course)
    assert row.query_id == derived_id("INV-20", "S-1", f"{event.ae_id}:grade")
    answer(course, row)
    course.void_ae(event)
    assert (only(course).status, only(course).rule, only(course).object_id) == ("RESOLVED", "INV-20", event.ae_id)


def test_dat_04_every_soft_rule_of_the_reference_is_looked_at_and_has_a_version() -> None:
    soft = ["ENR-05", "SES-07", "LAB-02", "LAB-04", "LAB-05", "OBS-01", "OBS-02", "VIS-06", "CON-02", "SUB-03"]
    soft += ["INV-15", "INV-17", "INV-18", "INV-19", "INV-20"]
    radar = [f"RAD-0{number}" for number in range(1, 9)]
    assert sorted(rule.rule_id for rule in RULES) == sorted(soft + radar)
    assert all(rule.version and rule.asks_about for rule in RULES)
