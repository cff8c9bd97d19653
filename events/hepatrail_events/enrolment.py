"""Facts of enrolment (`events.md` 3.1)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Centimetres, Instant, Label, SealedText, SiteId


class Indication(StrEnum):
    """Why the participant is treated."""

    LIVER_FAILURE = "LIVER_FAILURE"
    SFSS = "SFSS"


class Sex(StrEnum):
    """Sex used in formulas (LOINC 46098-0)."""

    MALE = "male"
    FEMALE = "female"


class AdmissionType(StrEnum):
    """Admission type of APACHE II."""

    NONOPERATIVE = "nonoperative"
    EMERGENCY_POSTOPERATIVE = "emergency_postoperative"
    ELECTIVE_POSTOPERATIVE = "elective_postoperative"


class ConsentRecorded(Event):
    """The site holds the participant's signed consent; opens the stream, and comes again for a new version."""

    site_id: SiteId
    version: Label = Field(description="Version of the consent form")
    given_at: Instant = Field(description="When the participant signed")
    health_data_consent: bool = Field(description="Separate consent to the processing of health data (PIPL)")


class ScreenFailed(Event):
    """The participant did not meet the criteria and was never enrolled."""

    reason: SealedText


class SubjectEnrolled(Event):
    """The investigator enrolled the participant; the static inputs of the scores are fixed here."""

    indication: Indication
    sex: Sex
    age_years: Annotated[int, Field(ge=0, le=120, description="Age in completed years at enrolment")]
    chronic_health: bool = Field(description="Severe chronic organ insufficiency or immunocompromise (APACHE II)")
    admission_type: AdmissionType
    height_cm: Centimetres | None = None


class ConsentWithdrawn(Event):
    """The participant withdrew consent: no new collection from then on."""

    withdrawn_at: Instant
