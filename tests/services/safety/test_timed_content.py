"""What the alerts say that time raises (`safety.md` 6.1: CLOCK_WARNING, CLOCK_BREACH, DEATH_WITHOUT_AE, ...)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from builders.adverse_events import ae_criteria_changed, ae_reported, ae_upgraded
from builders.ids import AE, SESSION
from builders.participant import death_corrected, died, session_started
from builders.payloads import sealed
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabResultsRecorded
from hepatrail_events.safety_desk import AlertContent, AlertType
from hepatrail_events.sessions import SessionVoided
from hepatrail_projections.clinical.reporting.clock import Clock, ClockType
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.lab_grades import unreviewed_findings
from hepatrail_projections.safety_course import clocks_of
from hepatrail_services.safety.timed_content import clock_alert, death_without_ae_alert, lab_finding_alert
from log_commits import publish
from safety_world import Ward, serious

ONSET = {"value": "2026-01-05T08:30Z", "precision": "MINUTE"}
POSSIBLE = [{"target": target, "value": "POSSIBLE"} for target in ("DEVICE", "CELL_PRODUCT")]
FEVER = ae_reported(onset=ONSET, gradeAt=ONSET, awareAt="2026-01-05T01:00:00.000Z", causality=POSSIBLE)
SAE = serious(FEVER, "HOSPITALISATION")
WARN, BREACH = AlertType.CLOCK_WARNING, AlertType.CLOCK_BREACH
HOURS_24 = datetime(2026, 1, 6, 1, tzinfo=UTC)
"""When the ethics committee must know of it."""


def reported() -> Ward:
    """A treated participant with an SAE that began after the first session."""
    return Ward().given(session_started(startedAt="2026-01-05T02:00:00.000Z")).given(SAE)


def clock(ward: Ward, kind: ClockType = ClockType.EC_SAE_24H) -> Clock:
    """A clock of the SAE."""
    (found,) = (each for each in clocks_of(ward.view(), ward.study(), ward.log.now)[AE] if each.type is kind)
    return found


def of_clock(ward: Ward, kind: AlertType, fire_at: datetime, late: bool = False) -> AlertContent:
    """The alert of the ethics committee's clock."""
    return clock_alert(ward.view(), ward.study(), clock(ward), kind, fire_at, late)


def test_CLOCK_WARNING_names_the_clock_and_what_it_is_of() -> None:
    ward = reported()
    found = clock(ward)
    alert = of_clock(ward, WARN, found.warn_at)
    assert (alert.type, alert.priority, alert.alert_id) == (WARN, "P2", derived_id(f"{found.clock_id}|WARN"))
    assert alert.reasons == ("CLOCK_WARNING", "SUSAR", "AESI")
    assert (alert.raised_at, alert.commit_id, alert.reporter_id) == (
        HOURS_24 - timedelta(hours=6),
        ward.view().safety_history[-1].commit_id,
        "hepatrail-safety",
    )
    assert (alert.ae_id, alert.ae_version, alert.code, alert.session_id) == (AE, 1, "FEVER", SESSION)
    assert alert.detail == "The clock EC_SAE_24H is due at 2026-01-06T01:00:00.000Z."
    assert {each.type: each.status for each in alert.clocks}["EC_SAE_24H"] == "RUNNING"
    assert (alert.changes, alert.late) == ((), None)


def test_CLOCK_BREACH_shows_the_clock_as_breached_though_its_last_instant_is_in_time() -> None:
    ward = reported()
    found = clock(ward)
    alert = of_clock(ward, BREACH, found.due_at)
    assert (alert.type, alert.priority, alert.alert_id) == (BREACH, "P1", derived_id(f"{found.clock_id}|BREACH"))
    assert alert.raised_at == found.due_at == HOURS_24
    statuses = {each.type: each.status for each in alert.clocks}
    assert (statuses["EC_SAE_24H"], statuses["SUSAR_15D"]) == ("BREACHED", "RUNNING")


def test_CLOCK_BREACH_of_a_clock_of_days_comes_with_the_first_instant_after_its_last_day() -> None:
    ward = reported()
    found = clock(ward, ClockType.SUSAR_15D)
    alert = clock_alert(ward.view(), ward.study(), found, BREACH, found.due_at, late=False)
    assert {each.type: each.status for each in alert.clocks}["SUSAR_15D"] == "BREACHED"
    assert alert.detail == "The clock SUSAR_15D is due at 2026-01-20T16:00:00.000Z."


def test_CLOCK_BREACH_at_once_of_a_report_that_comes_after_its_time_tells_of_that_report() -> None:
    ward = Ward().given(FEVER)
    ward.log.tick(3 * 24 * 60)
    ward.given(ae_upgraded("DISABILITY", awareAt="2026-01-06T01:00:00.000Z"))
    fire_at = clock(ward).changed_at
    alert = of_clock(ward, BREACH, fire_at)
    assert (fire_at, alert.raised_at) == (ward.log.now, ward.log.now)
    assert (alert.ae_version, alert.criteria) == (2, ("DISABILITY",))
    assert {each.type: each.status for each in alert.clocks}["EC_SAE_24H"] == "BREACHED"


