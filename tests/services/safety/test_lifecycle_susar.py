"""What raises SUSAR_QUALIFIED, SUSAR_DISQUALIFIED and SAE_CHANGED by `related` (`safety.md` 6.1)."""

from typing import Any
from uuid import UUID

import pytest

from builders.adverse_events import ae_causality, ae_downgraded, ae_expectedness, ae_reported, ae_upgraded, ae_voided
from builders.ids import AE, BASELINE_CONDITION, SESSION
from builders.participant import session_ended, session_started, transplanted
from builders.payloads import sealed
from builders.records import baseline_condition
from hepatrail_events.baseline_conditions import BaselineConditionCorrected
from hepatrail_events.safety_desk import AlertContent
from hepatrail_events.sessions import SessionCorrected, SessionEnded, SessionStarted, SessionVoided
from safety_world import Ward, another, serious

ONSET = {"value": "2026-01-05T08:30Z", "precision": "MINUTE"}
FEVER = ae_reported(onset=ONSET, gradeAt=ONSET, code="OTHER")
SAE = serious(FEVER, "HOSPITALISATION")
POSSIBLE = [{"target": "DEVICE", "value": "POSSIBLE"}]
SUSPECTED = serious(FEVER, "HOSPITALISATION", causality=POSSIBLE)
T0 = session_started(startedAt="2026-01-05T02:00:00.000Z")
T0_VOIDED = SessionVoided.model_validate(
    {"id": str(SESSION), "reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")}
)


def treated() -> Ward:
    """A participant with a session before the event's onset."""
    return Ward().given(T0)


def changed(alert: AlertContent, *fields: str) -> dict[str, tuple[str | None, str | None]]:
    """The old and new text of those of the changes."""
    return {each.field: (each.old, each.new) for each in alert.changes if each.field in fields}


def test_SUSAR_QUALIFIED_from_provisional() -> None:
    ward = treated()
    new = ward.when(SAE).then_one("SAE_NEW", "P2", "SUSAR_PROVISIONAL")
    assert (new.susar, new.provisional) == (True, True)
    alert = ward.when(ae_causality()).then_one("SUSAR_QUALIFIED", "P1", "SUSAR")
    assert (alert.susar, alert.provisional, alert.ae_version) == (True, False, 2)
    assert changed(alert, "related", "susar", "provisional", "causality.INVESTIGATOR.DEVICE") == {
        "provisional": ("true", "false"),
        "causality.INVESTIGATOR.DEVICE": (None, "POSSIBLE"),
    }


def test_SUSAR_QUALIFIED_in_the_first_commit_stands_behind_SAE_NEW_and_makes_it_urgent() -> None:
    treated().when(SUSPECTED).then_one("SAE_NEW", "P1", "SUSAR_QUALIFIED", "SUSAR")


def test_SUSAR_QUALIFIED_with_the_upgrade_of_a_suspected_event() -> None:
    ward = treated().given(ae_reported(**{**FEVER.payload(), "causality": POSSIBLE}))
    ward.when(ae_upgraded("HOSPITALISATION")).then_one("SAE_UPGRADED", "P1", "SUSAR_QUALIFIED", "SUSAR")


def test_SUSAR_QUALIFIED_from_false_by_either_assessor() -> None:
    ward = treated().given(SAE).given(ae_causality(2, value="UNRELATED"))
    gone = ward.when(ae_causality(3, target="CELL_PRODUCT", value="UNRELATED")).then_one("SAE_CHANGED", "P3")
    assert changed(gone, "related", "susar") == {"related": ("true", "false"), "susar": ("true", "false")}
    by_sponsor = ward.when(ae_causality(4, assessor="SPONSOR", value="PROBABLE"), role="SPONSOR")
    alert = by_sponsor.then_one("SUSAR_QUALIFIED", "P1", "SAE_CHANGED", "SUSAR")
    assert changed(alert, "related", "susar", "provisional") == {
        "related": ("false", "true"),
        "susar": ("false", "true"),
    }


def test_SUSAR_QUALIFIED_and_SUSAR_DISQUALIFIED_by_expectedness_alone() -> None:
    ward = treated().given(SUSPECTED)
    expected = ae_expectedness("EXPECTED", rsiVersion="IB-1", rsiTerm="Fever")
    alert = ward.when(expected, role="SPONSOR").then_one("SUSAR_DISQUALIFIED", "P3")
    assert (alert.susar, alert.expectedness) == (False, "EXPECTED")
    ward.when(ae_expectedness("UNEXPECTED", 3), role="SPONSOR").then_one("SUSAR_QUALIFIED", "P1", "SUSAR")


def test_SUSAR_QUALIFIED_once_however_many_agree() -> None:
    ward = treated().given(SUSPECTED)
    ward.when(ae_causality(2, assessor="SPONSOR", value="DEFINITE"), role="SPONSOR").then_none()
    ward.when(ae_causality(3, target="CELL_PRODUCT", value="UNRELATED")).then_none()


def test_SUSAR_DISQUALIFIED_when_both_find_it_unrelated() -> None:
    ward = treated().given(SUSPECTED).given(ae_causality(2, target="CELL_PRODUCT", value="UNRELATED"))
    alert = ward.when(ae_causality(3, value="UNLIKELY")).then_one("SUSAR_DISQUALIFIED", "P3", "SAE_CHANGED")
    assert changed(alert, "related") == {"related": ("true", "false")}


