"""Facts of reports to sponsor, ethics committee and authorities (`events.md` 3.8)."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Instant, Label, SealedText
from hepatrail_events.voiding import Corrected, Voided


class Recipient(StrEnum):
    """To whom a report goes."""

    EC = "EC"
    INSTITUTION = "INSTITUTION"
    NMPA = "NMPA"
    DEVICE_AUTHORITIES = "DEVICE_AUTHORITIES"


class SubmissionKind(StrEnum):
    """What a report is in the course of a case."""

    INITIAL = "INITIAL"
    FOLLOW_UP = "FOLLOW_UP"
    NULLIFICATION = "NULLIFICATION"


class NarrativeLanguage(StrEnum):
    """Language of a narrative (ISO 639-2)."""

    CHINESE = "zho"
    ENGLISH = "eng"


class SponsorNotified(Event):
    """The sponsor first knew of the adverse event: the sponsor's awareness."""

    ae_id: UUID
    notified_at: Instant


class SubmissionRecorded(Event):
    """A report of the adverse event was handed to a recipient."""

    submission_id: UUID
    ae_id: UUID
    to: Recipient
    kind: SubmissionKind
    submitted_at: Instant
    reference: Label | None = Field(default=None, description="The recipient's reference")


class SubmissionCorrected(Corrected):
    """One field of a submission was corrected."""


class SubmissionVoided(Voided):
    """A submission record was void."""


class NarrativeWritten(Event):
    """A narrative of the case; the latest one of a language counts (ICSR H.1)."""

    ae_id: UUID
    narrative: SealedText
    language: NarrativeLanguage
