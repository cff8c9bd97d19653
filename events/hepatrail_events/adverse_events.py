"""Facts of adverse events (`safety.md` 4.1); every one carries `aeId` and `aeVersion`."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Code, Fact, Grade, Instant, Label, PartialDate, SealedText

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
