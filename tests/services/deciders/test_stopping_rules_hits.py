"""When the desk hits a stopping rule, and when it does not (`safety.md` section 7, 6.3 Identity)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from builders import NOW, alert_raised, at, hold_placed, site_activated
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol_rules import StoppingThreshold
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised, StoppingFactsRecorded, StoppingRuleTriggered
from hepatrail_events.study import ProtocolPublished
from hepatrail_services.deciders.safety_desk import RecordStoppingFacts
from specification import By, Given, Outcome, given
from stopping import counting, facts_of, facts_recorded, protocol_with, reaction_of, released, rule

HIT = StoppingRuleTriggered
FACTS = StoppingFactsRecorded


def _hit_id(rule_id: str, n: int = 0, scope: str = "TRIAL") -> UUID:
    return derived_id(rule_id, scope, n)


def _desk(*history: Event | By, under: ProtocolPublished, study: tuple[Event | By, ...] = ()) -> Given:
    """The desk under a protocol; what else stands in the study follows it."""
    return given(*history).in_study(under, site_activated(), *study)


def _tell(history: Given, asked: RecordStoppingFacts) -> Outcome:
    return history.when(asked, by=Role.SYSTEM, who="hepatrail-safety")


SR2 = protocol_with("SR2")
FIRST = facts_recorded("S-001", counting("SR2"))


def _triggered(n: int = 0, rule_id: str = "SR2", *actions: str, **changes: Any) -> StoppingRuleTriggered:
    body = {
        "hitId": str(_hit_id(rule_id, n)),
        "ruleId": rule_id,
        "scopeId": "TRIAL",
        "commitId": str(uuid4()),
        "actions": actions or ("HOLD_ENROLMENT",),
    }
    return StoppingRuleTriggered.model_validate(body | changes)


def _placed(n: int = 0, rule_id: str = "SR2", action: str = "HOLD_ENROLMENT") -> Event:
    return hold_placed(action, holdId=str(derived_id(_hit_id(rule_id, n), action)), ruleId=rule_id, requires="DSMB")


def test_facts_are_recorded_where_they_differ_from_what_is_held() -> None:
    asked = facts_of("S-001", counting("SR2"))
    event = _tell(_desk(under=SR2), asked).then_one(FACTS)
    assert event.payload() == {
        name: part for name, part in asked.payload().items() if name not in {"commandId", "protocolVersion"}
    }
    same = asked.model_copy(update={"commit_id": uuid4()})
    _tell(_desk(event, under=SR2), same).then()
    _tell(_desk(event, under=SR2), facts_of("S-001")).then_accepts(FACTS)
    _tell(_desk(under=SR2), facts_of("S-001", days=None)).then()


def test_the_facts_of_a_commit_count_once_even_told_again_with_another_body() -> None:
    """Told again after later ones they would replace these."""
    older, newer = facts_recorded("S-001"), facts_recorded("S-001", counting("SR2"))
    history = _desk(older, newer, under=SR2)
    _tell(history, facts_of("S-001", commit=older.commit_id)).then()
    _tell(history, facts_of("S-001", counting("SR2"), counting("SR2"), commit=older.commit_id)).then()


def test_the_participant_who_completes_a_condition_hits_the_rule_and_alerts_in_the_same_commit() -> None:
    second = counting("SR2", event_ids=(UUID(int=7),))
    asked = facts_of("S-002", second, days=5)
    outcome = _tell(_desk(alert_raised(1), FIRST, under=SR2), asked)
    outcome.then_accepts(FACTS, HIT, AlertRaised)
    _, hit, alert = outcome.events
    assert hit == _triggered(commitId=str(asked.commit_id), eventIds=[str(UUID(int=7))])
    assert isinstance(alert, AlertRaised)
    assert (alert.alert_id, alert.alert_seq, alert.type, alert.priority) == (_hit_id("SR2"), 2, "STOPPING_RULE", "P1")
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
    history = _desk(facts_recorded("S-001", counting(rule_id)), under=protocol_with(rule_id))
    hit = _tell(history, facts_of("S-002", counting(rule_id), days=9)).events[1]
    assert isinstance(hit, HIT)
    assert (hit.rule_id, hit.actions) == (rule_id, actions)


def test_one_participant_too_few_hits_nothing() -> None:
    _tell(_desk(under=SR2), facts_of("S-001", counting("SR2"))).then_accepts(FACTS)
    _tell(_desk(FIRST, under=SR2), facts_of("S-001", counting("SR2"), counting("SR2"))).then_accepts(FACTS)


def test_rules_completed_by_the_same_commit_are_hit_each_with_its_number() -> None:
    history = _desk(facts_recorded("S-001", counting("SR2", "SR3")), under=protocol_with("SR2", "SR3"))
    outcome = _tell(history, facts_of("S-002", counting("SR2", "SR3")))
    outcome.then_accepts(FACTS, HIT, AlertRaised, HIT, AlertRaised)
    assert [each.alert_seq for each in outcome.events if isinstance(each, AlertRaised)] == [1, 2]


def test_a_disabled_rule_does_nothing_whatever_counts_for_it() -> None:
    history = _desk(facts_recorded("S-001", counting("SR2", "SR3")), under=SR2)
    outcome = _tell(history, facts_of("S-002", counting("SR3")))
    outcome.then_accepts(FACTS)
    nothing = _desk(FIRST, under=protocol_with())
    _tell(nothing, facts_of("S-002", counting("SR2"))).then_accepts(FACTS)


def test_what_nobody_has_assessed_counts_and_is_flagged() -> None:
    outcome = _tell(_desk(FIRST, under=SR2), facts_of("S-002", counting("SR2", provisional=True)))
    outcome.then_accepts(FACTS, HIT, AlertRaised)
    alert = outcome.events[-1]
    assert isinstance(alert, AlertRaised)
    assert alert.provisional is True
    assert "not yet assessed: S-002" in (alert.detail or "")


SECOND = facts_recorded("S-002", counting("SR2"), days=9)
HELD = (FIRST, SECOND, _triggered())


@pytest.mark.parametrize("placed", [True, False], ids=["in force", "not yet placed"])
def test_while_the_hold_is_in_force_nobody_hits_the_rule_again(placed: bool) -> None:
    history = _desk(*HELD, under=SR2, study=(_placed(),) if placed else ())
    _tell(history, facts_of("S-003", counting("SR2"))).then_accepts(FACTS)
    _tell(history, facts_of("S-002")).then_accepts(FACTS)


RELEASE = (_placed(), released(_hit_id("SR2"), "HOLD_ENROLMENT"))
"""Behind protocol and site these are the third and fourth event of the study."""
KNOWING = 4


def test_a_release_alone_hits_nothing_again() -> None:
    history = _desk(*HELD, under=SR2, study=RELEASE)
    _tell(history, facts_of("S-003")).then_accepts(FACTS)
    assert isinstance(SECOND, FACTS)
    _tell(history, facts_of("S-002", *SECOND.adverse_events, days=9)).then()
    _tell(history, facts_of("S-002", counting("SR2"), days=9)).then_accepts(FACTS)


def test_after_the_release_another_participant_hits_it_again_under_the_next_number() -> None:
    outcome = _tell(_desk(*HELD, under=SR2, study=RELEASE), facts_of("S-003", counting("SR2"), days=8))
    outcome.then_accepts(FACTS, HIT, AlertRaised)
    hit, alert = outcome.events[1:]
    assert isinstance(hit, HIT) and isinstance(alert, AlertRaised)
    assert (hit.hit_id, alert.alert_id) == (_hit_id("SR2", 1), _hit_id("SR2", 1))
    again = _tell(
        _desk(*HELD, _placed_facts(), hit, under=SR2, study=RELEASE), facts_of("S-004", counting("SR2"), days=7)
    )
    again.then_accepts(FACTS)


def _placed_facts() -> By:
    return By(facts_recorded("S-003", counting("SR2"), days=8), studyseq=KNOWING)


def test_who_joined_while_the_hold_was_in_force_was_seen_before_the_release() -> None:
    joined = By(facts_recorded("S-003", counting("SR2"), days=8), studyseq=KNOWING - 1)
    history = _desk(*HELD, joined, under=SR2, study=RELEASE)
    _tell(history, facts_of("S-004")).then_accepts(FACTS)
    _tell(history, facts_of("S-005", counting("SR2"))).then_accepts(FACTS, HIT, AlertRaised)


def test_who_joined_after_the_release_before_the_desk_knew_of_it_hits_with_the_next_facts() -> None:
    soon = By(released(_hit_id("SR2"), "HOLD_ENROLMENT"), recorded_at=at(minutes=2))
    joined = By(facts_recorded("S-003", counting("SR2"), days=8), recorded_at=at(minutes=1), studyseq=KNOWING - 1)
    earlier = tuple(By(each, recorded_at=at(minutes=5)) for each in HELD)
    history = _desk(*earlier, joined, under=SR2, study=(_placed(), soon))
    _tell(history, facts_of("S-004")).then_accepts(FACTS, HIT, AlertRaised)


def test_a_hit_of_two_holds_is_over_when_both_are_released() -> None:
    sr1 = protocol_with("SR1")
    hit = _triggered(0, "SR1", "HOLD_SESSIONS", "HOLD_ENROLMENT")
    placed = (_placed(0, "SR1", "HOLD_SESSIONS"), _placed(0, "SR1"))
    one = released(_hit_id("SR1"), "HOLD_SESSIONS")
    both = (one, released(_hit_id("SR1"), "HOLD_ENROLMENT"))
    history = (facts_recorded("S-001", counting("SR1")), hit)
    another = facts_of("S-002", counting("SR1"))
    _tell(_desk(*history, under=sr1, study=(*placed, one)), another).then_accepts(FACTS)
    _tell(_desk(*history, under=sr1, study=(*placed, *both)), another).then_accepts(FACTS, HIT, AlertRaised)


def test_who_joined_between_the_two_releases_of_a_hit_was_seen_before_it_was_over() -> None:
    sr1 = protocol_with("SR1")
    hit = _triggered(0, "SR1", "HOLD_SESSIONS", "HOLD_ENROLMENT")
    placed = (_placed(0, "SR1", "HOLD_SESSIONS"), _placed(0, "SR1"))
    freed = tuple(released(hit.hit_id, action) for action in ("HOLD_SESSIONS", "HOLD_ENROLMENT"))
    between = By(facts_recorded("S-002", counting("SR1"), days=9), studyseq=5)
    history = _desk(facts_recorded("S-001", counting("SR1")), hit, between, under=sr1, study=(*placed, *freed))
    _tell(history, facts_of("S-003")).then_accepts(FACTS)


def test_SR6_is_hit_again_where_void_sessions_make_of_few_among_many_few_among_few() -> None:
    """Two of five were too few when the hold was released; two of four are enough, and nobody is new."""
    sr6, hit = protocol_with("SR6"), _triggered(0, "SR6")
    facts = [facts_recorded(f"S-{number:03}", counting("SR6"), days=50 - number) for number in (1, 2)]
    others = [facts_recorded(f"S-{number:03}", days=50 - number) for number in (3, 4, 5)]
    freed = (_placed(0, "SR6"), released(hit.hit_id, "HOLD_ENROLMENT"))
    history = _desk(*facts, hit, *others, under=sr6, study=freed)
    _tell(history, facts_of("S-005", days=None)).then_accepts(FACTS, HIT, AlertRaised)
    _tell(history, facts_of("S-006", days=1)).then_accepts(FACTS)


def test_void_or_downgrade_clears_the_condition_but_what_was_hit_stays_hit() -> None:
    history = _desk(*HELD, under=SR2, study=(_placed(),))
    state = _tell(history, facts_of("S-002", days=9)).then_accepts(FACTS)
    assert _hit_id("SR2") in state.hits  # type: ignore[union-attr]


def test_a_condition_that_was_cleared_before_the_release_and_holds_again_is_a_new_hit() -> None:
    cleared = facts_recorded("S-002", days=9)
    history = _desk(*HELD, cleared, under=SR2, study=RELEASE)
    _tell(history, facts_of("S-002", counting("SR2"), days=9)).then_accepts(FACTS, HIT, AlertRaised)


def test_SR5_is_hit_where_a_void_session_moves_a_participant_among_the_first_six() -> None:
    """No adverse event is new: the seventh participant becomes the sixth."""
    sr5 = protocol_with("SR5")
    treated = [facts_recorded(f"S-{number:03}", days=50 - number) for number in range(1, 8)]
    facts = [
        each.model_copy(update={"adverse_events": (counting("SR5"),)}) if number in (1, 7) else each
        for number, each in enumerate(treated, start=1)
    ]
    _tell(_desk(*facts, under=sr5), facts_of("S-003", days=None)).then_accepts(FACTS, HIT, AlertRaised)
    hit = _triggered(0, "SR5")
    freed = (_placed(0, "SR5"), released(_hit_id("SR5"), "HOLD_ENROLMENT"))
    _tell(_desk(*facts, hit, under=sr5, study=freed), facts_of("S-003", days=None)).then_accepts(
        FACTS, HIT, AlertRaised
    )


def test_a_version_that_enables_a_rule_counts_what_is_told_again() -> None:
    """Facts are told anew under the version, one participant after the other; the last one completes the condition."""
    newer = replace(_desk(under=protocol_with(version="1.0"), study=(By(protocol_with("SR2", version="2.0")),)))
    one = _tell(newer, facts_of("S-001", counting("SR2"), version="2.0"))
    one.then_accepts(FACTS)
    told = newer.__class__((*newer.history, *one.events), newer.study)
    _tell(told, facts_of("S-002", counting("SR2"), version="2.0")).then_accepts(FACTS, HIT, AlertRaised)


def test_a_version_with_a_lower_threshold_counts_facts_that_do_not_differ() -> None:
    lower = protocol_with(rule("SR2", thresholds=(StoppingThreshold(participants=1),)), version="2.0")
    history = _desk(FIRST, under=SR2, study=(lower,))
    same = facts_of("S-001", *FIRST.adverse_events, version="2.0")
    outcome = _tell(history, same)
    outcome.then_accepts(HIT, AlertRaised)
    assert _tell(_desk(FIRST, *outcome.events, under=SR2, study=(lower,)), same).events == ()


def test_facts_under_a_version_that_the_desks_clock_has_not_reached_count_under_it() -> None:
    moment = NOW + timedelta(seconds=1)
    soon = protocol_with("SR2", version="2.0").model_copy(update={"effective_at": moment})
    history = _desk(FIRST, under=protocol_with(), study=(soon,))
    _tell(history, facts_of("S-002", counting("SR2"), version="1.0")).then_accepts(FACTS)
    _tell(history, facts_of("S-002", counting("SR2"), version="2.0")).then_accepts(FACTS, HIT, AlertRaised)


def test_facts_of_an_older_version_count_under_the_one_in_force() -> None:
    history = _desk(FIRST, under=SR2, study=(protocol_with(version="2.0"),))
    _tell(history, facts_of("S-002", counting("SR2"), version="1.0")).then_accepts(FACTS)


# SR4, which one participant hits alone


def _react(history: Given, **changes: Any) -> Outcome:
    return history.when(reaction_of("S-001", **changes), by=Role.SYSTEM)


SR4_HIT = StoppingRuleTriggered.model_validate(
    _triggered().payload()
    | {"hitId": str(_hit_id("SR4", 0, "S-001")), "ruleId": "SR4", "scopeId": "S-001"}
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
    assert (hit.hit_id, hit.scope_id, hit.commit_id) == (_hit_id("SR4", 0, "S-001"), "S-001", commit)
    assert (alert.alert_id, alert.alert_seq, alert.subject_id) == (hit.hit_id, 2, "S-001")
    assert alert.previous_alert_id == before.alert_id, "the chain of the adverse event goes on"
    assert alert.detail == "SR4: ANAPHYLAXIS of grade 4"


def test_SR4_of_one_participant_does_not_stand_for_another() -> None:
    given(SR4_HIT).when(reaction_of("S-002"), by=Role.SYSTEM).then_accepts(HIT, AlertRaised)


def test_SR4_is_not_hit_again_while_the_participant_is_held() -> None:
    _react(given(SR4_HIT)).then()
    _react(_desk(SR4_HIT, under=SR2, study=(SR4_PLACED,))).then()


@pytest.mark.parametrize(
    ("minutes", "studyseq", "hit"),
    [(59, 3, True), (60, 4, True), (60, 3, False), (61, 3, False)],
    ids=["after it", "knowing of it", "at its instant", "before it"],
)
def test_SR4_is_hit_again_by_a_commit_after_the_release_however_often_the_log_is_read(
    minutes: int, studyseq: int, hit: bool
) -> None:
    """A processor that starts from nothing tells of every commit again; those before the release were seen then."""
    history = _desk(SR4_HIT, under=SR2, study=(SR4_PLACED, SR4_RELEASE))
    outcome = _react(history, studyseq=studyseq, raisedAt=_iso(minutes))
    if hit:
        outcome.then_accepts(HIT, AlertRaised)
        assert outcome.events[0].hit_id == _hit_id("SR4", 1, "S-001")  # type: ignore[attr-defined]
    else:
        outcome.then()


def _iso(minutes: float) -> str:
    return at(minutes=minutes).isoformat().replace("+00:00", "Z")
