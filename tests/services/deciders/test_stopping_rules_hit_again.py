"""When the desk hits a rule again that was hit before, and when it does not (`safety.md` section 7, 6.3 Identity)."""

import pytest

from builders.times import at
from hepatrail_events.safety_desk import AlertRaised
from specification import By
from stopping import counting, facts_of, facts_recorded, protocol_with, released
from stopping_desk import FACTS, FIRST, HIT, SR2, desk, hit_id, placed_hold, tell, triggered

SECOND = facts_recorded("S-002", counting("SR2"), days=9)
HELD = (FIRST, SECOND, triggered())


@pytest.mark.parametrize("placed", [True, False], ids=["in force", "not yet placed"])
def test_while_the_hold_is_in_force_nobody_hits_the_rule_again(placed: bool) -> None:
    history = desk(*HELD, under=SR2, study=(placed_hold(),) if placed else ())
    tell(history, facts_of("S-003", counting("SR2"))).then_accepts(FACTS)
    tell(history, facts_of("S-002")).then_accepts(FACTS)


RELEASE = (placed_hold(), released(hit_id("SR2"), "HOLD_ENROLMENT"))
"""Behind protocol and site these are the third and fourth event of the study."""
KNOWING = 4


def test_a_release_alone_hits_nothing_again() -> None:
    history = desk(*HELD, under=SR2, study=RELEASE)
    tell(history, facts_of("S-003")).then_accepts(FACTS)
    assert isinstance(SECOND, FACTS)
    tell(history, facts_of("S-002", *SECOND.adverse_events, days=9)).then()
    tell(history, facts_of("S-002", counting("SR2"), days=9)).then_accepts(FACTS)


def test_after_the_release_another_participant_hits_it_again_under_the_next_number() -> None:
    outcome = tell(desk(*HELD, under=SR2, study=RELEASE), facts_of("S-003", counting("SR2"), days=8))
    outcome.then_accepts(FACTS, HIT, AlertRaised)
    hit, alert = outcome.events[1:]
    assert isinstance(hit, HIT) and isinstance(alert, AlertRaised)
    assert (hit.hit_id, alert.alert_id) == (hit_id("SR2", 1), hit_id("SR2", 1))
    again = tell(
        desk(*HELD, _placed_facts(), hit, under=SR2, study=RELEASE), facts_of("S-004", counting("SR2"), days=7)
    )
    again.then_accepts(FACTS)


def _placed_facts() -> By:
    return By(facts_recorded("S-003", counting("SR2"), days=8), studyseq=KNOWING)


def test_who_joined_while_the_hold_was_in_force_was_seen_before_the_release() -> None:
    joined = By(facts_recorded("S-003", counting("SR2"), days=8), studyseq=KNOWING - 1)
    history = desk(*HELD, joined, under=SR2, study=RELEASE)
    tell(history, facts_of("S-004")).then_accepts(FACTS)
    tell(history, facts_of("S-005", counting("SR2"))).then_accepts(FACTS, HIT, AlertRaised)


def test_who_joined_after_the_release_before_the_desk_knew_of_it_hits_with_the_next_facts() -> None:
    soon = By(released(hit_id("SR2"), "HOLD_ENROLMENT"), recorded_at=at(minutes=2))
    joined = By(facts_recorded("S-003", counting("SR2"), days=8), recorded_at=at(minutes=1), studyseq=KNOWING - 1)
    earlier = tuple(By(each, recorded_at=at(minutes=5)) for each in HELD)
    history = desk(*earlier, joined, under=SR2, study=(placed_hold(), soon))
    tell(history, facts_of("S-004")).then_accepts(FACTS, HIT, AlertRaised)


