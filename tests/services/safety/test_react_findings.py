"""Laboratory grades that an officer hears of at once (`safety.md` 6.1, LAB_GRADE_UNREVIEWED; `ctcae_labs.md` R13)."""

from typing import Any
from uuid import UUID

import pytest

import hepatrail_services.safety.findings as findings
from builders.adverse_events import ae_corrected, ae_reported, ae_resolved, ae_upgraded, ae_voided
from builders.ids import SESSION
from builders.participant import session_started
from builders.payloads import sealed
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabFindingReviewed, LabResultCorrected, LabResultsRecorded, LabResultVoided
from hepatrail_events.sessions import SessionVoided
from hepatrail_projections.clinical.grading.terms import TERMS, BaselineRule
from log_commits import publish
from safety_world import Ward, serious

BASELINE = "2026-01-05T01:00:00.000Z"
T0 = session_started(startedAt="2026-01-05T02:00:00.000Z")
DAYS = ("2026-01-06T02:00:00.000Z", "2026-01-07T02:00:00.000Z", "2026-01-08T02:00:00.000Z")
ONSET = {"value": "2026-01-05T08:30Z", "precision": "MINUTE"}
LINKED = ae_reported(code="OTHER", ctcaeTerm="Platelet count decreased", onset=ONSET, gradeAt=ONSET)


def result(number: int) -> UUID:
    """The id of a row."""
    return UUID(int=100 + number)


def platelets(value: str, number: int, at: str = DAYS[0]) -> LabResultsRecorded:
    """One result; below 50 is grade 3, below 25 grade 4."""
    row: dict[str, Any] = {
        "resultId": str(result(number)),
        "code": "platelets",
        "value": value,
        "unit": "10*9/L",
        "low": "125",
        "high": "350",
        "accepted": True,
    }
    return LabResultsRecorded.model_validate(
        {"sampleId": str(derived_id("s", number)), "collectedAt": at, "laboratory": "BFH-LAB", "results": [row]}
    )


def corrected(number: int, value: str) -> LabResultCorrected:
    """The value of a row was another one."""
    return LabResultCorrected.model_validate(
        {
            "id": str(result(number)),
            "field": "value",
            "newValue": value,
            "reason": sealed(),
            "accepted": True,
        }
    )


def treated() -> Ward:
    """A participant with platelets of grade 1 before treatment."""
    return Ward().given(platelets("90", 0, BASELINE)).given(T0)


def test_LAB_GRADE_UNREVIEWED_of_grade_4_alerts_at_once() -> None:
    outcome = treated().when(platelets("20", 1), actor="lab")
    alert = outcome.then_one("LAB_GRADE_UNREVIEWED", "P2")
    assert (alert.raised_at, alert.reporter_id) == (outcome.commit[-1].envelope.recordedat, "lab")
    assert (alert.grade, alert.aware_at, alert.late) == (4, alert.raised_at, None)
    assert alert.detail == (
        "Platelet count decreased: grade 4, at baseline 1; "
        f"platelets, result {result(1)}, collected 2026-01-06T02:00:00.000Z."
    )


def test_LAB_GRADE_UNREVIEWED_of_grade_3_waits_for_a_review() -> None:
    treated().when(platelets("40", 1)).then_none()


def test_LAB_GRADE_UNREVIEWED_once_while_the_grade_lasts_and_again_after_it_was_lower() -> None:
    ward = treated().given(platelets("20", 1))
    ward.when(platelets("19", 2, DAYS[1])).then_none()
    ward.given(platelets("60", 2, DAYS[1]))
    ward.when(platelets("20", 3, DAYS[2])).then_one("LAB_GRADE_UNREVIEWED", "P2")


def test_LAB_GRADE_UNREVIEWED_by_a_correction_that_makes_it_so() -> None:
    ward = treated().given(platelets("200", 1))
    ward.when(corrected(1, "20")).then_one("LAB_GRADE_UNREVIEWED", "P2")
    ward.when(corrected(1, "21")).then_none()


def test_LAB_GRADE_UNREVIEWED_needs_treatment() -> None:
    Ward().when(platelets("20", 1)).then_none()
    Ward().given(platelets("20", 1)).when(T0).then_one("LAB_GRADE_UNREVIEWED", "P2")
    ward = treated().given(
        SessionVoided.model_validate(
            {"id": str(SESSION), "reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")}
        )
    )
    ward.when(platelets("20", 1)).then_none()


