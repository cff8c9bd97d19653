"""A protocol version that takes effect: every adverse event is evaluated before and after (`safety.md` section 10)."""

from datetime import timedelta
from uuid import UUID

import pytest

from builders.adverse_events import ae_reported, ae_voided
from builders.ids import AE
from builders.participant import died, session_started
from hepatrail_events.ids import derived_id
from hepatrail_events.streams import STUDY
from hepatrail_services.safety.identity import PROCESSOR
from log_commits import publish
from safety_world import Ward, another, recorded, serious

ONSET = {"value": "2026-01-05T08:30Z", "precision": "MINUTE"}
FEVER = ae_reported(onset=ONSET, gradeAt=ONSET)
POSSIBLE = [{"target": target, "value": "POSSIBLE"} for target in ("DEVICE", "CELL_PRODUCT")]
SUSPECTED = serious(FEVER, "HOSPITALISATION", causality=POSSIBLE)
NARROW = {"related_set": ("DEFINITE",)}


def treated() -> Ward:
    """A participant with a session before the event's onset."""
    return Ward().given(session_started(startedAt="2026-01-05T02:00:00.000Z"))


def test_a_version_that_makes_an_event_related_raises_its_SUSAR() -> None:
    ward = treated()
    publish(ward.log, "2.0", safety=NARROW)
    ward.log.tick(1)
    ward.given(SUSPECTED)
    publish(ward.log, "3.0", ward.log.now + timedelta(days=1))
    (alert,) = ward.takes_effect("3.0")
    assert (alert.type, alert.reasons) == ("SUSAR_QUALIFIED", ("SUSAR_QUALIFIED", "SAE_CHANGED", "SUSAR", "AESI"))
    published = ward.study().protocols[-1].row
    commit_id = recorded([each for each in ward.log.records if each.key == STUDY.encode()][-2:-1])[0].envelope.commitid
    assert (alert.commit_id, alert.raised_at) == (commit_id, published.effective_from)
    assert (alert.alert_id, alert.reporter_id) == (derived_id(AE, commit_id), PROCESSOR)
    assert {each.field: (each.old, each.new) for each in alert.changes} == {
        "related": ("false", "true"),
        "susar": ("false", "true"),
    }
    assert {each.type: each.status for each in alert.clocks}["SUSAR_15D"] == "RUNNING"


def test_a_version_that_makes_an_event_unrelated_takes_its_SUSAR_away() -> None:
    ward = treated().given(SUSPECTED, another(FEVER, 5), another(SUSPECTED, 7))
    ward.given(ae_voided(aeId=str(UUID(int=7)), coSigner="pi"))
    publish(ward.log, "2.0", safety=NARROW)
    alerts = ward.takes_effect("2.0")
    assert [(each.ae_id, each.type) for each in alerts] == [(AE, "SUSAR_DISQUALIFIED")]


@pytest.mark.parametrize(("old", "new", "types"), [(4, 3, ("AESI_SEVERE",)), (3, 4, ()), (3, 2, ())])
def test_a_version_with_another_grade_of_special_interest(old: int, new: int, types: tuple[str, ...]) -> None:
    ward = Ward()
    publish(ward.log, "2.0", safety={"alert_aesi_grade_ge": old})
    ward.log.tick(1)
    ward.given(serious(FEVER, grade=3))
    publish(ward.log, "3.0", safety={"alert_aesi_grade_ge": new})
    assert tuple(each.type for each in ward.takes_effect("3.0")) == types


def test_a_commit_that_did_not_know_the_version_yet_is_told_as_of_its_own_instant() -> None:
    ward = treated()
    publish(ward.log, "2.0", safety=NARROW)
    ward.log.tick(1)
    publish(ward.log, "3.0")
    effective_from = ward.study().protocols[-1].row.effective_from
    ward.log._studyseq -= 1
    ward.given(SUSPECTED)
    (alert,) = ward.takes_effect("3.0")
    assert alert.raised_at == ward.log.now > effective_from
    assert {each.type: each.status for each in alert.clocks}["SUSAR_15D"] == "RUNNING"


def test_a_version_that_changes_nothing_alerts_nobody() -> None:
    ward = treated().given(SUSPECTED, died())
    publish(ward.log, "2.0")
    assert ward.takes_effect("2.0") == ()
