"""CM, concomitant medications: one row a medication beside the trial's treatment that is not void."""

from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.medication import MedicationRow
from hepatrail_services.exporters.civil import partial, study_day
from hepatrail_services.exporters.common import Frame, frame_of, going_on, identifiers, yes_no
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

CM = Dataset(
    "CM",
    "Concomitant Medications",
    (
        *identifiers("CM"),
        Variable("CMSPID", "Sponsor-Defined Identifier", length=36),
        Variable("CMTRT", "Reported Name of Drug, Med, or Therapy", length=200, key=4),
        Variable("CMCLASCD", "Medication Class Code", length=7),
        Variable("CMDOSE", "Dose per Administration", "decimal"),
        Variable("CMDOSU", "Dose Units", length=200),
        Variable("CMROUTE", "Route of Administration", length=200),
        Variable("CMSTDTC", "Start Date/Time of Medication", length=19, key=5),
        Variable("CMENDTC", "End Date/Time of Medication", length=19),
        Variable("CMSTDY", "Study Day of Start of Medication", "integer"),
        Variable("CMENDY", "Study Day of End of Medication", "integer"),
        Variable("CMENRF", "End Relative to Reference Period", length=7),
        Variable("CMANTICO", "Therapeutic Anticoagulation", length=1),
    ),
)

NOT_CODED = "NOT CODED"
"""CMTRT of a medication without ATC code: its name is sealed."""


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The medications of a participant in the order of the log; the ATC code stands in place of the sealed name."""
    frame = frame_of(subject, protocol)
    kept = [each for each in subject.medications if not each.voided]
    return tuple(_row(frame, number, each) for number, each in enumerate(kept, 1))


def _row(frame: Frame, number: int, medication: MedicationRow) -> Row:
    began, ended = partial(medication.started_at, frame.zone), partial(medication.ended_at, frame.zone)
    return CM.row(
        {
            **frame.first("CM", number),
            "CMSPID": str(medication.medication_id),
            "CMTRT": medication.atc or NOT_CODED,
            "CMCLASCD": medication.atc,
            "CMDOSE": medication.dose,
            "CMDOSU": medication.unit,
            "CMROUTE": medication.route,
            "CMSTDTC": began,
            "CMENDTC": ended,
            "CMSTDY": study_day(began, frame.reference),
            "CMENDY": study_day(ended, frame.reference),
            "CMENRF": going_on(medication.ended_at),
            "CMANTICO": yes_no(medication.therapeutic_anticoagulant),
        }
    )