def test_LAB_GRADE_UNREVIEWED_is_not_said_of_what_an_adverse_event_accounts_for() -> None:
    treated().given(LINKED).when(platelets("20", 1)).then_none()
    treated().when(LINKED, platelets("20", 1)).then_none()


@pytest.mark.parametrize(
    "event",
    [
        ae_voided(),
        ae_resolved(endAt={"value": "2026-01-05T09:30Z", "precision": "MINUTE"}),
        ae_corrected("onset", "2026-01-05T08:30Z", "2026-01-07"),
        ae_corrected("ctcaeTerm", "Platelet count decreased", "Anemia"),
    ],
    ids=["void", "ended before", "began later", "another term"],
)
def test_LAB_GRADE_UNREVIEWED_when_the_event_no_longer_accounts_for_it(event: Event) -> None:
    ward = treated().given(LINKED).given(platelets("20", 1))
    alert = ward.when(event).then_one("LAB_GRADE_UNREVIEWED", "P2")
    assert alert.alert_id == derived_id(f"{result(1)}|LAB_GRADE_UNREVIEWED")


def test_LAB_GRADE_UNREVIEWED_beside_the_alert_of_the_event_itself() -> None:
    ward = treated().given(serious(LINKED, "HOSPITALISATION")).given(platelets("20", 1))
    alerts = ward.when(ae_voided(coSigner="pi")).alerts
    assert [each.type for each in alerts] == ["SAE_VOIDED", "LAB_GRADE_UNREVIEWED"]


def test_LAB_GRADE_UNREVIEWED_goes_with_a_review_and_brings_none() -> None:
    ward = treated().given(platelets("20", 1))
    ward.when(LabFindingReviewed(result_id=result(1), clinically_significant=False)).then_none()
    ward.when(corrected(1, "21")).then_none()


def test_LAB_GRADE_UNREVIEWED_of_the_next_result_when_the_first_at_its_grade_is_void() -> None:
    ward = treated().given(platelets("20", 1)).given(platelets("19", 2, DAYS[1]))
    void = LabResultVoided.model_validate(
        {"id": str(result(1)), "reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")}
    )
    alert = ward.when(void).then_one("LAB_GRADE_UNREVIEWED", "P2")
    assert alert.alert_id == derived_id(f"{result(2)}|LAB_GRADE_UNREVIEWED")


def test_LAB_GRADE_UNREVIEWED_from_the_grade_of_a_protocol_that_takes_effect() -> None:
    ward = Ward()
    publish(ward.log, "2.0", safety={"alert_lab_grade_ge": 5})
    ward.given(platelets("90", 0, BASELINE)).given(T0)
    ward.when(platelets("20", 1)).then_none()
    publish(ward.log, "3.0")
    (alert,) = ward.takes_effect("3.0")
    assert (alert.type, alert.alert_id) == ("LAB_GRADE_UNREVIEWED", derived_id(f"{result(1)}|LAB_GRADE_UNREVIEWED"))
    assert ward.takes_effect("2.0") == ()


def test_the_alert_of_an_adverse_event_does_not_wait_for_the_grading_of_results(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ward = treated().given(platelets("20", 1)).given(LINKED)
    monkeypatch.setattr(findings, "clinical_state", None)
    monkeypatch.setattr(findings, "unreviewed_findings", None)
    other = serious(ae_reported(onset=ONSET, gradeAt=ONSET), "HOSPITALISATION", aeId=str(UUID(int=7)))
    ward.when(other).then_one("SAE_NEW", "P2", "SUSAR_PROVISIONAL", "AESI")
    ward.when(ae_resolved(aeId=str(UUID(int=7)))).then_none()
    ward.when(ae_upgraded("DISABILITY")).then_one("SAE_UPGRADED", "P2", "SUSAR_PROVISIONAL")


def test_what_a_participant_takes_decides_no_grade_that_is_told_at_once() -> None:
    terms = [term for term in TERMS if term.rule is BaselineRule.ANTICOAGULATED]
    bands = [each for term in terms for row in (term.bands, term.other_bands) if row is not None for each in row.bands]
    assert bands
    assert all(each.grade < 4 for each in bands)
