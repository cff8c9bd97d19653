"""Stopping rules from a participant's commit to the refused session: processor, desk and study together (section 7)."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from builders.adverse_events import FATAL
from builders.payloads import sealed
from builders.times import minute
from hepatrail_events.adverse_events import AECausalityAssessed, AEDowngradedToNonSerious, CausalityTarget
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.safety_desk import AlertRaised, StoppingFactsRecorded, StoppingRuleTriggered
from hepatrail_services.safety.stopping import hold_commands
from stopping_trial import ANAPHYLAXIS, BLEEDING, OF_TRIAL, THROMBOSIS, kinds, subject, suffers, treated_trial, voided
from stopping_world import TREATED, StoppingWorld, reaction

DEATH: dict[str, Any] = {**FATAL, "gradeAt": minute(hours=2)}
TOXICITY = {"grade": 3}


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
    world = treated_trial(rule_id)
    for number in range(1, others + 1):
        assert kinds(suffers(world, number, **event)) == [StoppingFactsRecorded]
    assert not _held(world)
    assert kinds(suffers(world, others + 1, **event)) == OF_TRIAL
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
        "startSession": world.refused("startSession", subject(3)),
        "enrolSubject": world.refused("enrolSubject", "S-900"),
    }
    for message in refused.values():
        assert message is None or any(f"hold {hold.hold_id} of the stopping rule" in message for hold in world.holds)
    return {name for name, message in refused.items() if message is not None}


def test_SR4_holds_the_sessions_of_its_participant_and_nobody_elses() -> None:
    world = treated_trial("SR4")
    assert kinds(suffers(world, 1, **ANAPHYLAXIS)) == [StoppingRuleTriggered, AlertRaised]
    (hold,) = world.holds
    assert (hold.subject_id, hold.scope, hold.requires) == (subject(1), "PARTICIPANT", "PI")
    assert hold.reason == "The stopping rule SR4 was hit."
    assert f"hold {hold.hold_id} of the stopping rule SR4" in (world.refused("startSession", subject(1)) or "")
    assert world.refused("startSession", subject(2)) is None


def test_SR4_tells_the_officer_of_whom_and_what() -> None:
    world = treated_trial("SR4")
    suffers(world, 1, **ANAPHYLAXIS)
    (alert,) = world.alerts
    view = world.view(subject(1))
    assert (alert.subject_id, alert.site_id, alert.ae_id, alert.code) == (
        subject(1),
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
    world = treated_trial()
    events = {"SR1": DEATH, "SR2": BLEEDING, "SR3": THROMBOSIS, "SR4": ANAPHYLAXIS, "SR5": TOXICITY, "SR6": TOXICITY}
    for number in (1, 2, 3):
        assert suffers(world, number, **events[rule_id]) == []
    assert (world.told, world.holds) == ([], [])


@pytest.mark.parametrize(
    "cleared",
    [
        voided(2),
        AECausalityAssessed.model_validate(
            {"aeId": str(UUID(int=2)), "aeVersion": 2, "assessor": "INVESTIGATOR", "rationale": sealed("rationale")}
            | {"target": "DEVICE", "value": "UNRELATED"}
        ),
    ],
    ids=["void", "judged unrelated"],
)
def test_what_clears_the_condition_does_not_clear_the_hold(cleared: Event) -> None:
    world = treated_trial("SR2")
    suffers(world, 1, **BLEEDING)
    suffers(world, 2, **BLEEDING)
    if isinstance(cleared, AECausalityAssessed):
        world.commit(subject(2), cleared.model_copy(update={"target": CausalityTarget.CELL_PRODUCT}))
    assert kinds(world.commit(subject(2), cleared)) == [StoppingFactsRecorded]
    assert world.facts[-1].adverse_events == ()
    assert _held(world) == {"enrolSubject"}


def test_a_downgrade_to_non_serious_changes_no_grade_and_no_hold() -> None:
    world = treated_trial("SR2")
    suffers(world, 1, **BLEEDING)
    suffers(world, 2, **BLEEDING, criteria=["HOSPITALISATION"])
    body = {"aeId": str(UUID(int=2)), "aeVersion": 2, "assessor": "INVESTIGATOR", "reasonCode": "CRITERION_MISAPPLIED"}
    downgraded = AEDowngradedToNonSerious.model_validate(body | {"reasonText": sealed("reasonText")})
    assert world.commit(subject(2), downgraded) == []
    assert _held(world) == {"enrolSubject"}


def test_after_the_release_a_new_participant_hits_again_and_a_new_hold_is_named() -> None:
    world = treated_trial("SR2", treated=4)
    suffers(world, 1, **BLEEDING)
    suffers(world, 2, **BLEEDING)
    world.release()
    assert kinds(suffers(world, 3, **THROMBOSIS)) == []
    assert kinds(suffers(world, 4, **BLEEDING)) == OF_TRIAL
    first, second = (hit.event.hit_id for hit in world.desk.hits.values())
    assert (first, second) == (derived_id("SR2", "TRIAL", 0), derived_id("SR2", "TRIAL", 1))
    assert [hold.hold_id for hold in world.holds] == [derived_id(hit, "HOLD_ENROLMENT") for hit in (first, second)]
    assert str(world.holds[1].hold_id) in (world.refused("enrolSubject", _screened(world)) or "")


def _screened(world: StoppingWorld) -> str:
    world.commit("S-901", *TREATED[:1])
    return "S-901"


def test_SR4_is_hit_again_by_another_reaction_after_the_release() -> None:
    world = treated_trial("SR4")
    suffers(world, 1, **ANAPHYLAXIS)
    second = reaction(7, **ANAPHYLAXIS)
    assert world.commit(subject(1), second) == [], "held already"
    world.release()
    third = reaction(8, code="CYTOKINE_RELEASE", grade=4)
    assert kinds(world.commit(subject(1), third)) == [StoppingRuleTriggered, AlertRaised]
    assert world.hits == ["SR4|S-001", "SR4|S-001"]


def test_the_holds_of_a_hit_are_released_by_whom_the_protocol_says() -> None:
    world = treated_trial("SR1")
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
