"""What the decider keeps of a measured row, and its correction (`events.md` 3.3, 3.4, +cv)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.corrected_values import as_text
from hepatrail_events.errors import CommandRejected
from hepatrail_events.measurements import (
    LabResultsRecorded,
    Measured,
    ObservationsRecorded,
    RejectReason,
    ResultCorrected,
)
from hepatrail_events.types import format_instant_or_date
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import Correctable, correctable, field_named, refuse_stale
from hepatrail_services.deciders.measurement_rows import (
    LabSample,
    Moment,
    ObservationRow,
    ResultRow,
    row_reason,
    sample_reason,
    unreadable,
)

_OF_ROW = ("code", "value", "comparator", "unit", "low", "high", "method", "fasting", "notDone")
_OF_SAMPLE = ("collectedAt", "visitCode", "preSession", "laboratory", "specimen")
_OF_MOMENT = ("assessedAt", "visitCode", "preSession")
_JUDGED = frozenset({"code", "value", "comparator", "unit"})
"""Fields whose correction ends the confirmation of an implausible value."""

CORRECTABLE: Mapping[str, Correctable] = correctable(ResultRow, _OF_ROW) | correctable(LabSample, _OF_SAMPLE)
"""The fields of a laboratory result that may be corrected; those of the sample change for this result only."""
CORRECTABLE_OF_OBSERVATION: Mapping[str, Correctable] = correctable(
    ObservationRow, (*_OF_ROW, "ntReason")
) | correctable(Moment, _OF_MOMENT)
"""The fields of an observation that may be corrected; those of the moment change for this row only."""
_PLACE = {name: place for place, name in enumerate(CORRECTABLE)}
_PLACE_OF_OBSERVATION = {name: place for place, name in enumerate(CORRECTABLE_OF_OBSERVATION)}


@dataclass(frozen=True, slots=True)
class Row:
    """One measured row: `values` as text in the order of its correctable fields; `observed` tells 3.4 from 3.3.

    A tuple, because a participant may have 3,000 rows and every decider holds all of its participants.
    """

    values: tuple[str | None, ...]
    reason: RejectReason | None
    observed: bool = False
    confirmed: bool = False
    voided: bool = False

    def __getitem__(self, name: str) -> str | None:
        return self.values[self._places[name]]

    @property
    def _places(self) -> Mapping[str, int]:
        return _PLACE_OF_OBSERVATION if self.observed else _PLACE

    @property
    def correctable(self) -> Mapping[str, Correctable]:
        """The fields of the row that may be corrected."""
        return CORRECTABLE_OF_OBSERVATION if self.observed else CORRECTABLE

    def having(self, name: str, text: str | None) -> tuple[str | None, ...]:
        """The values with one of them changed."""
        place = self._places[name]
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
    moment = (format_instant_or_date(event.assessed_at), event.visit_code, as_text(event.pre_session))
    return {
        row.result_id: Row((*_texts(row), row.nt_reason, *moment), row.reject_reason, observed=True)
        for row in event.rows
    }


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
    _, text = field_named(row.correctable, name).read(new)
    refuse_stale(stated, row[name], text)
    after = replace(row, values=row.having(name, text))
    if lack := unreadable(after["code"], after["value"], after["notDone"]):
        raise CommandRejected(f"The row then {lack[1]}.", rule="LAB-01", field="newValue")
    reason = _reason(after, situation)
    if reason is RejectReason.IMPLAUSIBLE and row.confirmed and name not in _JUDGED:
        reason = None
    return Correction(row[name], text, reason)


def _reason(row: Row, situation: Situation) -> RejectReason | None:
    when, laboratory = ("assessedAt", None) if row.observed else ("collectedAt", row["laboratory"])
    measured_at, _ = row.correctable[when].read(row[when])
    return sample_reason(measured_at, laboratory, situation) or row_reason(
        row["code"] or "", row["value"], row["comparator"], row["unit"]
    )


def corrected(row: Row, event: ResultCorrected) -> Row:
    """The row after its correction."""
    return replace(
        row,
        values=row.having(event.field, event.new_value),
        reason=event.reject_reason,
        confirmed=row.confirmed and event.accepted and event.field not in _JUDGED,
    )
