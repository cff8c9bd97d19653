"""When the desk hits a stopping rule, and when it does not (`safety.md` section 7, 6.3 Identity)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from builders.safety_desk import alert_raised
from builders.study import hold_placed
from builders.times import NOW, at
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol_rules import StoppingThreshold
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised, StoppingRuleTriggered
from specification import By, Given, Outcome, given
from stopping import counting, facts_of, facts_recorded, protocol_with, reaction_of, released, rule
from stopping_desk import FACTS, FIRST, HIT, SR2, desk, hit_id, tell, triggered


def test_facts_are_recorded_where_they_differ_from_what_is_held() -> None:
    asked = facts_of("S-001", counting("SR2"))
    event = tell(desk(under=SR2), asked).then_one(FACTS)
    assert event.payload() == {
        name: part for name, part in asked.payload().items() if name not in {"commandId", "protocolVersion"}
    }
    same = asked.model_copy(update={"commit_id": uuid4()})
    tell(desk(event, under=SR2), same).then()
    tell(desk(event, under=SR2), facts_of("S-001")).then_accepts(FACTS)
    tell(desk(under=SR2), facts_of("S-001", days=None)).then()


def test_the_facts_of_a_commit_count_once_even_told_again_with_another_body() -> None:
    """Told again after later ones they would replace these."""
    older, newer = facts_recorded("S-001"), facts_recorded("S-001", counting("SR2"))
    history = desk(older, newer, under=SR2)
    tell(history, facts_of("S-001", commit=older.commit_id)).then()
    tell(history, facts_of("S-001", counting("SR2"), counting("SR2"), commit=older.commit_id)).then()


def test_the_participant_who_completes_a_condition_hits_the_rule_and_alerts_in_the_same_commit() -> None:
    second = counting("SR2", event_ids=(UUID(int=7),))
    asked = facts_of("S-002", second, days=5)
    outcome = tell(desk(alert_raised(1), FIRST, under=SR2), asked)
    outcome.then_accepts(FACTS, HIT, AlertRaised)
    _, hit, alert = outcome.events
    assert hit == triggered(commitId=str(asked.commit_id), eventIds=[str(UUID(int=7))])
    assert isinstance(alert, AlertRaised)
    assert (alert.alert_id, alert.alert_seq, alert.type, alert.priority) == (hit_id("SR2"), 2, "STOPPING_RULE", "P1")
    assert (alert.commit_id, alert.raised_at, alert.reporter_id) == (asked.commit_id, NOW, "hepatrail-safety")
    assert (alert.subject_id, alert.site_id, alert.reasons, alert.provisional) == (None, None, ("SR2",), False)
    assert alert.detail is not None
    assert alert.detail.startswith("SR2: 2 of 2 treated") and "(S-001, S-002)" in alert.detail


@pytest.mark.parametrize(
    ("rule_id", "actions"),
    [
        ("SR1", ("HOLD_SESSIONS", "HOLD_ENROLMENT")),
        ("SR2", ("HOLD_ENROLMENT",)),
        ("SR3", ("HOLD_SESSIONS",)),
        ("SR5", ("HOLD_ENROLMENT",)),
        ("SR6", ("HOLD_ENROLMENT",)),
    ],
)
def test_each_rule_of_the_trial_holds_what_the_reference_says(rule_id: str, actions: tuple[str, ...]) -> None:
    history = desk(facts_recorded("S-001", counting(rule_id)), under=protocol_with(rule_id))
    hit = tell(history, facts_of("S-002", counting(rule_id), days=9)).events[1]
    assert isinstance(hit, HIT)
    assert (hit.rule_id, hit.actions) == (rule_id, actions)


def test_one_participant_too_few_hits_nothing() -> None:
    tell(desk(under=SR2), facts_of("S-001", counting("SR2"))).then_accepts(FACTS)
    tell(desk(FIRST, under=SR2), facts_of("S-001", counting("SR2"), counting("SR2"))).then_accepts(FACTS)


def test_rules_completed_by_the_same_commit_are_hit_each_with_its_number() -> None:
    history = desk(facts_recorded("S-001", counting("SR2", "SR3")), under=protocol_with("SR2", "SR3"))
    outcome = tell(history, facts_of("S-002", counting("SR2", "SR3")))
    outcome.then_accepts(FACTS, HIT, AlertRaised, HIT, AlertRaised)
    assert [each.alert_seq for each in outcome.events if isinstance(each, AlertRaised)] == [1, 2]


def test_a_disabled_rule_does_nothing_whatever_counts_for_it() -> None:
    history = desk(facts_recorded("S-001", counting("SR2", "SR3")), under=SR2)
    outcome = tell(history, facts_of("S-002", counting("SR3")))
    outcome.then_accepts(FACTS)
    nothing = desk(FIRST, under=protocol_with())
    tell(nothing, facts_of("S-002", counting("SR2"))).then_accepts(FACTS)


def test_what_nobody_has_assessed_counts_and_is_flagged() -> None:
    outcome = tell(desk(FIRST, under=SR2), facts_of("S-002", counting("SR2", provisional=True)))
    outcome.then_accepts(FACTS, HIT, AlertRaised)
    alert = outcome.events[-1]
    assert isinstance(alert, AlertRaised)
    assert alert.provisional is True
    assert "not yet assessed: S-002" in (alert.detail or "")


def test_a_version_that_enables_a_rule_counts_what_is_told_again() -> None:
    """Facts are told anew under the version, one participant after the other; the last one completes the condition."""
    newer = replace(desk(under=protocol_with(version="1.0"), study=(By(protocol_with("SR2", version="2.0")),)))
    one = tell(newer, facts_of("S-001", counting("SR2"), version="2.0"))
    one.then_accepts(FACTS)
    told = newer.__class__((*newer.history, *one.events), newer.study)
    tell(told, facts_of("S-002", counting("SR2"), version="2.0")).then_accepts(FACTS, HIT, AlertRaised)


def test_a_version_with_a_lower_threshold_counts_facts_that_do_not_differ() -> None:
    lower = protocol_with(rule("SR2", thresholds=(StoppingThreshold(participants=1),)), version="2.0")
    history = desk(FIRST, under=SR2, study=(lower,))
    same = facts_of("S-001", *FIRST.adverse_events, version="2.0")
    outcome = tell(history, same)
    outcome.then_accepts(HIT, AlertRaised)
    assert tell(desk(FIRST, *outcome.events, under=SR2, study=(lower,)), same).events == ()


def test_facts_under_a_version_that_the_desks_clock_has_not_reached_count_under_it() -> None:
    moment = NOW + timedelta(seconds=1)
    soon = protocol_with("SR2", version="2.0").model_copy(update={"effective_at": moment})
    history = desk(FIRST, under=protocol_with(), study=(soon,))
    tell(history, facts_of("S-002", counting("SR2"), version="1.0")).then_accepts(FACTS)
    tell(history, facts_of("S-002", counting("SR2"), version="2.0")).then_accepts(FACTS, HIT, AlertRaised)


def test_facts_of_an_older_version_count_under_the_one_in_force() -> None:
    history = desk(FIRST, under=SR2, study=(protocol_with(version="2.0"),))
    tell(history, facts_of("S-002", counting("SR2"), version="1.0")).then_accepts(FACTS)


# SR4, which one participant hits alone


def _react(history: Given, **changes: Any) -> Outcome:
    return history.when(reaction_of("S-001", **changes), by=Role.SYSTEM)


SR4_HIT = StoppingRuleTriggered.model_validate(
    triggered().payload()
    | {"hitId": str(hit_id("SR4", 0, "S-001")), "ruleId": "SR4", "scopeId": "S-001"}
    | {"actions": ["HOLD_SESSIONS"]}
)
SR4_PLACED = hold_placed("HOLD_SESSIONS", holdId=str(derived_id(SR4_HIT.hit_id, "HOLD_SESSIONS")))
SR4_RELEASE = By(released(SR4_HIT.hit_id, "HOLD_SESSIONS"), recorded_at=at(hours=1))


def test_SR4_yields_its_hit_and_the_alert_of_the_participant() -> None:
    commit, before = uuid4(), alert_raised(1)
    outcome = _react(given(before), commit=commit, detail="SR4: ANAPHYLAXIS of grade 4")
    outcome.then_accepts(HIT, AlertRaised)
    hit, alert = outcome.events
    assert isinstance(hit, HIT) and isinstance(alert, AlertRaised)
    assert (hit.hit_id, hit.scope_id, hit.commit_id) == (hit_id("SR4", 0, "S-001"), "S-001", commit)
    assert (alert.alert_id, alert.alert_seq, alert.subject_id) == (hit.hit_id, 2, "S-001")
    assert alert.previous_alert_id == before.alert_id, "the chain of the adverse event goes on"
    assert alert.detail == "SR4: ANAPHYLAXIS of grade 4"


def test_SR4_of_one_participant_does_not_stand_for_another() -> None:
    given(SR4_HIT).when(reaction_of("S-002"), by=Role.SYSTEM).then_accepts(HIT, AlertRaised)


def test_SR4_is_not_hit_again_while_the_participant_is_held() -> None:
    _react(given(SR4_HIT)).then()
    _react(desk(SR4_HIT, under=SR2, study=(SR4_PLACED,))).then()


@pytest.mark.parametrize(
    ("minutes", "studyseq", "hit"),
    [(59, 3, True), (60, 4, True), (60, 3, False), (61, 3, False)],
    ids=["after it", "knowing of it", "at its instant", "before it"],
)
def test_SR4_is_hit_again_by_a_commit_after_the_release_however_often_the_log_is_read(
    minutes: int, studyseq: int, hit: bool
) -> None:
    """A processor that starts from nothing tells of every commit again; those before the release were seen then."""
    history = desk(SR4_HIT, under=SR2, study=(SR4_PLACED, SR4_RELEASE))
    outcome = _react(history, studyseq=studyseq, raisedAt=_iso(minutes))
    if hit:
        outcome.then_accepts(HIT, AlertRaised)
        assert outcome.events[0].hit_id == hit_id("SR4", 1, "S-001")  # type: ignore[attr-defined]
    else:
        outcome.then()


def _iso(minutes: float) -> str:
    return at(minutes=minutes).isoformat().replace("+00:00", "Z")
