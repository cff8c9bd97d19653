"""What every correction and void has in common (`events.md` section 1, +cv)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Label, SealedText


class VoidReason(StrEnum):
    """Why a record was void."""

    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
    WRONG_PARTICIPANT = "WRONG_PARTICIPANT"
    DUPLICATE = "DUPLICATE"


class Corrected(Event):
    """One field of a record got another value; the original stays readable.

    A field that is free text carries its new value sealed in `newText`, and neither `oldValue` nor `newValue`.
    """

    id: UUID
    field: Label
    old_value: Annotated[str, Field(max_length=200)] | None = None
    new_value: Annotated[str, Field(max_length=200)] | None = None
    new_text: SealedText | None = None
    reason: SealedText


class Voided(Event):
    """A record was void: it feeds nothing from then on, and stays readable."""

    id: UUID
    reason_code: VoidReason
    reason_text: SealedText
