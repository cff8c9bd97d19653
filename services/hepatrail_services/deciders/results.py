"""What the decider keeps of a measured row, and its correction (`events.md` 3.3, +cv)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.errors import CommandRejected
from hepatrail_events.measurements import (
    LabResultCorrected,
    LabResultsRecorded,
    Measured,
    ObservationsRecorded,
    RejectReason,
)
from hepatrail_events.types import format_instant_or_date
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import Correctable, as_text, correctable, field_named, refuse_stale
from hepatrail_services.deciders.measurement_rows import (
    LabSample,
    ResultRow,
    row_reason,
    sample_reason,
    unreadable,
)

_OF_ROW = ("code", "value", "comparator", "unit", "low", "high", "method", "fasting", "notDone")
_OF_SAMPLE = ("collectedAt", "visitCode", "preSession", "laboratory", "specimen")
_JUDGED = frozenset({"code", "value", "comparator", "unit"})
"""Fields whose correction ends the confirmation of an implausible value."""

CORRECTABLE: Mapping[str, Correctable] = correctable(ResultRow, _OF_ROW) | correctable(LabSample, _OF_SAMPLE)
"""The fields of a laboratory result that may be corrected; those of the sample change for this result only."""
_PLACE = {name: place for place, name in enumerate(CORRECTABLE)}


@dataclass(frozen=True, slots=True)
class Row:
    """One measured row: `values` as text in the order of CORRECTABLE; `observed` tells 3.4 from 3.3.

    A tuple, because a participant may have 3,000 rows and every decider holds all of its participants.
    """

    values: tuple[str | None, ...]
    reason: RejectReason | None
    observed: bool = False
    confirmed: bool = False
    voided: bool = False

    def __getitem__(self, name: str) -> str | None:
        return self.values[_PLACE[name]]

    def having(self, name: str, text: str | None) -> tuple[str | None, ...]:
        """The values with one of them changed."""
        place = _PLACE[name]
        return (*self.values[:place], text, *self.values[place + 1 :])


class Correction(NamedTuple):
    """Old and new text of the field, and why the row may not be used afterwards (None: it may)."""

    old: str | None
    new: str | None
    reason: RejectReason | None


def laboratory_rows(event: LabResultsRecorded) -> dict[UUID, Row]:
    """The rows of a sample by resultId."""
    sample = (
        format_instant_or_date(event.collected_at),
        event.visit_code,
        as_text(event.pre_session),
        event.laboratory,
        event.specimen,
    )
    return {row.result_id: Row((*_texts(row), *sample), row.reject_reason) for row in event.results}


def observed_rows(event: ObservationsRecorded) -> dict[UUID, Row]:
    """The rows of an observation by resultId."""
    sample = (format_instant_or_date(event.assessed_at), event.visit_code, as_text(event.pre_session), None, None)
    return {row.result_id: Row((*_texts(row), *sample), row.reject_reason, observed=True) for row in event.rows}


def _texts(row: Measured) -> tuple[str | None, ...]:
    return (
        row.code,
        row.value,
        row.comparator,
        row.unit,
        row.low,
        row.high,
        row.method,
        as_text(row.fasting),
        row.not_done,
    )


def correct(row: Row, name: str, stated: str | None, new: str | None, situation: Situation) -> Correction:
    """The correction of one field, the row's acceptance decided again.

    CommandRejected: SHAPE for an unknown field or unreadable value, CONFLICT when `stated` is not the old value,
    LAB-01 when the row would become unreadable. A confirmed implausible value stays admitted unless the value,
    its sign, unit or code is what changes.
    """
    _, text = field_named(CORRECTABLE, name).read(new)
    refuse_stale(stated, row[name], text)
    after = replace(row, values=row.having(name, text))
    if lack := unreadable(after["code"], after["value"], after["notDone"]):
        raise CommandRejected(f"The row then {lack[1]}.", rule="LAB-01", field="newValue")
    reason = _reason(after, situation)
    if reason is RejectReason.IMPLAUSIBLE and row.confirmed and name not in _JUDGED:
        reason = None
    return Correction(row[name], text, reason)


def _reason(row: Row, situation: Situation) -> RejectReason | None:
    collected_at, _ = CORRECTABLE["collectedAt"].read(row["collectedAt"])
    return sample_reason(collected_at, row["laboratory"], situation) or row_reason(
        row["code"] or "", row["value"], row["comparator"], row["unit"]
    )


def corrected(row: Row, event: LabResultCorrected) -> Row:
    """The row after its correction."""
    return replace(
        row,
        values=row.having(event.field, event.new_value),
        reason=event.reject_reason,
        confirmed=row.confirmed and event.accepted and event.field not in _JUDGED,
    )
