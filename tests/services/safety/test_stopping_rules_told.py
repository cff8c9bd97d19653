"""What the desk is told of participants, with their commits and when a protocol version takes effect (section 7)."""

from datetime import timedelta

from builders.payloads import sealed
from builders.records import baseline_condition
from builders.study import site_activated
from builders.times import at, minute
from hepatrail_events.baseline_conditions import BaselineConditionCorrected
from hepatrail_events.protocol_rules import StoppingThreshold
from hepatrail_events.safety_desk import AlertRaised, StoppingFactsRecorded, StoppingRuleTriggered
from hepatrail_events.streams import STUDY
from hepatrail_services.command import Command
from hepatrail_services.deciders.safety_desk import RecordStoppingFacts, TriggerStoppingRule
from hepatrail_services.safety.stopping import stopping_commands
from stopping import protocol_with, rule
from stopping_trial import ANAPHYLAXIS, BLEEDING, THROMBOSIS, kinds, subject, suffers, treated_trial, voided
from stopping_world import TREATED, reaction


def test_everything_told_again_changes_nothing_even_after_releases() -> None:
    world = treated_trial("SR2", "SR4", "SR5", treated=4)
    for number in (1, 2):
        suffers(world, number, **BLEEDING)
    suffers(world, 3, **ANAPHYLAXIS)
    world.commit(subject(3), reaction(9, **ANAPHYLAXIS))
    world.commit(subject(2), voided(2))
    world.release()
    suffers(world, 4, **BLEEDING)
    before = (world.desk, world.study.holds)
    world.tell_all_again()
    assert (world.desk, world.study.holds) == before


def test_a_version_that_enables_rules_counts_what_is_there_already() -> None:
    world = treated_trial()
    for number in (1, 2):
        suffers(world, number, **BLEEDING)
    suffers(world, 3, **ANAPHYLAXIS)
    assert world.hits == []
    world.publish(protocol_with("SR2", "SR4", version="2.0"))
    assert world.hits == ["SR2|TRIAL", "SR4|S-003"]
    assert {alert.commit_id for alert in world.alerts} == {world.published.row.commit_id}
    of_one = next(alert for alert in world.alerts if alert.subject_id)
    assert of_one.raised_at == world.published.row.effective_from


def test_a_version_with_another_threshold_counts_what_was_told_before() -> None:
    world = treated_trial("SR2")
    suffers(world, 1, **BLEEDING)
    lower = rule("SR2", thresholds=(StoppingThreshold(participants=1),))
    assert kinds(world.publish(protocol_with(lower, version="2.0"))) == [StoppingRuleTriggered, AlertRaised]


def test_of_who_contributes_nothing_nothing_is_told_when_a_version_takes_effect() -> None:
    world = treated_trial(treated=1)
    world.commit("S-900", *TREATED[:2])
    world.publish(protocol_with("SR2", version="2.0"))
    assert [event.subject_id for event in world.facts] == [subject(1)]
    assert len(world.told) == 1


def test_a_hit_of_a_version_belongs_to_the_moment_at_which_it_took_effect() -> None:
    world = treated_trial(treated=1)
    suffers(world, 1, **ANAPHYLAXIS)
    soon = world.now + timedelta(days=2)
    commit_id = world.record(STUDY, protocol_with("SR4", version="2.0").model_copy(update={"effective_at": soon}))
    world.now = soon + timedelta(hours=1)
    view = world.view(subject(1))
    (command,) = stopping_commands(view, view, commit_id, world.published, world.study, again=True)
    assert isinstance(command, TriggerStoppingRule)
    assert (command.alert.raised_at, command.studyseq, command.commit_id) == (soon, 3, commit_id)


def test_a_hit_of_a_commit_tells_how_far_the_study_was_known_to_it() -> None:
    world = treated_trial("SR4", treated=1)
    world.record(STUDY, site_activated("OTHER"))
    suffers(world, 1, **ANAPHYLAXIS)
    command = world.told[0]
    assert isinstance(command, TriggerStoppingRule)
    assert command.studyseq == 3


def test_a_corrected_baseline_condition_changes_what_an_event_counts_for() -> None:
    """Of grade 4 in the session: a worsening of a condition of grade 3, none of a condition of grade 4."""
    known = baseline_condition(grade=3)
    world = treated_trial("SR2", treated=1)
    world.commit(subject(1), known)
    linked = {"baselineConditionId": str(known.baseline_condition_id), "onset": minute(days=9)}
    suffers(world, 1, **BLEEDING, **linked)
    assert world.facts[-1].adverse_events
    correction = {"field": "grade", "oldValue": "3", "newValue": "4", "reason": sealed()}
    body = correction | {"id": str(known.baseline_condition_id)}
    assert kinds(world.commit(subject(1), BaselineConditionCorrected.model_validate(body))) == [StoppingFactsRecorded]
    assert not world.facts[-1].adverse_events


def test_a_version_that_enables_another_rule_hits_no_rule_again_that_was_released() -> None:
    world = treated_trial("SR2", "SR4")
    for number in (1, 2):
        suffers(world, number, **BLEEDING)
    suffers(world, 3, **ANAPHYLAXIS)
    world.release()
    world.publish(protocol_with("SR2", "SR3", "SR4", version="2.0"))
    assert world.hits == ["SR2|TRIAL", "SR4|S-003"]


def test_a_version_that_disables_all_rules_takes_back_what_participants_contributed() -> None:
    """Otherwise it would count, as it stood then, when a later version enables the rule again."""
    world = treated_trial("SR2")
    suffers(world, 1, **BLEEDING)
    world.publish(protocol_with(version="2.0"))
    assert {event.subject_id: event.adverse_events for event in world.facts}[subject(1)] == ()
    world.commit(subject(1), voided(1))
    world.publish(protocol_with("SR2", "SR3", version="3.0"))
    suffers(world, 2, **BLEEDING)
    assert world.hits == []


def test_T0_is_told_with_the_first_session_and_again_where_it_moves() -> None:
    world = treated_trial("SR5", treated=1)
    assert [event.treated_at for event in world.facts] == [at(hours=6)]
    assert world.commit(subject(2), *TREATED[:2]) == []


def test_a_commit_that_changes_no_contribution_tells_nothing() -> None:
    world = treated_trial("SR2")
    told = len(world.told)
    world.commit(subject(1), reaction(1, grade=2))
    assert len(world.told) == told


def test_what_is_told_depends_on_the_log_alone() -> None:
    world = treated_trial("SR2", "SR4", treated=1)
    before = world.view(subject(1))
    commit_id = world.record("subject-S-001", reaction(1, **ANAPHYLAXIS | {"grade": 4}))
    after = world.view(subject(1))

    def told() -> tuple[Command, ...]:
        return stopping_commands(before, after, commit_id, world.published, world.study)

    first = told()
    assert [type(command) for command in first] == [RecordStoppingFacts, TriggerStoppingRule]
    for command in first:
        world.send(command)
    world.release()
    assert told() == first


def test_the_commands_of_a_commit_have_ids_of_their_own() -> None:
    world = treated_trial("SR2", "SR3", "SR4")
    suffers(world, 1, **THROMBOSIS)
    suffers(world, 2, **ANAPHYLAXIS | {"grade": 4})
    suffers(world, 3, **THROMBOSIS | {"grade": 4})
    ids = [command.command_id for command in world.told]
    assert len(ids) == len(set(ids))
