"""LB, laboratory: one row a result of a laboratory that is not void, in the order of the log."""

from collections.abc import Mapping, Sequence
from typing import Any

from hepatrail_events.catalogue import catalogue
from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.common import Frame, frame_of, identifiers, yes_no
from hepatrail_services.exporters.dataset_json import Dataset, Row, Value, Variable
from hepatrail_services.exporters.findings import Labels, Placed, finding, place_variables, placed, result_variables

_LABELS = Labels(
    short="Lab Test or Examination Short Name",
    test="Lab Test or Examination Name",
    category="Category for Lab Test",
    at="Date/Time of Specimen Collection",
    day="Study Day of Specimen Collection",
)
LB = Dataset(
    "LB",
    "Laboratory Test Results",
    (
        *identifiers("LB"),
        Variable("LBREFID", "Specimen ID", length=36),
        *result_variables("LB", _LABELS),
        Variable("LBORNRLO", "Reference Range Lower Limit in Orig Unit", length=45),
        Variable("LBORNRHI", "Reference Range Upper Limit in Orig Unit", length=45),
        Variable("LBNAM", "Vendor Name", length=200),
        Variable("LBMSGID", "Message ID of the Laboratory", length=200),
        Variable("LBLOINC", "LOINC Code", length=10),
        Variable("LBSPEC", "Specimen Type", length=200),
        Variable("LBMETHOD", "Method of Test or Examination", length=200),
        Variable("LBFAST", "Fasting Status", length=1),
        Variable("LBTOX", "Toxicity", length=100),
        Variable("LBTOXGR", "Standard Toxicity Grade", length=1),
        *place_variables("LB", _LABELS),
        Variable("LBCLSIG", "Clinically Significant", length=1),
        Variable("LBCLSGR", "Grade by the Investigator", "integer"),
    ),
)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The laboratory results of a participant."""
    frame = frame_of(subject, protocol)
    return tuple(_row(frame, each) for each in placed(subject.lab_results, "LAB"))


def _row(frame: Frame, where: Placed) -> Row:
    row = where.row
    known = catalogue().get(row.code)
    values: dict[str, Value] = {
        **finding("LB", frame, where),
        "LBREFID": None if row.sample_id is None else str(row.sample_id),
        "LBORNRLO": row.low,
        "LBORNRHI": row.high,
        "LBNAM": row.laboratory,
        "LBMSGID": where.message,
        "LBLOINC": None if known is None else known.loinc,
        "LBSPEC": row.specimen,
        "LBMETHOD": row.method,
        "LBFAST": yes_no(row.fasting),
        **_toxicity(row.grades),
    }
    if row.review is not None:
        values["LBCLSIG"] = yes_no(row.review["clinicallySignificant"])
        values["LBCLSGR"] = row.review["finalGrade"]
    return LB.row(values)


def _toxicity(grades: Sequence[Mapping[str, Any]]) -> dict[str, Value]:
    """The CTCAE term with the highest grade, of equal ones the first; none where nothing could be graded."""
    graded = [each for each in grades if each["grade"] is not None]
    if not graded:
        return {}
    worst = max(graded, key=lambda each: each["grade"])
    return {"LBTOX": worst["term"], "LBTOXGR": str(worst["grade"])}
