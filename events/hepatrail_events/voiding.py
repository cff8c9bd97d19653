"""What every correction and void has in common (`events.md` section 1, +cv)."""

from enum import StrEnum


class VoidReason(StrEnum):
    """Why a record was void."""

    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
    WRONG_PARTICIPANT = "WRONG_PARTICIPANT"
    DUPLICATE = "DUPLICATE"
