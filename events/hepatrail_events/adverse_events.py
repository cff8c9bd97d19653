"""Facts of adverse events (`safety.md` 4.1); every one carries `aeId` and `aeVersion`."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Code, Fact, Grade, Instant, Label, PartialDate, SealedText

MEDDRA_PATTERN = r"^[0-9]{8}$"
MedDraCode = Annotated[str, Field(pattern=MEDDRA_PATTERN, description="MedDRA code")]
AeVersion = Annotated[int, Field(ge=1, description="Number of events of this adverse event")]


class Criterion(StrEnum):
    """Seriousness criteria (`safety.md` 2.3, ICH E2A)."""

    DEATH = "DEATH"
    LIFE_THREATENING = "LIFE_THREATENING"
    HOSPITALISATION = "HOSPITALISATION"
    DISABILITY = "DISABILITY"
    CONGENITAL = "CONGENITAL"
    MEDICALLY_IMPORTANT = "MEDICALLY_IMPORTANT"


class Outcome(StrEnum):
    """Outcome of an adverse event (`safety.md` 2.6, E2B E.i.7)."""

    RECOVERED = "RECOVERED"
    RECOVERING = "RECOVERING"
    NOT_RECOVERED = "NOT_RECOVERED"
    RECOVERED_WITH_SEQUELAE = "RECOVERED_WITH_SEQUELAE"
    FATAL = "FATAL"
    UNKNOWN = "UNKNOWN"


class ActionTaken(StrEnum):
    """Action taken with the bioartificial liver (`safety.md` 2.6)."""

    NO_CHANGE = "NO_CHANGE"
    SESSION_INTERRUPTED_RESUMED = "SESSION_INTERRUPTED_RESUMED"
    SESSION_STOPPED_EARLY = "SESSION_STOPPED_EARLY"
    DOSE_REDUCED = "DOSE_REDUCED"
    DOSE_INCREASED = "DOSE_INCREASED"
    TREATMENT_DISCONTINUED = "TREATMENT_DISCONTINUED"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    UNKNOWN = "UNKNOWN"


class CausalityTarget(StrEnum):
    """What an adverse event may have been caused by."""

    CELL_PRODUCT = "CELL_PRODUCT"
    DEVICE = "DEVICE"
    PROCEDURE = "PROCEDURE"
    UNDERLYING_DISEASE = "UNDERLYING_DISEASE"
    CONCOMITANT = "CONCOMITANT"


class Causality(StrEnum):
    """WHO-UMC causality (`safety.md` 2.4)."""

    DEFINITE = "DEFINITE"
    PROBABLE = "PROBABLE"
    POSSIBLE = "POSSIBLE"
    NOT_ASSESSABLE = "NOT_ASSESSABLE"
    UNLIKELY = "UNLIKELY"
    UNRELATED = "UNRELATED"


class Assessor(StrEnum):
    """Who judges seriousness and causality; each changes only the own judgement (INV-14)."""

    INVESTIGATOR = "INVESTIGATOR"
    SPONSOR = "SPONSOR"


class Expectedness(StrEnum):
    """Whether the reference safety information expects the event (`safety.md` 2.5); the sponsor's judgement."""

    UNEXPECTED = "UNEXPECTED"
    EXPECTED = "EXPECTED"


class DowngradeReason(StrEnum):
    """Why an assessor no longer finds an event serious (`safety.md` 2.6)."""

    CRITERION_MISAPPLIED = "CRITERION_MISAPPLIED"
    NEW_CLINICAL_INFORMATION = "NEW_CLINICAL_INFORMATION"
    HOSPITALISATION_WAS_PLANNED = "HOSPITALISATION_WAS_PLANNED"
    DATA_ENTRY_ERROR = "DATA_ENTRY_ERROR"


class AeVoidReason(StrEnum):
    """Why an adverse event was void (`safety.md` 2.6)."""

    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
    WRONG_PARTICIPANT = "WRONG_PARTICIPANT"
    DUPLICATE = "DUPLICATE"
    NOT_AN_AE = "NOT_AN_AE"


class CausalityStatement(Fact):
    """One target's causality as the reporter judged it."""

    target: CausalityTarget
    value: Causality
    rationale: SealedText | None = None


