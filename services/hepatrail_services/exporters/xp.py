"""XP, session pauses: a domain of the sponsor's, one row an interruption of the flow of a session (EX, by XPEXSEQ)."""

from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.civil import written_instant
from hepatrail_services.exporters.common import frame_of, identifiers, standing_sessions
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

XP = Dataset(
    "XP",
    "Pauses of Sessions",
    (
        *identifiers("XP"),
        Variable("XPEXSEQ", "Sequence Number of the Session", "integer", key=4),
        Variable("XPSTDTC", "Start Date/Time of Pause", "datetime", key=5),
        Variable("XPENDTC", "End Date/Time of Pause", "datetime"),
    ),
)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The pauses of a participant by session; one that the end of the session ended has no end of its own."""
    frame = frame_of(subject, protocol)
    pauses = [(ordinal, pause) for ordinal, each in enumerate(standing_sessions(subject), 1) for pause in each.pauses]
    return tuple(
        XP.row(
            {
                **frame.first("XP", number),
                "XPEXSEQ": ordinal,
                "XPSTDTC": written_instant(pause["at"], frame.zone),
                "XPENDTC": written_instant(pause["resumedAt"], frame.zone),
            }
        )
        for number, (ordinal, pause) in enumerate(pauses, 1)
    )
