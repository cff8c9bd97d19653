"""From the payload of an event to (object, field, value): generic, whatever the event says.

A value is text as a correction would write it (`corrected_values.as_text`), so that the value recorded first and the
one corrected later can be held against each other. Sealed text stays `{kid, cid, path, ct}`, a partial date is its
text, a list of objects with ids of their own falls apart into them, any other list is one value.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from hepatrail_events.corrected_values import as_text

Value: TypeAlias = Any
"""Text, a list, sealed text, or None where there is nothing."""

_OF_A_LIST: Final = (
    "resultId",
    "sessionId",
    "medicationId",
    "procedureId",
    "baselineConditionId",
    "submissionId",
    "deficiencyId",
    "aeId",
    "alertId",
    "holdId",
    "queryId",
    "siteId",
)
"""What names an object in a list."""

OBJECT_OF: Final[Mapping[str, str]] = {
    **dict.fromkeys(("SessionStarted", "SessionPaused", "SessionResumed", "SessionEnded"), "sessionId"),
    **dict.fromkeys(("LabFindingReviewed", "ImplausibleConfirmed"), "resultId"),
    "MedicationRecorded": "medicationId",
    "ProcedureRecorded": "procedureId",
    "BaselineConditionRecorded": "baselineConditionId",
    "SubmissionRecorded": "submissionId",
    "DeviceDeficiencyReported": "deficiencyId",
    **dict.fromkeys(
        (
            "AEReported",
            "AEFollowedUp",
            "AEGradeChanged",
            "AEGradeCorrected",
            "AECausalityAssessed",
            "AEExpectednessAssessed",
            "AEUpgradedToSerious",
            "AESeriousnessCriteriaChanged",
            "AEDowngradedToNonSerious",
            "AEResolved",
            "AEReopened",
            "AECorrected",
            "AECoded",
            "AEVoidRequested",
            "AEVoided",
            "SponsorNotified",
            "NarrativeWritten",
        ),
        "aeId",
    ),
    **dict.fromkeys(("AlertRaised", "AlertAcknowledged", "AlertEscalated", "NotificationSent"), "alertId"),
    **dict.fromkeys(("QueryAnswered", "QueryClosed"), "queryId"),
    **dict.fromkeys(("HoldPlaced", "HoldReleased"), "holdId"),
    **dict.fromkeys(("SiteActivated", "SiteDeactivated"), "siteId"),
    **dict.fromkeys(
        (
            "SessionCorrected",
            "SessionVoided",
            "LabResultCorrected",
            "LabResultVoided",
            "ObservationCorrected",
            "ObservationVoided",
            "AssessmentCorrected",
            "AssessmentVoided",
            "MedicationCorrected",
            "MedicationVoided",
            "ProcedureCorrected",
            "ProcedureVoided",
            "BaselineConditionCorrected",
            "BaselineConditionVoided",
            "SubmissionCorrected",
            "SubmissionVoided",
            "DeviceDeficiencyCorrected",
            "DeviceDeficiencyVoided",
        ),
        "id",
    ),
}
"""Which id of a payload names the clinical object that the event is about; others are about themselves.

Written, because a payload may name several: a device deficiency also its session, an alert also its adverse event.
"""


def object_of(event_type: str, payload: Mapping[str, Any], event_id: str) -> str:
    """The id of the object that an event is about, the event's own where it is about itself."""
    name = OBJECT_OF.get(event_type)
    return event_id if name is None else str(payload.get(name, event_id))


def flatten(event_type: str, payload: Mapping[str, Any], event_id: str) -> Iterator[tuple[str, str, Value]]:
    """Every (object, field, value) that a payload states; the ids that name the objects are no fields of theirs."""
    yield from _fields(object_of(event_type, payload, event_id), payload, OBJECT_OF.get(event_type))


def value_of(value: Any) -> Value:
    """A value of a payload as the trail shows it."""
    if isinstance(value, dict):
        return as_text(value) if "precision" in value else value
    if isinstance(value, list):
        return [value_of(each) for each in value]
    return as_text(value)


def _fields(object_id: str, payload: Mapping[str, Any], own: str | None) -> Iterator[tuple[str, str, Value]]:
    for name, value in payload.items():
        if name == own:
            continue
        key = _key_of_list(value)
        if key is None:
            yield object_id, name, value_of(value)
        else:
            for each in value:
                yield from _fields(str(each[key]), each, key)


def _key_of_list(value: Any) -> str | None:
    """The id by which the objects of a list are known; None when they have none, or the value is no such list."""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return None
    return next((name for name in _OF_A_LIST if name in value[0]), None)
