"""MH, medical history: the conditions present before treatment, of which no adverse event comes until they worsen."""

from hepatrail_events.protocol import Protocol
from hepatrail_projections.baseline_condition import BaselineConditionRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.ae_terms import stated_term
from hepatrail_services.exporters.civil import partial, study_day
from hepatrail_services.exporters.common import frame_of, identifiers
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

MH = Dataset(
    "MH",
    "Medical History",
    (
        *identifiers("MH"),
        Variable("MHSPID", "Sponsor-Defined Identifier", length=36),
        Variable("MHTERM", "Reported Term for the Medical History", length=200, key=4),
        Variable("MHCAT", "Category for Medical History", length=60),
        Variable("MHSTDTC", "Start Date/Time of Medical History Event", length=19, key=5),
        Variable("MHSTDY", "Study Day of Start of Observation", "integer"),
        Variable("MHTOXGR", "Standard Toxicity Grade", length=1),
        Variable("MHCTCAE", "CTCAE Term as Stated", length=200),
    ),
)


def standing_conditions(subject: SubjectRows) -> tuple[BaselineConditionRow, ...]:
    """The conditions that are not void, in the order of the log."""
    return tuple(each for each in subject.baseline_conditions if not each.voided)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The conditions of a participant in the order of the log; the term stands in place of the sealed words."""
    frame, made = frame_of(subject, protocol), []
    for number, each in enumerate(standing_conditions(subject), 1):
        began = partial(each.onset, frame.zone)
        made.append(
            MH.row(
                {
                    **frame.first("MH", number),
                    "MHSPID": str(each.baseline_condition_id),
                    "MHTERM": stated_term(each.code, each.ctcae_term),
                    "MHCAT": each.code,
                    "MHSTDTC": began,
                    "MHSTDY": study_day(began, frame.reference),
                    "MHTOXGR": None if each.grade is None else str(each.grade),
                    "MHCTCAE": each.ctcae_term,
                }
            )
        )
    return tuple(made)
