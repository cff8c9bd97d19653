"""DE, device events: the deficiencies of the device (ISO 14155), also those without harm; the words are sealed."""

from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.common import (
    frame_of,
    identifiers,
    known_events,
    numbers_of,
    standing_sessions,
    yes_no,
)
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

DE = Dataset(
    "DE",
    "Device Events",
    (
        *identifiers("DE"),
        Variable("SPDEVID", "Sponsor Device Identifier", length=200, key=4),
        Variable("DESPID", "Sponsor-Defined Identifier", length=36),
        Variable("DETERM", "Reported Term for Device Event", length=40),
        Variable("DEEXSEQ", "Sequence Number of the Session", "integer", key=5),
        Variable("DEAESEQ", "Sequence Number of the Adverse Event", "integer"),
        Variable("DESADE", "Could Have Led to SADE", length=1),
    ),
)

DEFICIENCY = "DEVICE DEFICIENCY"


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The deficiencies of a participant's sessions that are not void, in the order of the log."""
    frame, events = frame_of(subject, protocol), numbers_of(known_events(subject))
    sessions = {each.session_id: number for number, each in enumerate(standing_sessions(subject), 1)}
    kept = [each for each in subject.deficiencies if not each.voided]
    return tuple(
        DE.row(
            {
                **frame.first("DE", number),
                "SPDEVID": each.lot,
                "DESPID": str(each.deficiency_id),
                "DETERM": DEFICIENCY,
                "DEEXSEQ": sessions.get(each.session_id),
                "DEAESEQ": None if (linked := each.linked_ae_id) is None else events.get(linked),
                "DESADE": yes_no(each.could_have_led_to_sade),
            }
        )
        for number, each in enumerate(kept, 1)
    )
