"""Stopping rules from a participant's commit to the refused session: processor, desk and study together (section 7)."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from builders import FATAL, at, baseline_condition, minute, sealed, site_activated
from hepatrail_events.adverse_events import AECausalityAssessed, AEDowngradedToNonSerious, AEVoided, CausalityTarget
from hepatrail_events.baseline_conditions import BaselineConditionCorrected
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol_rules import StoppingThreshold
from hepatrail_events.safety_desk import AlertRaised, StoppingFactsRecorded, StoppingRuleTriggered
from hepatrail_events.streams import STUDY
from hepatrail_services.command import Command
from hepatrail_services.deciders.safety_desk import RecordStoppingFacts, TriggerStoppingRule
from hepatrail_services.safety.stopping import hold_commands, stopping_commands
from stopping import protocol_with, rule
from stopping_world import TREATED, StoppingWorld, reaction

BLEEDING, THROMBOSIS = {"grade": 4}, {"code": "THROMBOSIS_VENOUS", "grade": 3}
ANAPHYLAXIS = {"code": "ANAPHYLAXIS", "grade": 3}
DEATH: dict[str, Any] = {**FATAL, "gradeAt": minute(hours=2)}
TOXICITY = {"grade": 3}
OF_TRIAL = [StoppingFactsRecorded, StoppingRuleTriggered, AlertRaised]


def _world(*rules: Any, treated: int = 3) -> StoppingWorld:
    world = StoppingWorld(protocol_with(*rules))
    for number in range(1, treated + 1):
        world.commit(_subject(number), *TREATED)
    return world


def _subject(number: int) -> str:
    return f"S-{number:03}"


def _suffers(world: StoppingWorld, number: int, **changes: Any) -> list[Event]:
    """The participant has an adverse event, which is reported in a commit of its own."""
    return world.commit(_subject(number), reaction(number, **changes))


def _void(number: int) -> AEVoided:
    body = {"aeId": str(UUID(int=number)), "aeVersion": 9, "reasonCode": "ENTERED_IN_ERROR"}
    return AEVoided.model_validate(body | {"reasonText": sealed("reasonText")})


def _kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


@pytest.mark.parametrize(
    ("rule_id", "event", "others", "held"),
    [
        ("SR1", DEATH, 0, {"startSession", "enrolSubject"}),
        ("SR2", BLEEDING, 1, {"enrolSubject"}),
        ("SR3", THROMBOSIS, 1, {"startSession"}),
        ("SR5", TOXICITY, 1, {"enrolSubject"}),
        ("SR6", TOXICITY, 1, {"enrolSubject"}),
    ],
)
def test_a_rule_of_the_trial_is_hit_by_its_last_participant_and_holds_until_released(
    rule_id: str, event: dict[str, Any], others: int, held: set[str]
) -> None:
    world = _world(rule_id)
    for number in range(1, others + 1):
        assert _kinds(_suffers(world, number, **event)) == [StoppingFactsRecorded]
    assert not _held(world)
    assert _kinds(_suffers(world, others + 1, **event)) == OF_TRIAL
    assert (world.hits, _held(world)) == ([f"{rule_id}|TRIAL"], held)
    assert [(hold.rule_id, hold.scope, hold.requires) for hold in world.holds] == [(rule_id, "TRIAL", "DSMB")] * len(
        held
    )
    world.release()
    assert not _held(world)


def _held(world: StoppingWorld) -> set[str]:
    """What is refused, each time with the hold named: a session of the third participant, another enrolment."""
    world.commit("S-900", *TREATED[:1])
    refused = {
        "startSession": world.refused("startSession", _subject(3)),
        "enrolSubject": world.refused("enrolSubject", "S-900"),
    }
    for message in refused.values():
        assert message is None or any(f"hold {hold.hold_id} of the stopping rule" in message for hold in world.holds)
    return {name for name, message in refused.items() if message is not None}


def test_SR4_holds_the_sessions_of_its_participant_and_nobody_elses() -> None:
    world = _world("SR4")
    assert _kinds(_suffers(world, 1, **ANAPHYLAXIS)) == [StoppingRuleTriggered, AlertRaised]
    (hold,) = world.holds
    assert (hold.subject_id, hold.scope, hold.requires) == (_subject(1), "PARTICIPANT", "PI")
    assert hold.reason == "The stopping rule SR4 was hit."
    assert f"hold {hold.hold_id} of the stopping rule SR4" in (world.refused("startSession", _subject(1)) or "")
    assert world.refused("startSession", _subject(2)) is None


def test_SR4_tells_the_officer_of_whom_and_what() -> None:
    world = _world("SR4")
    _suffers(world, 1, **ANAPHYLAXIS)
    (alert,) = world.alerts
    view = world.view(_subject(1))
    assert (alert.subject_id, alert.site_id, alert.ae_id, alert.code) == (
        _subject(1),
        "BFH",
        UUID(int=1),
        "ANAPHYLAXIS",
    )
    assert (alert.raised_at, alert.grade, alert.priority) == (view.recorded_at, 3, "P1")
    assert alert.detail == "SR4: ANAPHYLAXIS of grade 3; HOLD_SESSIONS until released by PI"
    (hit,) = world.desk.hits.values()
    assert hit.event.event_ids == view.adverse_events[UUID(int=1)].event_ids[:1]


@pytest.mark.parametrize("rule_id", ["SR1", "SR2", "SR3", "SR4", "SR5", "SR6"])
def test_a_rule_that_is_not_enabled_does_nothing(rule_id: str) -> None:
    world = _world()
    events = {"SR1": DEATH, "SR2": BLEEDING, "SR3": THROMBOSIS, "SR4": ANAPHYLAXIS, "SR5": TOXICITY, "SR6": TOXICITY}
    for number in (1, 2, 3):
        assert _suffers(world, number, **events[rule_id]) == []
    assert (world.told, world.holds) == ([], [])


@pytest.mark.parametrize(
    "cleared",
    [
        _void(2),
        AECausalityAssessed.model_validate(
            {"aeId": str(UUID(int=2)), "aeVersion": 2, "assessor": "INVESTIGATOR", "rationale": sealed("rationale")}
            | {"target": "DEVICE", "value": "UNRELATED"}
        ),
    ],
    ids=["void", "judged unrelated"],
)
def test_what_clears_the_condition_does_not_clear_the_hold(cleared: Event) -> None:
    world = _world("SR2")
    _suffers(world, 1, **BLEEDING)
    _suffers(world, 2, **BLEEDING)
    if isinstance(cleared, AECausalityAssessed):
        world.commit(_subject(2), cleared.model_copy(update={"target": CausalityTarget.CELL_PRODUCT}))
    assert _kinds(world.commit(_subject(2), cleared)) == [StoppingFactsRecorded]
    assert world.facts[-1].adverse_events == ()
    assert _held(world) == {"enrolSubject"}


def test_a_downgrade_to_non_serious_changes_no_grade_and_no_hold() -> None:
    world = _world("SR2")
    _suffers(world, 1, **BLEEDING)
    _suffers(world, 2, **BLEEDING, criteria=["HOSPITALISATION"])
    body = {"aeId": str(UUID(int=2)), "aeVersion": 2, "assessor": "INVESTIGATOR", "reasonCode": "CRITERION_MISAPPLIED"}
    downgraded = AEDowngradedToNonSerious.model_validate(body | {"reasonText": sealed("reasonText")})
    assert world.commit(_subject(2), downgraded) == []
    assert _held(world) == {"enrolSubject"}


def test_after_the_release_a_new_participant_hits_again_and_a_new_hold_is_named() -> None:
    world = _world("SR2", treated=4)
    _suffers(world, 1, **BLEEDING)
    _suffers(world, 2, **BLEEDING)
    world.release()
    assert _kinds(_suffers(world, 3, **THROMBOSIS)) == []
    assert _kinds(_suffers(world, 4, **BLEEDING)) == OF_TRIAL
    first, second = (hit.event.hit_id for hit in world.desk.hits.values())
    assert (first, second) == (derived_id("SR2", "TRIAL", 0), derived_id("SR2", "TRIAL", 1))
    assert [hold.hold_id for hold in world.holds] == [derived_id(hit, "HOLD_ENROLMENT") for hit in (first, second)]
    assert str(world.holds[1].hold_id) in (world.refused("enrolSubject", _screened(world)) or "")


def _screened(world: StoppingWorld) -> str:
    world.commit("S-901", *TREATED[:1])
    return "S-901"


def test_SR4_is_hit_again_by_another_reaction_after_the_release() -> None:
    world = _world("SR4")
    _suffers(world, 1, **ANAPHYLAXIS)
    second = reaction(7, **ANAPHYLAXIS)
    assert world.commit(_subject(1), second) == [], "held already"
    world.release()
    third = reaction(8, code="CYTOKINE_RELEASE", grade=4)
    assert _kinds(world.commit(_subject(1), third)) == [StoppingRuleTriggered, AlertRaised]
    assert world.hits == ["SR4|S-001", "SR4|S-001"]


def test_everything_told_again_changes_nothing_even_after_releases() -> None:
    world = _world("SR2", "SR4", "SR5", treated=4)
    for number in (1, 2):
        _suffers(world, number, **BLEEDING)
    _suffers(world, 3, **ANAPHYLAXIS)
    world.commit(_subject(3), reaction(9, **ANAPHYLAXIS))
    world.commit(_subject(2), _void(2))
    world.release()
    _suffers(world, 4, **BLEEDING)
    before = (world.desk, world.study.holds)
    world.tell_all_again()
    assert (world.desk, world.study.holds) == before


def test_a_version_that_enables_rules_counts_what_is_there_already() -> None:
    world = _world()
    for number in (1, 2):
        _suffers(world, number, **BLEEDING)
    _suffers(world, 3, **ANAPHYLAXIS)
    assert world.hits == []
    world.publish(protocol_with("SR2", "SR4", version="2.0"))
    assert world.hits == ["SR2|TRIAL", "SR4|S-003"]
    assert {alert.commit_id for alert in world.alerts} == {world.published.row.commit_id}
    of_one = next(alert for alert in world.alerts if alert.subject_id)
    assert of_one.raised_at == world.published.row.effective_from


def test_a_version_with_another_threshold_counts_what_was_told_before() -> None:
    world = _world("SR2")
    _suffers(world, 1, **BLEEDING)
    lower = rule("SR2", thresholds=(StoppingThreshold(participants=1),))
    assert _kinds(world.publish(protocol_with(lower, version="2.0"))) == [StoppingRuleTriggered, AlertRaised]


def test_of_who_contributes_nothing_nothing_is_told_when_a_version_takes_effect() -> None:
    world = _world(treated=1)
    world.commit("S-900", *TREATED[:2])
    world.publish(protocol_with("SR2", version="2.0"))
    assert [event.subject_id for event in world.facts] == [_subject(1)]
    assert len(world.told) == 1


def test_a_hit_of_a_version_belongs_to_the_moment_at_which_it_took_effect() -> None:
    world = _world(treated=1)
    _suffers(world, 1, **ANAPHYLAXIS)
    soon = world.now + timedelta(days=2)
    commit_id = world.record(STUDY, protocol_with("SR4", version="2.0").model_copy(update={"effective_at": soon}))
    world.now = soon + timedelta(hours=1)
    view = world.view(_subject(1))
    (command,) = stopping_commands(view, view, commit_id, world.published, world.study, again=True)
    assert isinstance(command, TriggerStoppingRule)
    assert (command.alert.raised_at, command.studyseq, command.commit_id) == (soon, 3, commit_id)


def test_a_hit_of_a_commit_tells_how_far_the_study_was_known_to_it() -> None:
    world = _world("SR4", treated=1)
    world.record(STUDY, site_activated("OTHER"))
    _suffers(world, 1, **ANAPHYLAXIS)
    command = world.told[0]
    assert isinstance(command, TriggerStoppingRule)
    assert command.studyseq == 3


def test_a_corrected_baseline_condition_changes_what_an_event_counts_for() -> None:
    """Of grade 4 in the session: a worsening of a condition of grade 3, none of a condition of grade 4."""
    known = baseline_condition(grade=3)
    world = _world("SR2", treated=1)
    world.commit(_subject(1), known)
    linked = {"baselineConditionId": str(known.baseline_condition_id), "onset": minute(days=9)}
    _suffers(world, 1, **BLEEDING, **linked)
    assert world.facts[-1].adverse_events
    correction = {"field": "grade", "oldValue": "3", "newValue": "4", "reason": sealed()}
    body = correction | {"id": str(known.baseline_condition_id)}
    assert _kinds(world.commit(_subject(1), BaselineConditionCorrected.model_validate(body))) == [StoppingFactsRecorded]
    assert not world.facts[-1].adverse_events


def test_a_version_that_enables_another_rule_hits_no_rule_again_that_was_released() -> None:
    world = _world("SR2", "SR4")
    for number in (1, 2):
        _suffers(world, number, **BLEEDING)
    _suffers(world, 3, **ANAPHYLAXIS)
    world.release()
    world.publish(protocol_with("SR2", "SR3", "SR4", version="2.0"))
    assert world.hits == ["SR2|TRIAL", "SR4|S-003"]


def test_a_version_that_disables_all_rules_takes_back_what_participants_contributed() -> None:
    """Otherwise it would count, as it stood then, when a later version enables the rule again."""
    world = _world("SR2")
    _suffers(world, 1, **BLEEDING)
    world.publish(protocol_with(version="2.0"))
    assert {event.subject_id: event.adverse_events for event in world.facts}[_subject(1)] == ()
    world.commit(_subject(1), _void(1))
    world.publish(protocol_with("SR2", "SR3", version="3.0"))
    _suffers(world, 2, **BLEEDING)
    assert world.hits == []


def test_T0_is_told_with_the_first_session_and_again_where_it_moves() -> None:
    world = _world("SR5", treated=1)
    assert [event.treated_at for event in world.facts] == [at(hours=6)]
    assert world.commit(_subject(2), *TREATED[:2]) == []


def test_a_commit_that_changes_no_contribution_tells_nothing() -> None:
    world = _world("SR2")
    told = len(world.told)
    world.commit(_subject(1), reaction(1, grade=2))
    assert len(world.told) == told


def test_what_is_told_depends_on_the_log_alone() -> None:
    world = _world("SR2", "SR4", treated=1)
    before = world.view(_subject(1))
    commit_id = world.record("subject-S-001", reaction(1, **ANAPHYLAXIS | {"grade": 4}))
    after = world.view(_subject(1))

    def told() -> tuple[Command, ...]:
        return stopping_commands(before, after, commit_id, world.published, world.study)

    first = told()
    assert [type(command) for command in first] == [RecordStoppingFacts, TriggerStoppingRule]
    for command in first:
        world.send(command)
    world.release()
    assert told() == first


def test_the_commands_of_a_commit_have_ids_of_their_own() -> None:
    world = _world("SR2", "SR3", "SR4")
    _suffers(world, 1, **THROMBOSIS)
    _suffers(world, 2, **ANAPHYLAXIS | {"grade": 4})
    _suffers(world, 3, **THROMBOSIS | {"grade": 4})
    ids = [command.command_id for command in world.told]
    assert len(ids) == len(set(ids))


def test_the_holds_of_a_hit_are_released_by_whom_the_protocol_says() -> None:
    world = _world("SR1")
    hit = StoppingRuleTriggered.model_validate(
        {"hitId": str(uuid4()), "ruleId": "SR1", "scopeId": "TRIAL", "commitId": str(uuid4())}
        | {"actions": ["HOLD_SESSIONS", "HOLD_ENROLMENT"]}
    )
    envelope = world.log("study")[0].envelope
    commands = hold_commands(hit, envelope, world.study)
    assert [command.action for command in commands] == ["HOLD_SESSIONS", "HOLD_ENROLMENT"]
    assert {command.requires for command in commands} == {"DSMB"}
    assert len({command.command_id for command in commands}) == 2
    unknown = hit.model_copy(update={"rule_id": "SR9"})
    assert {command.requires for command in hold_commands(unknown, envelope, world.study)} == {"DSMB"}