class AEReported(Event):
    """The site reported an adverse event for the first time."""

    ae_id: UUID
    ae_version: AeVersion
    code: Code = Field(description="The trial's own code (`safety.md` 2.1)")
    ctcae_term: Label | None = None
    verbatim: SealedText
    onset: PartialDate
    end_at: PartialDate | None = None
    aware_at: Instant = Field(description="When the responsible person first knew")
    criteria: tuple[Criterion, ...] = ()
    grade: Grade | None = None
    grade_at: PartialDate | None = None
    outcome: Outcome
    action_taken: ActionTaken
    reporter: Label = Field(description="Function of the reporter; no name")
    age_years: Annotated[int, Field(ge=0, le=120)] | None = None
    baseline_condition_id: UUID | None = None
    recurrence_of: UUID | None = None
    replaces: UUID | None = None
    onset_before_first_session: bool | None = None
    frequency_worsened_at: PartialDate | None = None
    causality: tuple[CausalityStatement, ...] = ()


class AEGradeChanged(Event):
    """The severity changed: a new point of the grade timeline."""

    ae_id: UUID
    ae_version: AeVersion
    from_grade: Grade | None = None
    to_grade: Grade
    grade_at: PartialDate


class AEUpgradedToSerious(Event):
    """An assessor whose set of criteria was empty found the event serious."""

    ae_id: UUID
    ae_version: AeVersion
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    serious_since: PartialDate
    aware_at: Instant


class AEResolved(Event):
    """The event ended."""

    ae_id: UUID
    ae_version: AeVersion
    outcome: Outcome
    end_at: PartialDate


class AEFollowedUp(Event):
    """New information about the event; `text` says what it is."""

    ae_id: UUID
    ae_version: AeVersion
    info_received_at: Instant
    text: SealedText
    outcome: Outcome | None = Field(default=None, description="An outcome that does not end the event")
    action_taken: ActionTaken | None = None
    frequency_worsened_at: PartialDate | None = None
    attachments: tuple[Label, ...] = Field(default=(), description="References of documents, no content")


class AEGradeCorrected(Event):
    """One point of the grade timeline was replaced, or removed where `grade` is absent."""

    ae_id: UUID
    ae_version: AeVersion
    grade_event_id: UUID = Field(description="The event that recorded the point")
    grade: Grade | None = None
    grade_at: PartialDate | None = None
    reason: SealedText


class AECausalityAssessed(Event):
    """An assessor judged the causality for one target; the latest value of each counts."""

    ae_id: UUID
    ae_version: AeVersion
    assessor: Assessor
    target: CausalityTarget
    value: Causality
    rationale: SealedText


class AEExpectednessAssessed(Event):
    """The sponsor judged whether the reference safety information expects the event."""

    ae_id: UUID
    ae_version: AeVersion
    value: Expectedness
    rsi_version: Label | None = Field(default=None, description="Version of the reference safety information")
    rsi_term: Label | None = Field(default=None, description="Its entry, where it is expected")


class AESeriousnessCriteriaChanged(Event):
    """The assessor who found the event serious changed the criteria; some are left."""

    ae_id: UUID
    ae_version: AeVersion
    assessor: Assessor
    added: tuple[Criterion, ...] = ()
    removed: tuple[Criterion, ...] = ()
    reason: SealedText | None = Field(default=None, description="Required where criteria are removed")
    aware_at: Instant


class AEDowngradedToNonSerious(Event):
    """The assessor no longer finds the event serious: the assessor's set of criteria is empty."""

    ae_id: UUID
    ae_version: AeVersion
    assessor: Assessor
    reason_code: DowngradeReason
    reason_text: SealedText


class AEReopened(Event):
    """An event that had ended goes on."""

    ae_id: UUID
    ae_version: AeVersion
    reason: SealedText


class AECorrected(Event):
    """One field of the report was corrected; grade, criteria and causality have events of their own.

    The new verbatim stands sealed in `newText`.
    """

    ae_id: UUID
    ae_version: AeVersion
    field: Label
    old_value: Annotated[str, Field(max_length=200)] | None = None
    new_value: Annotated[str, Field(max_length=200)] | None = None
    new_text: SealedText | None = None
    reason: SealedText


class AECoded(Event):
    """A coder coded the event in MedDRA, whose content is licensed: codes as entered, none shipped."""

    ae_id: UUID
    ae_version: AeVersion
    meddra_version: Label
    llt_code: MedDraCode
    llt_name: Label | None = None
    pt_code: MedDraCode
    pt_name: Label | None = None


class AEVoidRequested(Event):
    """An investigator asks that an event which was ever serious be void; it counts until somebody else agrees."""

    ae_id: UUID
    ae_version: AeVersion
    reason_code: AeVoidReason
    reason_text: SealedText
    duplicate_of: UUID | None = None


class AEVoided(Event):
    """The event was void; `coSigner` is the second person, where it was ever serious (INV-21)."""

    ae_id: UUID
    ae_version: AeVersion
    reason_code: AeVoidReason
    reason_text: SealedText
    duplicate_of: UUID | None = None
    co_signer: Annotated[str, Field(max_length=200)] | None = None
