"""What an adverse event on record brings to the question of its emergence: nothing of it is lost on the way (9)."""

from zoneinfo import ZoneInfo

import pytest

from builders.adverse_events import ae_followed_up, ae_grade_changed, ae_reported, ae_resolved, ae_upgraded
from builders.ids import AE, BASELINE_CONDITION, SUBJECT
from builders.participant import consent
from builders.records import baseline_condition
from builders.times import minute
from hepatrail_events.event import Event
from hepatrail_events.streams import subject_stream
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.adverse_events.derived import te_inputs
from hepatrail_projections.clinical.adverse_events.emergence import TeInputs
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.subject_view import empty_view, fold
from specification import By, recorded

SHANGHAI = ZoneInfo("Asia/Shanghai")


def view(*events: Event) -> SubjectView:
    """A participant of whom this is on record."""
    known = empty_view(SUBJECT)
    for number, event in enumerate((consent(), *events), start=1):
        known = fold(known, recorded(subject_stream(SUBJECT), number, By(event)))
    return known


def inputs(*events: Event) -> TeInputs:
    known = view(*events)
    return te_inputs(known.adverse_events[AE], known.baseline_conditions, SHANGHAI)


def date(**before: float) -> PartialDate:
    return PartialDate.model_validate(minute(**before))


def test_onset_end_and_grades_are_those_on_record() -> None:
    found = inputs(ae_reported(), ae_grade_changed(3), ae_resolved(version=3))
    assert (found.onset, found.end_at) == (date(days=5), date(hours=5))
    assert [(each.grade, each.grade_at) for each in found.grades] == [(2, date(days=5)), (3, date(days=3))]
    assert inputs(ae_reported()).end_at is None


def test_seriousness_counts_since_it_was_first_found() -> None:
    assert inputs(ae_reported()).serious_since is None
    found = inputs(ae_reported(), ae_upgraded())
    assert (found.serious, found.serious_since) == (True, date(days=3))


def test_each_statement_that_it_came_more_often_is_kept() -> None:
    assert inputs(ae_reported()).frequency_worsened == ()
    found = inputs(ae_reported(frequencyWorsenedAt=minute(days=4)), ae_followed_up(frequencyWorsenedAt=minute(days=2)))
    assert set(found.frequency_worsened) == {date(days=4), date(days=2)}


@pytest.mark.parametrize("stated", [True, False, None])
def test_only_a_stated_onset_before_the_first_session_is_one(stated: bool | None) -> None:
    assert inputs(ae_reported(onsetBeforeFirstSession=stated)).onset_before_first_session is (stated is True)


def test_a_linked_condition_brings_its_grade() -> None:
    linked = ae_reported(baselineConditionId=str(BASELINE_CONDITION))
    found = inputs(baseline_condition(grade=3), linked)
    assert (found.linked, found.condition_grade) == (True, 3)
    assert (inputs(ae_reported()).linked, inputs(ae_reported()).condition_grade) == (False, None)
