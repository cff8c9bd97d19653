"""SV, subject visits: one row a time point at which something was observed, from its first to its last observation."""

from collections.abc import Iterator, Mapping
from typing import Any

from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.visit import VisitRow
from hepatrail_services.exporters.civil import stamp, study_day, written_instant
from hepatrail_services.exporters.common import Frame, frame_of, identifiers, yes_no
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

SV = Dataset(
    "SV",
    "Subject Visits",
    (
        *identifiers("SV"),
        Variable("VISITNUM", "Visit Number", "integer", key=3),
        Variable("VISIT", "Visit Name", length=60),
        Variable("VISITDY", "Planned Study Day of Visit", "integer"),
        Variable("SVSTDTC", "Start Date/Time of Visit", length=23, key=4),
        Variable("SVENDTC", "End Date/Time of Visit", length=23),
        Variable("SVSTDY", "Study Day of Start of Visit", "integer"),
        Variable("SVENDY", "Study Day of End of Visit", "integer"),
        Variable("SVSERIES", "Series of the Visit", length=20),
        Variable("SVINWIN", "All Observed in Window", length=1),
        Variable("SVNREQ", "Number of Items Required", "integer"),
        Variable("SVNDONE", "Number of Items Done", "integer"),
    ),
)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The visits of a participant in the order of the plan; whether one is due or missed depends on the clock and is
    no row."""
    frame = frame_of(subject, protocol)
    return tuple(_row(frame, each) for each in subject.visits if each.done)


def _row(frame: Frame, visit: VisitRow) -> Row:
    times = sorted(_times(visit.done, frame))
    first, last = times[0], times[-1]
    return SV.row(
        {
            **frame.first("SV"),
            **frame.visit(visit.code),
            "VISITDY": study_day(stamp(visit.target, frame.zone), frame.reference),
            "SVSTDTC": first,
            "SVENDTC": last,
            "SVSTDY": study_day(first, frame.reference),
            "SVENDY": study_day(last, frame.reference),
            "SVSERIES": visit.series,
            "SVINWIN": yes_no(all(each["inWindow"] for each in visit.done.values())),
            "SVNREQ": len(visit.required),
            "SVNDONE": sum(item in visit.done for item in visit.required),
        }
    )


def _times(done: Mapping[str, Mapping[str, Any]], frame: Frame) -> Iterator[str]:
    """When the items were observed, in civil time."""
    for found in done.values():
        for each in found.get("inputs", (found,)):
            yield written_instant(each["at"], frame.zone) if "at" in each else each["on"]
