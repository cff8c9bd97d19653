"""Facts of conditions present before treatment (`events.md` 3.7, `safety.md` section 1)."""

from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Code, Grade, Label, PartialDate, SealedText
from hepatrail_events.voiding import Corrected, Voided


class BaselineConditionRecorded(Event):
    """The investigator recorded a disease or sign present before T0; no adverse event until it worsens."""

    baseline_condition_id: UUID
    code: Code = Field(description="The trial's own code (`safety.md` 2.1)")
    ctcae_term: Label | None = None
    verbatim: SealedText
    onset: PartialDate | None = None
    grade: Grade | None = Field(default=None, description="CTCAE v5.0 grade before treatment; absent while unknown")


class BaselineConditionCorrected(Corrected):
    """One field of a baseline condition was corrected."""


class BaselineConditionVoided(Voided):
    """A baseline condition was void."""
