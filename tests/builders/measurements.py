"""Results and observations for specifications, in canonical units."""

from typing import Any

from builders.ids import row_id
from builders.times import iso
from hepatrail_events.catalogue import catalogue
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabFindingReviewed, LabResultsRecorded, ObservationsRecorded


def finding_reviewed(number: int = 0, **changes: Any) -> LabFindingReviewed:
    """The finding in a row of `lab_result` was judged, by default as not significant."""
    given = {"resultId": str(row_id(number)), "clinicallySignificant": False}
    return LabFindingReviewed.model_validate(given | changes)


def row(code: str, value: Any, **changes: Any) -> dict[str, Any]:
    """A row as a sender states it, in the canonical unit."""
    stated = {"code": code, "value": str(value), "unit": catalogue()[code].canonical_unit} | changes
    return {name: part for name, part in stated.items() if part is not None}


def _measured(values: dict[str, Any], reason: str | None) -> list[dict[str, Any]]:
    judged = {"accepted": reason is None} | ({"rejectReason": reason} if reason else {})
    return [
        row(code, value) | {"resultId": str(row_id(number))} | judged
        for number, (code, value) in enumerate(values.items())
    ]


def lab_result(reason: str | None = None, message: str | None = None, **values: Any) -> LabResultsRecorded:
    """Results of one sample taken yesterday, in canonical units: `lab_result(alt=130)`."""
    given = {
        "sampleId": str(derived_id("sample")),
        "collectedAt": iso(days=1),
        "laboratory": "BFH-LAB",
        "results": _measured(values, reason),
    }
    return LabResultsRecorded.model_validate(given | ({"sourceMessageId": message} if message else {}))


def observation(reason: str | None = None, **values: Any) -> ObservationsRecorded:
    """Observations made yesterday: `observation(map=70)`."""
    return ObservationsRecorded.model_validate({"assessedAt": iso(days=1), "rows": _measured(values, reason)})
