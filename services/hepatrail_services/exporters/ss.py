"""SS, subject status: one row a survival status that is not void, with where a transplant stands and who told it."""

from hepatrail_events.assessments import VitalStatus
from hepatrail_events.protocol import Protocol
from hepatrail_projections.assessment import AssessmentRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.civil import partial, stamp, study_day
from hepatrail_services.exporters.common import Frame, flag, frame_of, identifiers
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

SS = Dataset(
    "SS",
    "Subject Status",
    (
        *identifiers("SS"),
        Variable("SSSPID", "Sponsor-Defined Identifier", length=36),
        Variable("SSTESTCD", "Subject Status Short Name", length=8, key=4),
        Variable("SSTEST", "Subject Status Name", length=40),
        Variable("SSORRES", "Result or Finding Original Result", length=10),
        Variable("SSSTRESC", "Character Result/Finding in Std Format", length=10),
        Variable("VISITNUM", "Visit Number", "integer"),
        Variable("VISIT", "Visit Name", length=60),
        Variable("SSDTC", "Date/Time of Assessment", "datetime", key=5),
        Variable("SSDY", "Study Day of Assessment", "integer"),
        Variable("SSSRC", "Source of the Status", length=10),
        Variable("SSTRANSP", "Status of Transplant", length=10),
        Variable("SSTRDTC", "Date/Time of Transplant by This Source", length=19),
        Variable("SSUSEDFL", "Counts at the Visit Flag", length=1),
        Variable("SSVISSTD", "Visit as Stated by the Site", length=60),
    ),
)

STATUSES = {VitalStatus.Y.value: "ALIVE", VitalStatus.N.value: "DEAD", VitalStatus.UNKNOWN.value: "UNKNOWN"}


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The survival statuses of a participant in the order of the log."""
    frame = frame_of(subject, protocol)
    kept = [each for each in subject.assessments if each.kind == "SURVIVAL_STATUS" and not each.voided]
    return tuple(_row(frame, number, each) for number, each in enumerate(kept, 1))


def _row(frame: Frame, number: int, row: AssessmentRow) -> Row:
    known, at = STATUSES[row.facts["alive"]], stamp(row.at, frame.zone)
    return SS.row(
        {
            **frame.first("SS", number),
            **frame.visit(row.point),
            "SSSPID": str(row.event_id),
            "SSTESTCD": "SURVSTAT",
            "SSTEST": "Survival Status",
            "SSORRES": known,
            "SSSTRESC": known,
            "SSDTC": at,
            "SSDY": study_day(at, frame.reference),
            "SSSRC": row.facts["source"],
            "SSTRANSP": row.facts["transplant"],
            "SSTRDTC": partial(row.facts.get("transplantAt"), frame.zone),
            "SSUSEDFL": flag(row.used),
            "SSVISSTD": row.visit_code,
        }
    )