def test_a_hit_of_two_holds_is_over_when_both_are_released() -> None:
    sr1 = protocol_with("SR1")
    hit = triggered(0, "SR1", "HOLD_SESSIONS", "HOLD_ENROLMENT")
    placed = (placed_hold(0, "SR1", "HOLD_SESSIONS"), placed_hold(0, "SR1"))
    one = released(hit_id("SR1"), "HOLD_SESSIONS")
    both = (one, released(hit_id("SR1"), "HOLD_ENROLMENT"))
    history = (facts_recorded("S-001", counting("SR1")), hit)
    another = facts_of("S-002", counting("SR1"))
    tell(desk(*history, under=sr1, study=(*placed, one)), another).then_accepts(FACTS)
    tell(desk(*history, under=sr1, study=(*placed, *both)), another).then_accepts(FACTS, HIT, AlertRaised)


def test_who_joined_between_the_two_releases_of_a_hit_was_seen_before_it_was_over() -> None:
    sr1 = protocol_with("SR1")
    hit = triggered(0, "SR1", "HOLD_SESSIONS", "HOLD_ENROLMENT")
    placed = (placed_hold(0, "SR1", "HOLD_SESSIONS"), placed_hold(0, "SR1"))
    freed = tuple(released(hit.hit_id, action) for action in ("HOLD_SESSIONS", "HOLD_ENROLMENT"))
    between = By(facts_recorded("S-002", counting("SR1"), days=9), studyseq=5)
    history = desk(facts_recorded("S-001", counting("SR1")), hit, between, under=sr1, study=(*placed, *freed))
    tell(history, facts_of("S-003")).then_accepts(FACTS)


def test_SR6_is_hit_again_where_void_sessions_make_of_few_among_many_few_among_few() -> None:
    """Two of five were too few when the hold was released; two of four are enough, and nobody is new."""
    sr6, hit = protocol_with("SR6"), triggered(0, "SR6")
    facts = [facts_recorded(f"S-{number:03}", counting("SR6"), days=50 - number) for number in (1, 2)]
    others = [facts_recorded(f"S-{number:03}", days=50 - number) for number in (3, 4, 5)]
    freed = (placed_hold(0, "SR6"), released(hit.hit_id, "HOLD_ENROLMENT"))
    history = desk(*facts, hit, *others, under=sr6, study=freed)
    tell(history, facts_of("S-005", days=None)).then_accepts(FACTS, HIT, AlertRaised)
    tell(history, facts_of("S-006", days=1)).then_accepts(FACTS)


def test_void_or_downgrade_clears_the_condition_but_what_was_hit_stays_hit() -> None:
    history = desk(*HELD, under=SR2, study=(placed_hold(),))
    state = tell(history, facts_of("S-002", days=9)).then_accepts(FACTS)
    assert hit_id("SR2") in state.hits  # type: ignore[union-attr]


def test_a_condition_that_was_cleared_before_the_release_and_holds_again_is_a_new_hit() -> None:
    cleared = facts_recorded("S-002", days=9)
    history = desk(*HELD, cleared, under=SR2, study=RELEASE)
    tell(history, facts_of("S-002", counting("SR2"), days=9)).then_accepts(FACTS, HIT, AlertRaised)


def test_SR5_is_hit_where_a_void_session_moves_a_participant_among_the_first_six() -> None:
    """No adverse event is new: the seventh participant becomes the sixth."""
    sr5 = protocol_with("SR5")
    treated = [facts_recorded(f"S-{number:03}", days=50 - number) for number in range(1, 8)]
    facts = [
        each.model_copy(update={"adverse_events": (counting("SR5"),)}) if number in (1, 7) else each
        for number, each in enumerate(treated, start=1)
    ]
    tell(desk(*facts, under=sr5), facts_of("S-003", days=None)).then_accepts(FACTS, HIT, AlertRaised)
    hit = triggered(0, "SR5")
    freed = (placed_hold(0, "SR5"), released(hit_id("SR5"), "HOLD_ENROLMENT"))
    tell(desk(*facts, hit, under=sr5, study=freed), facts_of("S-003", days=None)).then_accepts(FACTS, HIT, AlertRaised)
