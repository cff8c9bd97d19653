"""VS, vital signs and all else that is observed at the bedside: one row an observation that is not void.

The components of the coma scale, ventilation, infusions and urine are bedside observations of this trial. They stand
here, each in a category of its own, and not in four more domains, so that the observations of one moment stay
together and come back as what they were. The weight of a session is part of its record (EX), the height of the
enrolment (DM): as rows here they would come back as observations that nobody made.
"""

from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.common import Frame, frame_of, identifiers, yes_no
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable
from hepatrail_services.exporters.findings import Labels, Placed, finding, place_variables, placed, result_variables

_LABELS = Labels(
    short="Vital Signs Test Short Name",
    test="Vital Signs Test Name",
    category="Category for Vital Signs",
    at="Date/Time of Measurements",
    day="Study Day of Vital Signs",
)
VS = Dataset(
    "VS",
    "Vital Signs",
    (
        *identifiers("VS"),
        *result_variables("VS", _LABELS),
        Variable("VSORNRLO", "Reference Range Lower Limit in Orig Unit", length=45),
        Variable("VSORNRHI", "Reference Range Upper Limit in Orig Unit", length=45),
        Variable("VSFAST", "Fasting Status", length=1),
        Variable("VSMETHOD", "Method of Test or Examination", length=200),
        *place_variables("VS", _LABELS),
        Variable("VSNTRSN", "Reason Not Testable", length=20),
    ),
)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The observations of a participant in the order of the log; VSGRPID tells what was recorded together."""
    frame = frame_of(subject, protocol)
    return tuple(_row(frame, each) for each in placed(subject.lab_results, "OBSERVATION"))


def _row(frame: Frame, where: Placed) -> Row:
    row = where.row
    limits = {"VSORNRLO": row.low, "VSORNRHI": row.high, "VSFAST": yes_no(row.fasting)}
    beside = {"VSMETHOD": row.method, "VSNTRSN": row.nt_reason}
    return VS.row({**finding("VS", frame, where), **limits, **beside})
