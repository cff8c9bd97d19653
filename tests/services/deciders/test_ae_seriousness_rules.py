"""Seriousness by assessor: upgrade, change of criteria, downgrade (`safety.md` 2.3, 4.1, INV-01, 04, 13, 14)."""

from typing import Any

import pytest

from builders.adverse_events import FATAL, ae_reported, ae_upgraded
from builders.commands import command
from builders.ids import AE
from builders.participant import consent, died
from builders.payloads import sealed
from builders.times import day, iso, minute
from hepatrail_events.adverse_events import (
    AEDowngradedToNonSerious,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    Assessor,
    Criterion,
    DowngradeReason,
)
from hepatrail_events.roles import Role
from hepatrail_events.types import SealedText
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState
from hepatrail_services.sealing import sealable_paths
from specification import By, given

OPEN = (consent(), ae_reported())
OF_SITE = (*OPEN, By(ae_upgraded("HOSPITALISATION", "DISABILITY"), Role.INVESTIGATOR))
OF_SPONSOR = (*OPEN, By(ae_upgraded("HOSPITALISATION"), Role.SPONSOR))
DEAD = (
    consent(),
    ae_reported(**FATAL | {"criteria": ["DEATH", "HOSPITALISATION"]}, endAt=minute(days=2)),
    died(primaryCauseAeId=str(AE)),
)


def _event(state: object) -> AdverseEvent:
    assert isinstance(state, SubjectState)
    (event,) = state.adverse_events.events.values()
    return event


def test_an_event_becomes_serious_by_a_criterion() -> None:
    asked = command("upgradeAdverseEvent", criteria=["HOSPITALISATION", "HOSPITALISATION"])
    outcome = given(*OPEN).when(asked, by=Role.INVESTIGATOR)
    event = _event(outcome.then_accepts(AEUpgradedToSerious))
    assert outcome.events[0].payload()["criteria"] == ["HOSPITALISATION"]
    assert event.investigator.criteria == {Criterion.HOSPITALISATION}
    assert not event.sponsor.criteria


def test_inv_01_either_assessor_makes_it_serious_and_both_must_take_it_back() -> None:
    site_too = By(ae_upgraded("DISABILITY", version=3), Role.INVESTIGATOR)
    both = given(*OF_SPONSOR, site_too)
    event = _event(both.when(command("downgradeAdverseEvent"), by=Role.INVESTIGATOR).state)
    assert (event.serious, event.ever_serious) == (True, True)
    alone = _event(given(*OF_SITE).when(command("downgradeAdverseEvent"), by=Role.INVESTIGATOR).state)
    assert (alone.serious, alone.ever_serious) == (False, True)


def test_inv_14_each_assessor_upgrades_once_and_only_its_own_criteria() -> None:
    history = given(*OF_SPONSOR)
    history.when(command("upgradeAdverseEvent", expectedAeVersion=2), by=Role.SPONSOR).then_rejects(field="criteria")
    state = history.when(command("upgradeAdverseEvent"), by=Role.INVESTIGATOR).then_accepts(AEUpgradedToSerious)
    assert _event(state).investigator.criteria == _event(state).sponsor.criteria == {Criterion.HOSPITALISATION}


def test_the_criteria_of_the_report_are_the_investigators() -> None:
    history = given(consent(), By(ae_reported(criteria=["HOSPITALISATION"]), Role.COORDINATOR))
    history.when(command("upgradeAdverseEvent"), by=Role.INVESTIGATOR).then_rejects(field="criteria")
    history.when(command("upgradeAdverseEvent"), by=Role.SPONSOR).then_accepts(AEUpgradedToSerious)


def test_inv_14_the_criterion_death_never_comes_from_the_sponsor() -> None:
    given(*OPEN).when(command("upgradeAdverseEvent", criteria=["DEATH"]), by=Role.SPONSOR).then_rejects(
        "INV-14", field="criteria"
    )
    given(*OF_SPONSOR).when(command("changeSeriousnessCriteria", added=["DEATH"]), by=Role.SPONSOR).then_rejects(
        "INV-14", field="added"
    )


def test_inv_02_the_criterion_death_comes_with_the_death_only() -> None:
    given(*OPEN).when(command("upgradeAdverseEvent", criteria=["DEATH"])).then_rejects("INV-02", field="criteria")
    given(*OF_SITE, died()).when(command("changeSeriousnessCriteria", added=["DEATH"])).then_rejects(
        "INV-02", field="added"
    )


@pytest.mark.parametrize(
    ("changes", "rule", "field"),
    [
        ({"seriousSince": minute(days=6)}, "INV-05", "seriousSince"),
        ({"seriousSince": day("2026-03-21")}, "INV-06", "seriousSince"),
        ({"awareAt": iso(days=6)}, "INV-05", "awareAt"),
        ({"awareAt": iso(minutes=-6)}, "INV-05", "awareAt"),
    ],
    ids=str,
)
def test_the_times_of_an_upgrade_are_in_order(changes: dict[str, Any], rule: str, field: str) -> None:
    given(*OPEN).when(command("upgradeAdverseEvent", **changes)).then_rejects(rule, field=field)


