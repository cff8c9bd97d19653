"""What the requirements say of facts that stand in the log: workflow as events, and both times of an observation."""

from datetime import timedelta

import pytest

from builders.commands import command
from builders.participant import consent
from builders.safety_desk import alert_raised
from builders.study import hold_placed
from hepatrail_events.data_queries import QueryClosed
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import AlertAcknowledged
from hepatrail_events.streams import STUDY
from hepatrail_events.study import (
    AccessWithdrawn,
    AuditTrailReviewed,
    HoldPlaced,
    HoldReleased,
    ProtocolPublished,
    SealingKeyPublished,
    SiteActivated,
)
from hepatrail_projections.derive import derive
from hepatrail_projections.reading import fold_study_events
from query_course import Course
from specification import READY, Given, given

DESK, SUBJECT, UNTOUCHED = given(alert_raised()), given(consent()), given()


@pytest.mark.parametrize(
    ("before", "asked", "fact"),
    [
        (DESK, "acknowledgeSaeAlert", AlertAcknowledged),
        (UNTOUCHED, "placeHold", HoldPlaced),
        (given(hold_placed()), "releaseHold", HoldReleased),
        (UNTOUCHED, "publishProtocol", ProtocolPublished),
        (UNTOUCHED, "activateSite", SiteActivated),
        (UNTOUCHED, "publishSealingKey", SealingKeyPublished),
        (given(*READY), "withdrawAccess", AccessWithdrawn),
        (given(*READY), "reviewAuditTrail", AuditTrailReviewed),
        (SUBJECT, "closeQuery", QueryClosed),
    ],
)
def test_aud_08_a_workflow_action_is_an_event_and_the_fold_shows_it(
    before: Given, asked: str, fact: type[Event]
) -> None:
    outcome = before.when(command(asked))
    state = outcome.then_accepts(fact)
    assert state.version == len(before.history) + 1


def test_tim_02_a_late_entry_keeps_both_times_and_its_lag() -> None:
    course = Course()
    course.wait(days=10)
    collected = course.now - timedelta(days=9)
    (result,) = course.labs({"code": "alt", "value": "30", "unit": "U/L"}, collected_at=collected)
    (row,) = derive(course.view(), fold_study_events(course.events(STUDY)), course.now).lab_results
    assert (row.result_id, row.collected_at, row.recorded_at) == (result, collected, course.now)
    assert row.collected_at is not None
    assert row.recorded_at - row.collected_at > timedelta(days=9)
    (event,) = (each for each in course.events(course.stream) if each.envelope.id in row.event_ids)
    assert (event.envelope.recordedat, event.event.payload()["collectedAt"]) == (
        course.now,
        f"{collected:%Y-%m-%dT%H:%M:%S}.{collected.microsecond // 1000:03}Z",
    )
