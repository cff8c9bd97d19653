"""The ids that specifications use again and again."""

from uuid import UUID, uuid5

from hepatrail_events.ids import derived_id

SITE = "BFH"
SUBJECT = "S-001"
SESSION = UUID("00000000-0000-4000-8000-000000000001")
AE = UUID("00000000-0000-4000-8000-0000000000ae")
ALERT = UUID("00000000-0000-4000-8000-0000000000a1")
HOLD = UUID("00000000-0000-4000-8000-000000000b01")
MEDICATION = UUID("00000000-0000-4000-8000-0000000000d1")
PROCEDURE = UUID("00000000-0000-4000-8000-0000000000d2")
BASELINE_CONDITION = UUID("00000000-0000-4000-8000-0000000000bc")
SUBMISSION = UUID("00000000-0000-4000-8000-0000000000e1")
DEFICIENCY = UUID("00000000-0000-4000-8000-0000000000dd")
QUERY = UUID("00000000-0000-4000-8000-0000000000f1")


def event_id(streamseq: int) -> UUID:
    """The id of the event at this place of the participant's stream, in specifications."""
    return uuid5(UUID(int=0), f"subject-{SUBJECT}@{streamseq}")


def row_id(number: int) -> UUID:
    """The resultId of a row of `lab_result` or `observation`."""
    return derived_id("row", number)