def test_a_timed_alert_that_comes_long_after_its_time_is_marked_late() -> None:
    assert of_clock(reported(), WARN, HOURS_24, late=True).late is True


def _graver(ward: Ward) -> None:
    ward.given(ae_criteria_changed(2, added=["LIFE_THREATENING"]))


def _untreated(ward: Ward) -> None:
    void = {"id": str(SESSION), "reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")}
    ward.given(SessionVoided.model_validate(void))


def _another_protocol(ward: Ward) -> None:
    publish(ward.log, "2.0", safety={"related_set": ()})


@pytest.mark.parametrize("later", [_graver, _untreated, _another_protocol])
def test_a_timed_alert_is_built_of_what_was_known_at_its_instant(later: Callable[[Ward], None]) -> None:
    ward = reported()
    fire_at = clock(ward).warn_at
    wanted = of_clock(ward, WARN, fire_at)
    ward.log.now = fire_at + timedelta(minutes=1)
    later(ward)
    assert of_clock(ward, WARN, fire_at) == wanted


def test_DEATH_WITHOUT_AE_reminds_of_the_death() -> None:
    ward = Ward()
    death = ward.when(died()).commit[-1].envelope
    fire_at = death.recordedat + timedelta(hours=24)
    alert = death_without_ae_alert(ward.view(), ward.study(), fire_at, late=False)
    assert (alert.type, alert.priority, alert.reasons) == ("DEATH_WITHOUT_AE", "P2", ("DEATH_WITHOUT_AE",))
    assert alert.alert_id == derived_id("S-001|DEATH_WITHOUT_AE")
    assert (alert.raised_at, alert.commit_id, alert.reporter_id) == (fire_at, death.commitid, "hepatrail-safety")
    assert (alert.aware_at, alert.ae_id, alert.late) == (died().aware_at, None, None)
    assert alert.detail == "The death was recorded at 2026-01-05T01:00:24.000Z; no adverse event is fatal."
    assert death_without_ae_alert(ward.view(), ward.study(), fire_at, late=True).late is True


def test_DEATH_WITHOUT_AE_names_the_commit_of_the_death_that_stands() -> None:
    ward = Ward().given(died()).given(death_corrected(revived=True))
    death = ward.when(died()).commit[-1].envelope
    ward.given(death_corrected(autopsyDone=True))
    alert = death_without_ae_alert(ward.view(), ward.study(), ward.log.now, late=False)
    assert alert.commit_id == death.commitid


def test_DEATH_WITHOUT_AE_names_the_commit_of_the_death_among_several_of_one_instant() -> None:
    ward = Ward().given(SAE)
    ward.log.tick(-0.1)
    death = ward.when(died()).commit[-1].envelope
    assert [each.recorded_at for each in ward.view().safety_history] == [death.recordedat] * 2
    alert = death_without_ae_alert(ward.view(), ward.study(), ward.log.now, late=False)
    assert alert.commit_id == death.commitid


def _platelets(comparator: str | None = None) -> LabResultsRecorded:
    row = {
        "resultId": str(UUID(int=101)),
        "code": "platelets",
        "value": "40",
        "unit": "10*9/L",
        "low": "125",
        "high": "350",
        "accepted": True,
        **({"comparator": comparator} if comparator else {}),
    }
    given = {"sampleId": str(UUID(int=9)), "collectedAt": "2026-01-06", "laboratory": "L", "results": [row]}
    return LabResultsRecorded.model_validate(given)


@pytest.mark.parametrize(("comparator", "grade"), [(None, "grade 3"), ("<", "at least grade 3")])
def test_LAB_GRADE_UNREVIEWED_of_grade_3_after_a_day(comparator: str | None, grade: str) -> None:
    ward = Ward().given(session_started(startedAt="2026-01-05T02:00:00.000Z")).given(_platelets(comparator))
    published = ward.study().protocols[-1]
    (finding,) = unreviewed_findings(ward.view(), clinical_state(ward.view(), published))
    alert = lab_finding_alert(ward.view(), ward.study(), finding, finding.opens_at, late=False)
    assert (alert.type, alert.priority, alert.grade) == ("LAB_GRADE_UNREVIEWED", "P3", 3)
    assert alert.alert_id == alert.commit_id == derived_id(f"{UUID(int=101)}|LAB_GRADE_UNREVIEWED")
    known_at = ward.log.now
    assert (alert.raised_at, alert.aware_at) == (known_at + timedelta(hours=24), known_at)
    assert alert.detail == (
        f"Platelet count decreased: {grade}, at baseline none; platelets, result {UUID(int=101)}, collected 2026-01-06."
    )
