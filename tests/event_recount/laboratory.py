"""Measured rows in their latest version and in canonical units (`visits.md` 1.2, `scores.md` section 13).

Whether a row is accepted is a fact of the log; the factors are those of `labs.csv`, which is read as data.
"""

import csv
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from event_recount.dates import civil, start_of
from event_recount.events import Event, of_type

NOT_TESTABLE = "NT"
_ALIASES = {"T": NOT_TESTABLE, "1T": NOT_TESTABLE, "C": NOT_TESTABLE}
_OF_SAMPLE = ("collectedAt", "assessedAt", "visitCode", "preSession", "sampleId")


@dataclass(slots=True)
class Row:
    """A laboratory result or bedside observation that is not void; `data` is the row with what its sample says."""

    id: str
    data: dict[str, Any]
    accepted: bool
    event_ids: list[UUID] = field(default_factory=list)
    value: Fraction | str | None = None
    """In the canonical unit, or a code."""

    @property
    def code(self) -> str:
        """Of `labs.csv`, where it is there."""
        return str(self.data["code"])

    @property
    def comparator(self) -> str | None:
        """The sign of a censored value."""
        return self.data.get("comparator")

    @property
    def not_done(self) -> str | None:
        """Why there is no usable value."""
        return self.data.get("notDone")

    @property
    def collected(self) -> datetime | date:
        """The instant, or only the civil date, at which it was collected."""
        text = str(self.data.get("collectedAt") or self.data["assessedAt"])
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)

    @property
    def day(self) -> date:
        """The civil date of collection."""
        at = self.collected
        return civil(at) if isinstance(at, datetime) else at

    @property
    def first(self) -> datetime:
        """The earliest instant at which it can have been collected."""
        at = self.collected
        return at if isinstance(at, datetime) else start_of(at)

    @property
    def usable(self) -> bool:
        """Whether derivations may use the value."""
        return self.accepted and self.not_done is None and self.value is not None

    def of_moment(self, other: "Row") -> bool:
        """Whether both are of one sample or of one stated time."""
        sample = self.data.get("sampleId")
        return (sample is not None and sample == other.data.get("sampleId")) or self.collected == other.collected


def measured(events: list[Event]) -> list[Row]:
    """The rows of a participant in the order of the log, those left out that are void."""
    found: dict[str, Row] = {}
    for event in of_type(events, "LabResultsRecorded", "ObservationsRecorded"):
        sample = {name: event.data[name] for name in _OF_SAMPLE if name in event.data}
        for row in event.data.get("results", []) + event.data.get("rows", []):
            found[row["resultId"]] = Row(row["resultId"], {**row, **sample}, row["accepted"], [event.id])
    void: set[str] = set()
    for event in events:
        identity = event.data.get("id") or event.data.get("resultId") or ""
        if identity not in found:
            continue
        match event.type:
            case "LabResultVoided" | "ObservationVoided":
                void.add(identity)
            case "ImplausibleConfirmed":
                found[identity].accepted = True
                found[identity].event_ids.append(event.id)
            case "LabResultCorrected" | "ObservationCorrected":
                _correct(found[identity], event)
    rows = [row for identity, row in found.items() if identity not in void]
    for row in rows:
        row.value = canonical(row)
    return rows


def _correct(row: Row, event: Event) -> None:
    name, text = event.data["field"], event.data.get("newValue")
    row.data[name] = text == "true" if name == "preSession" else text
    row.accepted = event.data["accepted"]
    row.event_ids.append(event.id)


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """`labs.csv` by code, as shipped."""
    text = files("hepatrail_events").joinpath("data/labs.csv").read_text(encoding="utf-8")
    return {row["code"]: row for row in csv.DictReader(text.splitlines())}


def canonical(row: Row) -> Fraction | str | None:
    """value x factor + offset, exact; of a coded row the code; None where there is no such value or unit."""
    known, reported = catalogue().get(row.code), row.data.get("value")
    if known is None or reported is None:
        return None
    if known["value_type"] in ("coded", "boolean"):
        return str(reported)
    if known["value_type"] == "integer_or_NT" and _ALIASES.get(reported, reported) == NOT_TESTABLE:
        return NOT_TESTABLE
    factors = {known["canonical_unit_ucum"]: (Fraction(1), Fraction(0))}
    for each in filter(None, known["other_units"].split(";")):
        unit, factor, *offset = each.split(":")
        factors[unit] = Fraction(factor), Fraction(offset[0]) if offset else Fraction(0)
    factor_and_offset = factors.get(row.data.get("unit") or known["canonical_unit_ucum"])
    if factor_and_offset is None:
        return None
    try:
        number = Fraction(reported)
    except ValueError:
        return None
    return number * factor_and_offset[0] + factor_and_offset[1]
