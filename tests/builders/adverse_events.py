"""Adverse events for specifications, from the first report to the void."""

from typing import Any

from builders.ids import AE
from builders.payloads import sealed, stated
from builders.times import iso, minute
from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AECorrected,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AEReopened,
    AEReported,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    AEVoided,
    AEVoidRequested,
)
from hepatrail_events.ids import derived_id


def report_input() -> dict[str, Any]:
    """What is said of an adverse event when it is first reported."""
    return {
        "code": "FEVER",
        "verbatim": sealed("verbatim"),
        "onset": minute(days=5),
        "awareAt": iso(days=4),
        "grade": 2,
        "gradeAt": minute(days=5),
        "outcome": "NOT_RECOVERED",
        "actionTaken": "NO_CHANGE",
        "reporter": "ward physician",
    }


def ae_reported(**changes: Any) -> AEReported:
    """A fever of grade 2 that goes on."""
    return AEReported.model_validate({"aeId": str(AE), "aeVersion": 1} | stated(report_input() | changes))


def _of_ae(version: int, given: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {"aeId": str(AE), "aeVersion": version} | stated(given | changes)


def ae_followed_up(version: int = 2, **changes: Any) -> AEFollowedUp:
    """New information of three days ago."""
    given = {"infoReceivedAt": iso(days=3), "text": sealed("text")}
    return AEFollowedUp.model_validate(_of_ae(version, given, changes))


def ae_grade_changed(to: int, version: int = 2, **changes: Any) -> AEGradeChanged:
    """The severity changed three days ago."""
    return AEGradeChanged.model_validate(_of_ae(version, {"toGrade": to, "gradeAt": minute(days=3)}, changes))


def ae_grade_corrected(version: int = 2, **changes: Any) -> AEGradeCorrected:
    """A point of the grade timeline is taken away, or replaced where a grade is given."""
    given = {"gradeEventId": str(derived_id("grade event")), "reason": sealed()}
    return AEGradeCorrected.model_validate(_of_ae(version, given, changes))


def ae_causality(version: int = 2, **changes: Any) -> AECausalityAssessed:
    """The investigator finds the device a possible cause."""
    given = {
        "assessor": "INVESTIGATOR",
        "target": "DEVICE",
        "value": "POSSIBLE",
        "rationale": sealed("rationale"),
    }
    return AECausalityAssessed.model_validate(_of_ae(version, given, changes))


def ae_expectedness(value: str = "UNEXPECTED", version: int = 2, **changes: Any) -> AEExpectednessAssessed:
    """The sponsor's judgement by the reference safety information."""
    return AEExpectednessAssessed.model_validate(_of_ae(version, {"value": value}, changes))


def ae_upgraded(*criteria: str, version: int = 2, **changes: Any) -> AEUpgradedToSerious:
    """An assessor found the event serious, by default because of hospitalisation, three days ago."""
    given = {"criteria": criteria or ["HOSPITALISATION"], "seriousSince": minute(days=3), "awareAt": iso(days=3)}
    return AEUpgradedToSerious.model_validate(_of_ae(version, given, changes))


def ae_criteria_changed(version: int = 2, **changes: Any) -> AESeriousnessCriteriaChanged:
    """The investigator changed the criteria of the serious event."""
    given = {"assessor": "INVESTIGATOR", "awareAt": iso(days=2)}
    return AESeriousnessCriteriaChanged.model_validate(_of_ae(version, given, changes))


def ae_downgraded(version: int = 2, **changes: Any) -> AEDowngradedToNonSerious:
    """The investigator no longer finds the event serious."""
    given = {
        "assessor": "INVESTIGATOR",
        "reasonCode": "CRITERION_MISAPPLIED",
        "reasonText": sealed("reasonText"),
    }
    return AEDowngradedToNonSerious.model_validate(_of_ae(version, given, changes))


def ae_resolved(outcome: str = "RECOVERED", version: int = 2, **changes: Any) -> AEResolved:
    """The event ended five hours ago."""
    return AEResolved.model_validate(_of_ae(version, {"outcome": outcome, "endAt": minute(hours=5)}, changes))


def ae_reopened(version: int = 2) -> AEReopened:
    """The event goes on after all."""
    return AEReopened.model_validate(_of_ae(version, {"reason": sealed()}, {}))


def ae_corrected(field: str, old: str | None, new: str | None, version: int = 2, **changes: Any) -> AECorrected:
    """One field of the report was corrected."""
    given = {"field": field, "oldValue": old, "newValue": new, "reason": sealed()}
    return AECorrected.model_validate(_of_ae(version, given, changes))


def ae_coded(version: int = 2, **changes: Any) -> AECoded:
    """The event was coded in MedDRA, with codes made up for tests."""
    given = {"meddraVersion": "28.1", "lltCode": "10000001", "ptCode": "10000002"}
    return AECoded.model_validate(_of_ae(version, given, changes))


def ae_void_requested(version: int = 2, **changes: Any) -> AEVoidRequested:
    """An investigator asks that the event be void."""
    given = {"reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")}
    return AEVoidRequested.model_validate(_of_ae(version, given, changes))


def ae_voided(version: int = 2, **changes: Any) -> AEVoided:
    """The event was void."""
    given = {"reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")}
    return AEVoided.model_validate(_of_ae(version, given, changes))


FATAL = {
    "code": "SEPSIS",
    "grade": 5,
    "gradeAt": minute(days=2),
    "outcome": "FATAL",
    "criteria": ["DEATH"],
}
"""What makes a report fatal; the death is two days ago, as in `died`."""
