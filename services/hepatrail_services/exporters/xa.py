"""XA, a domain of the sponsor's: the question whether there are new adverse events, which SDTM has no domain for."""

from hepatrail_events.protocol import Protocol
from hepatrail_projections.assessment import AssessmentRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.civil import stamp, study_day
from hepatrail_services.exporters.common import Frame, flag, frame_of, identifiers
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

XA = Dataset(
    "XA",
    "Questions about Adverse Events",
    (
        *identifiers("XA"),
        Variable("XASPID", "Sponsor-Defined Identifier", length=36),
        Variable("XATESTCD", "Question Short Name", length=8, key=4),
        Variable("XATEST", "Question Name", length=40),
        Variable("XAORRES", "Answer", length=1),
        Variable("VISITNUM", "Visit Number", "integer"),
        Variable("VISIT", "Visit Name", length=60),
        Variable("XADTC", "Date/Time of the Question", "datetime", key=5),
        Variable("XADY", "Study Day of the Question", "integer"),
        Variable("XAUSEDFL", "Counts at the Visit Flag", length=1),
        Variable("XAVISSTD", "Visit as Stated by the Site", length=60),
    ),
)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The questions that a participant was asked, in the order of the log; void ones stay out."""
    frame = frame_of(subject, protocol)
    kept = [each for each in subject.assessments if each.kind == "AE_ASSESSMENT" and not each.voided]
    return tuple(_row(frame, number, each) for number, each in enumerate(kept, 1))


def _row(frame: Frame, number: int, row: AssessmentRow) -> Row:
    at = stamp(row.at, frame.zone)
    return XA.row(
        {
            **frame.first("XA", number),
            **frame.visit(row.point),
            "XASPID": str(row.event_id),
            "XATESTCD": "ANYAE",
            "XATEST": "Any New Adverse Events",
            "XAORRES": row.facts["anyNew"],
            "XADTC": at,
            "XADY": study_day(at, frame.reference),
            "XAUSEDFL": flag(row.used),
            "XAVISSTD": row.visit_code,
        }
    )
