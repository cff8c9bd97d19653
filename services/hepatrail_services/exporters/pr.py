"""PR, procedures: dialysis and others beside the trial's treatment; the scores that ask for dialysis rest on them."""

from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.procedure import ProcedureRow
from hepatrail_services.exporters.civil import partial, study_day
from hepatrail_services.exporters.common import Frame, frame_of, going_on, identifiers
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

PR = Dataset(
    "PR",
    "Procedures",
    (
        *identifiers("PR"),
        Variable("PRSPID", "Sponsor-Defined Identifier", length=36),
        Variable("PRTRT", "Reported Name of Procedure", length=30, key=4),
        Variable("PRSTDTC", "Start Date/Time of Procedure", length=19, key=5),
        Variable("PRENDTC", "End Date/Time of Procedure", length=19),
        Variable("PRSTDY", "Study Day of Start of Procedure", "integer"),
        Variable("PRENDY", "Study Day of End of Procedure", "integer"),
        Variable("PRENRF", "End Relative to Reference Period", length=7),
    ),
)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The procedures of a participant that are not void, in the order of the log."""
    frame = frame_of(subject, protocol)
    kept = [each for each in subject.procedures if not each.voided]
    return tuple(_row(frame, number, each) for number, each in enumerate(kept, 1))


def _row(frame: Frame, number: int, procedure: ProcedureRow) -> Row:
    began, ended = partial(procedure.started_at, frame.zone), partial(procedure.ended_at, frame.zone)
    return PR.row(
        {
            **frame.first("PR", number),
            "PRSPID": str(procedure.procedure_id),
            "PRTRT": procedure.kind,
            "PRSTDTC": began,
            "PRENDTC": ended,
            "PRSTDY": study_day(began, frame.reference),
            "PRENDY": study_day(ended, frame.reference),
            "PRENRF": going_on(procedure.ended_at),
        }
    )