def test_SUSAR_DISQUALIFIED_with_a_downgrade_and_with_a_void() -> None:
    treated().given(SUSPECTED).when(ae_downgraded()).then_one("SUSAR_DISQUALIFIED", "P3", "SAE_DOWNGRADED")
    void = ae_voided(coSigner="pi")
    treated().given(SUSPECTED).when(void).then_one("SUSAR_DISQUALIFIED", "P3", "SAE_VOIDED")


def test_SUSAR_DISQUALIFIED_is_not_said_of_a_provisional_one() -> None:
    ward = treated().given(SAE)
    ward.when(ae_expectedness("EXPECTED", rsiVersion="IB-1", rsiTerm="Fever"), role="SPONSOR").then_none()
    treated().given(SAE).when(ae_downgraded()).then_one("SAE_DOWNGRADED", "P3")
    treated().given(SAE).when(ae_voided(coSigner="pi")).then_one("SAE_VOIDED", "P3")


def test_SUSAR_DISQUALIFIED_is_not_said_of_one_that_becomes_provisional_again() -> None:
    ward = treated().given(SUSPECTED)
    ward.when(ae_causality(2, value="UNLIKELY")).then_none()
    ward.when(ae_causality(3, value="PROBABLE")).then_one("SUSAR_QUALIFIED", "P1", "SUSAR")


def test_a_void_T0_takes_the_SUSAR_away_although_nothing_was_said_of_the_event() -> None:
    ward = treated().given(SUSPECTED)
    outcome = ward.when(T0_VOIDED, actor="dr-wang")
    alert = outcome.then_one("SUSAR_DISQUALIFIED", "P3", "SAE_CHANGED")
    assert (alert.ae_id, alert.ae_version, alert.reporter_id) == (AE, 1, "dr-wang")
    assert (alert.teae, alert.susar) == (False, False)
    assert changed(alert, "teae", "related", "susar") == dict.fromkeys(("teae", "related", "susar"), ("true", "false"))
    assert {each.field for each in alert.changes} == {"teae", "related", "susar"}


def test_a_void_T0_alerts_of_every_serious_event_and_of_no_other() -> None:
    ward = treated()
    ward.given(SUSPECTED, another(FEVER, 5), another(SAE, 6), another(SUSPECTED, 7))
    alerts = ward.when(T0_VOIDED).alerts
    assert [(each.ae_id, each.type) for each in alerts] == [
        (AE, "SUSAR_DISQUALIFIED"),
        (UUID(int=6), "SAE_CHANGED"),
        (UUID(int=7), "SUSAR_DISQUALIFIED"),
    ]


def test_a_session_that_is_recorded_late_makes_a_suspected_event_a_SUSAR() -> None:
    ward = Ward().given(SUSPECTED)
    ward.when(T0).then_one("SUSAR_QUALIFIED", "P1", "SAE_CHANGED", "SUSAR")


@pytest.mark.parametrize(("new_start", "types"), [("09:00", ("SAE_CHANGED",)), ("08:30", ()), ("01:30", ())])
def test_SAE_CHANGED_by_a_corrected_T0_that_moves_the_event_before_it(new_start: str, types: tuple[str, ...]) -> None:
    ward = treated().given(SAE)
    moved = SessionCorrected.model_validate(
        {"id": str(SESSION), "field": "startedAt", "newValue": f"2026-01-05T{new_start}:00.000Z", "reason": sealed()}
    )
    assert tuple(each.type for each in ward.when(moved).alerts) == types


def test_SAE_CHANGED_by_a_corrected_baseline_condition_that_makes_the_event_a_worsening() -> None:
    before_t0 = {"value": "2026-01-04", "precision": "DAY"}
    worsening = ae_reported(
        **{
            **SAE.payload(),
            "onset": before_t0,
            "grade": 3,
            "gradeAt": {"value": "2026-01-06", "precision": "DAY"},
            "baselineConditionId": str(BASELINE_CONDITION),
        }
    )
    ward = treated().given(baseline_condition(code="OTHER", grade=3)).given(worsening)
    corrected = BaselineConditionCorrected.model_validate(
        {"id": str(BASELINE_CONDITION), "field": "grade", "newValue": "2", "reason": sealed()}
    )
    alert = ward.when(corrected).then_one("SAE_CHANGED", "P3", "SUSAR_PROVISIONAL")
    assert changed(alert, "teae", "related") == {"teae": ("false", "true"), "related": ("false", "true")}


def _second_session() -> tuple[SessionStarted, SessionEnded]:
    second = UUID(int=2)
    return (
        session_started(sessionId=str(second), startedAt="2026-06-05T02:00:00.000Z"),
        session_ended().model_copy(update={"session_id": second}),
    )


@pytest.mark.parametrize(
    "events",
    [(transplanted(),), (session_ended(),), _second_session(), (baseline_condition(),)],
    ids=["transplant", "end of the session", "another session", "baseline condition"],
)
def test_what_changes_no_derived_value_that_counts_alerts_nobody(events: tuple[Any, ...]) -> None:
    treated().given(SUSPECTED).when(*events).then_none()


def test_TEAE_status_never_gates_an_alert() -> None:
    untreated = Ward().when(SAE).then_one("SAE_NEW", "P2")
    assert (untreated.teae, untreated.susar, untreated.provisional) == (False, False, False)
    late = ae_reported(**{**SUSPECTED.payload(), "onset": {"value": "2028-01-05", "precision": "DAY"}})
    ward = treated().given(session_ended())
    alert = ward.when(late).then_one("SAE_NEW", "P1", "SUSAR_QUALIFIED", "SUSAR")
    assert (alert.teae, alert.susar) == (False, True)