def test_an_assessor_changes_the_own_criteria() -> None:
    asked = command("changeSeriousnessCriteria", added=["LIFE_THREATENING"], removed=["DISABILITY"], reason=sealed())
    outcome = given(*OF_SITE).when(asked, by=Role.INVESTIGATOR)
    event = _event(outcome.then_accepts(AESeriousnessCriteriaChanged))
    assert outcome.events[0].payload() == {
        "aeId": str(AE),
        "aeVersion": 3,
        "assessor": "INVESTIGATOR",
        "added": ["LIFE_THREATENING"],
        "removed": ["DISABILITY"],
        "reason": sealed(),
        "awareAt": iso(days=1),
    }
    assert event.investigator.criteria == {Criterion.HOSPITALISATION, Criterion.LIFE_THREATENING}


def test_the_sponsors_change_is_the_sponsors() -> None:
    state = given(*OF_SPONSOR).when(command("changeSeriousnessCriteria"), by=Role.SPONSOR).state
    assert _event(state).sponsor.criteria == {Criterion.HOSPITALISATION, Criterion.MEDICALLY_IMPORTANT}
    assert _event(state).investigator.criteria == frozenset()


def test_inv_13_criteria_are_not_removed_without_a_reason() -> None:
    removing = {"added": [], "removed": ["DISABILITY"]}
    given(*OF_SITE).when(command("changeSeriousnessCriteria", **removing)).then_rejects("INV-13", field="reason")
    given(*OF_SITE).when(command("changeSeriousnessCriteria", **removing, reason=sealed())).then_accepts(
        AESeriousnessCriteriaChanged
    )


def test_inv_14_an_assessor_removes_only_the_own_criteria() -> None:
    asked = command("changeSeriousnessCriteria", added=[], removed=["HOSPITALISATION"], reason=sealed())
    given(*OF_SPONSOR).when(asked, by=Role.INVESTIGATOR).then_rejects("INV-14", field="removed")
    given(*OF_SITE).when(asked, by=Role.SPONSOR).then_rejects("INV-14", field="removed")


@pytest.mark.parametrize(
    ("history", "changes", "code", "field"),
    [
        (OF_SITE, {"added": []}, "SHAPE", "added"),
        (OF_SITE, {"added": ["DISABILITY"], "removed": ["DISABILITY"]}, "SHAPE", "removed"),
        (OPEN, {}, "RULE", "added"),
        (OF_SITE, {"added": ["DISABILITY"]}, "RULE", "added"),
        (OF_SITE, {"added": [], "removed": ["CONGENITAL"]}, "RULE", "removed"),
        (OF_SITE, {"added": [], "removed": ["HOSPITALISATION", "DISABILITY"]}, "RULE", "removed"),
    ],
    ids=[
        "nothing",
        "added and removed",
        "set empty: upgrade",
        "stated already",
        "not stated",
        "none left: downgrade",
    ],
)
def test_a_change_of_criteria_leaves_a_set_that_is_not_empty(
    history: tuple[Any, ...], changes: dict[str, Any], code: str, field: str
) -> None:
    asked = command("changeSeriousnessCriteria", **changes, reason=sealed())
    given(*history).when(asked, by=Role.INVESTIGATOR).then_rejects(code=code, field=field)


@pytest.mark.parametrize("aware", [iso(days=6), iso(minutes=-6)])
def test_inv_05_nobody_knows_of_a_criterion_before_the_onset_or_in_the_future(aware: str) -> None:
    given(*OF_SITE).when(command("changeSeriousnessCriteria", awareAt=aware)).then_rejects("INV-05", field="awareAt")


def test_an_assessor_takes_the_seriousness_back() -> None:
    outcome = given(*OF_SITE).when(command("downgradeAdverseEvent"), by=Role.INVESTIGATOR)
    outcome.then(
        AEDowngradedToNonSerious(
            ae_id=AE,
            ae_version=3,
            assessor=Assessor.INVESTIGATOR,
            reason_code=DowngradeReason.CRITERION_MISAPPLIED,
            reason_text=SealedText.model_validate(sealed("reasonText")),
        )
    )
    assert _event(outcome.state).investigator.since is None


def test_inv_14_an_assessor_takes_back_only_the_own_criteria() -> None:
    given(*OF_SPONSOR).when(command("downgradeAdverseEvent"), by=Role.INVESTIGATOR).then_rejects("INV-14")
    given(*OF_SITE).when(command("downgradeAdverseEvent"), by=Role.SPONSOR).then_rejects("INV-14")
    given(*OPEN).when(command("downgradeAdverseEvent")).then_rejects(field="aeId")


def test_inv_04_death_is_taken_back_with_the_death_record_only() -> None:
    given(*DEAD).when(command("downgradeAdverseEvent")).then_rejects("INV-04", field="aeId")
    asked = command("changeSeriousnessCriteria", added=[], removed=["DEATH"], reason=sealed())
    given(*DEAD).when(asked).then_rejects("INV-04", field="removed")
    other = command("changeSeriousnessCriteria", added=[], removed=["HOSPITALISATION"], reason=sealed())
    given(*DEAD).when(other).then_accepts(AESeriousnessCriteriaChanged)


@pytest.mark.parametrize("name", ["downgradeAdverseEvent", "voidAdverseEvent", "requestAeVoid"])
def test_inv_13_a_downgrade_and_a_void_are_explained_in_ten_characters(name: str) -> None:
    assert sealable_paths(type(command(name)))["reasonText"].min_length == 10
