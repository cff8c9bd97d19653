"""EX, exposure: one row a session that is not void; the dose is the number of viable cells."""

from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.session import SessionRow
from hepatrail_services.exporters.civil import stamp, study_day
from hepatrail_services.exporters.common import Frame, flag, frame_of, identifiers, standing_sessions
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

EX = Dataset(
    "EX",
    "Exposure",
    (
        *identifiers("EX"),
        Variable("SPDEVID", "Sponsor Device Identifier", length=200),
        Variable("EXSPID", "Sponsor-Defined Identifier", length=36),
        Variable("EXTRT", "Name of Treatment", length=200, key=4),
        Variable("EXDOSE", "Dose", "integer"),
        Variable("EXDOSU", "Dose Units", length=10),
        Variable("EXDOSFRM", "Dose Form", length=30),
        Variable("EXROUTE", "Route of Administration", length=30),
        Variable("EXLOT", "Lot Number", length=200),
        Variable("EXLOC", "Location of Dose Administration", length=30),
        Variable("EXLAT", "Laterality", length=10),
        Variable("EXSTDTC", "Start Date/Time of Treatment", "datetime", key=5),
        Variable("EXENDTC", "End Date/Time of Treatment", "datetime"),
        Variable("EXSTDY", "Study Day of Start of Treatment", "integer"),
        Variable("EXENDY", "Study Day of End of Treatment", "integer"),
        Variable("EXDUR", "Duration of Treatment", length=20),
        Variable("EXENDRSN", "Reason for End of Session", length=20),
        Variable("EXSTOPFL", "Stopped Early Flag", length=1),
        Variable("EXPAUSES", "Number of Pauses", "integer"),
        Variable("EXVIAB", "Cell Viability (%)", "decimal"),
        Variable("EXRELREF", "Reference of Batch Release", length=200),
        Variable("EXWTKG", "Weight at Session (kg)", "decimal"),
        Variable("EXWTDTC", "Date/Time of Weight", "datetime"),
        Variable("EXCELKG", "Viable Cells per kg", "decimal"),
        Variable("EXRATIO", "Ratio to Target Cells per kg", "decimal"),
        Variable("EXACDTC", "Date/Time of Access Placement", "datetime"),
        Variable("EXFLOW", "Flow (mL/min)", "decimal"),
        Variable("EXANTIC", "Anticoagulant of the Circuit", length=20),
    ),
)

TREATMENT = "BIOARTIFICIAL LIVER"


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The sessions of a participant by start. EXDUR is the flow, without pauses; a session still open has none."""
    frame = frame_of(subject, protocol)
    return tuple(_row(frame, number, each) for number, each in enumerate(standing_sessions(subject), 1))


def _row(frame: Frame, number: int, session: SessionRow) -> Row:
    start, end = stamp(session.started_at, frame.zone), stamp(session.ended_at, frame.zone)
    return EX.row(
        {
            **frame.first("EX", number),
            "SPDEVID": session.device_lot,
            "EXSPID": str(session.session_id),
            "EXTRT": TREATMENT,
            "EXDOSE": session.viable_cells,
            "EXDOSU": "CELLS",
            "EXDOSFRM": "CELLS IN DEVICE",
            "EXROUTE": "EXTRACORPOREAL",
            "EXLOT": session.cell_batch,
            "EXLOC": session.access_vein,
            "EXLAT": session.side,
            "EXSTDTC": start,
            "EXENDTC": end,
            "EXSTDY": study_day(start, frame.reference),
            "EXENDY": study_day(end, frame.reference),
            "EXDUR": None if session.duration_hours is None else f"PT{session.duration_hours}H",
            "EXENDRSN": session.end_reason,
            "EXSTOPFL": flag(session.stopped_early),
            "EXPAUSES": len(session.pauses),
            "EXVIAB": session.viability_percent,
            "EXRELREF": session.batch_release_ref,
            "EXWTKG": session.weight_kg,
            "EXWTDTC": stamp(session.weight_measured_at, frame.zone),
            "EXCELKG": session.cells_per_kg,
            "EXRATIO": session.target_ratio,
            "EXACDTC": stamp(session.access_placed_at, frame.zone),
            "EXFLOW": session.flow_ml_min,
            "EXANTIC": session.anticoagulant,
        }
    )
