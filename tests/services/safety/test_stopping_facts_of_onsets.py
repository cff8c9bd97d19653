"""Which onsets count for SR5 and SR6, by the session before them (`safety.md` section 7)."""

from datetime import timedelta

import pytest

from builders.adverse_events import ae_grade_changed
from builders.participant import session_started
from builders.payloads import sealed
from builders.records import baseline_condition
from builders.times import UNKNOWN, at, day, minute
from hepatrail_events.sessions import SessionStarted, SessionVoided
from hepatrail_events.voiding import VoidReason
from hepatrail_services.safety.stopping_facts import contribution
from stopping_counted import ALL, ae, after_end, counted, under, view_of, with_onset
from stopping_world import TREATED, session_of


def test_SR5_goes_by_the_moment_from_which_an_older_event_is_treatment_emergent() -> None:
    known = baseline_condition(grade=2)
    linked = {
        "baselineConditionId": str(known.baseline_condition_id),
        "onset": minute(days=9),
        "gradeAt": minute(days=9),
    }
    assert "SR5" in counted(known, ae(grade=2, **linked), ae_grade_changed(3, gradeAt=minute(hours=5)))
    late = ae_grade_changed(3, gradeAt=after_end(days=8))
    assert "SR5" not in counted(known, ae(grade=2, **linked), late)


@pytest.mark.parametrize("rule_id", ["SR5", "SR6"])
@pytest.mark.parametrize(("grade", "counts"), [(2, False), (3, True)])
def test_SR5_and_SR6_count_toxicity_of_grade_3_and_more(rule_id: str, grade: int, counts: bool) -> None:
    assert (rule_id in counted(ae(grade=grade))) is counts


@pytest.mark.parametrize("rule_id", ["SR5", "SR6"])
@pytest.mark.parametrize(
    ("onset", "counts"),
    [
        (minute(hours=6), True),
        (after_end(), True),
        (after_end(days=7), True),
        (after_end(days=7, minutes=1), False),
    ],
    ids=["at its start", "at its end", "7 days after it", "a minute later"],
)
def test_SR5_and_SR6_count_an_onset_from_the_start_of_a_session_to_7_days_after_its_end(
    rule_id: str, onset: dict[str, str], counts: bool
) -> None:
    assert (rule_id in counted(with_onset(onset))) is counts


def test_an_onset_between_two_sessions_belongs_to_the_one_before() -> None:
    second = session_of(1, at(hours=-24 * 20), at(hours=-24 * 20 - 5))
    between = with_onset(after_end(days=10))
    assert "SR5" not in counted(*second, between), "before the second session, long after the first"
    assert "SR5" in counted(*second, with_onset(after_end(days=21)))


def test_an_onset_while_the_session_runs_counts() -> None:
    running = (*TREATED[:2], session_started())
    found = contribution(view_of(*running, ae(grade=3)), under(*ALL)).adverse_events
    assert [fact.rule_ids for fact in found] == [("SR5", "SR6")]


@pytest.mark.parametrize(
    ("onset", "counts"),
    [
        (day(f"{at(hours=1):%Y-%m-%d}"), True),
        (day(f"{at(hours=1) + timedelta(days=9):%Y-%m-%d}"), False),
        (UNKNOWN, True),
    ],
    ids=["the day of the session", "nine days later", "unknown"],
)
def test_a_partial_onset_counts_unless_it_lies_outside_for_certain(onset: dict[str, str], counts: bool) -> None:
    assert ("SR5" in counted(with_onset(onset))) is counts


def test_a_void_session_counts_for_nobody() -> None:
    void = SessionVoided.model_validate(
        {
            "id": str(session_started().session_id),
            "reasonCode": VoidReason.DUPLICATE,
            "reasonText": sealed("reasonText"),
        }
    )
    found = contribution(view_of(*TREATED, ae(), void), under(*ALL))
    assert (found.treated_at, found.adverse_events) == (None, ())


def test_an_onset_after_a_void_session_is_held_against_the_others_alone() -> None:
    second = session_of(1, at(hours=-24 * 20), at(hours=-24 * 20 - 5))
    body = {"reasonCode": VoidReason.DUPLICATE, "reasonText": sealed("reasonText")}
    assert isinstance(second[0], SessionStarted)
    void = SessionVoided.model_validate(body | {"id": str(second[0].session_id)})
    after = with_onset(after_end(days=21))
    assert "SR5" in counted(*second, after)
    assert "SR5" not in counted(*second, after, void)
