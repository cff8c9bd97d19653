"""Facts of the safety desk (`events.md` 3.11, `safety.md` section 6)."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from hepatrail_events.adverse_events import ActionTaken, Causality, CausalityTarget, Criterion, Outcome
from hepatrail_events.event import Event
from hepatrail_events.study import HoldAction
from hepatrail_events.types import (
    Code,
    DecimalText,
    Fact,
    Grade,
    Instant,
    Label,
    PartialDate,
    SealedText,
    SiteId,
    SubjectId,
)


class AlertType(StrEnum):
    """What raised an alert (`safety.md` 6.1)."""

    SAE_NEW = "SAE_NEW"
    SAE_UPGRADED = "SAE_UPGRADED"
    SAE_FATAL = "SAE_FATAL"
    SAE_LIFE_THREATENING = "SAE_LIFE_THREATENING"
    SUSAR_QUALIFIED = "SUSAR_QUALIFIED"
    SUSAR_DISQUALIFIED = "SUSAR_DISQUALIFIED"
    SAE_CHANGED = "SAE_CHANGED"
    SAE_DOWNGRADED = "SAE_DOWNGRADED"
    SAE_VOIDED = "SAE_VOIDED"
    AESI_SEVERE = "AESI_SEVERE"
    PARTICIPANT_DIED = "PARTICIPANT_DIED"
    DEATH_WITHOUT_AE = "DEATH_WITHOUT_AE"
    DEVICE_DEFICIENCY = "DEVICE_DEFICIENCY"
    LAB_GRADE_UNREVIEWED = "LAB_GRADE_UNREVIEWED"
    SUBJECT_UNREADABLE = "SUBJECT_UNREADABLE"
    SESSION_UNDER_HOLD = "SESSION_UNDER_HOLD"
    CLOCK_WARNING = "CLOCK_WARNING"
    CLOCK_BREACH = "CLOCK_BREACH"
    STOPPING_RULE = "STOPPING_RULE"


class Priority(StrEnum):
    """How soon somebody must look."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class AlertClock(Fact):
    """A reporting clock as it stood when the alert was raised."""

    type: Label
    due_at: Instant
    status: Label


class AlertCausality(Fact):
    """One assessor's causality for one target."""

    assessor: Label
    target: CausalityTarget
    value: Causality


class AlertChange(Fact):
    """A field that changed in the commit behind the alert."""

    field: Label
    old: str | None = Field(default=None, max_length=200)
    new: str | None = Field(default=None, max_length=200)


class AlertContent(Fact):
    """What an alert says (`safety.md` 6.2), without the numbers that only the desk can give."""

    alert_id: UUID
    type: AlertType
    priority: Priority
    reasons: tuple[Label, ...] = ()
    raised_at: Instant
    commit_id: UUID
    reporter_id: str = Field(max_length=200)
    subject_id: SubjectId | None = None
    site_id: SiteId | None = None
    ae_id: UUID | None = None
    ae_version: int | None = None
    code: Code | None = None
    verbatim: SealedText | None = None
    grade: Grade | None = None
    max_grade: Grade | None = None
    criteria: tuple[Criterion, ...] = ()
    outcome: Outcome | None = None
    onset: PartialDate | None = None
    teae: bool | None = None
    session_id: UUID | None = None
    hours_from_session_start: DecimalText | None = None
    hours_from_session_end: DecimalText | None = None
    action_taken: ActionTaken | None = None
    causality: tuple[AlertCausality, ...] = ()
    expectedness: Label | None = None
    susar: bool | None = None
    provisional: bool | None = None
    aware_at: Instant | None = None
    clocks: tuple[AlertClock, ...] = ()
    changes: tuple[AlertChange, ...] = ()
    detail: str | None = Field(default=None, max_length=500, description="Position and reason of an unreadable event")
    late: bool | None = Field(
        default=None, description="True where passing time raised it and that time had long passed, after an outage"
    )


class AlertRaised(AlertContent, Event):
    """The desk raised an alert; `alertSeq` counts alerts without a gap."""

    alert_seq: Annotated[int, Field(ge=1)]
    previous_alert_id: UUID | None = Field(default=None, description="The alert before, of the same adverse event")


class AlertAcknowledged(Event):
    """A person confirmed having seen the alert."""

    alert_id: UUID
    by: str = Field(max_length=200)
    at: Instant
    comment: SealedText | None = None


class AlertEscalated(Event):
    """Nobody had acknowledged the alert in time: the next level is told; `late` when the time had long passed."""

    alert_id: UUID
    level: Annotated[int, Field(ge=1, le=3)]
    late: bool


class NotificationChannel(StrEnum):
    """A delivery beside the subscription."""

    EMAIL = "EMAIL"
    WEBHOOK = "WEBHOOK"


class NotificationSent(Event):
    """A delivery outside the socket was made; the outbox is derived from these."""

    alert_id: UUID
    channel: NotificationChannel
    attempt: Annotated[int, Field(ge=1)]
    level: Annotated[int, Field(ge=1, le=3)] | None = Field(
        default=None, description="Level of the escalation that was told; absent: the alert itself"
    )


TrialRule = Literal["SR1", "SR2", "SR3", "SR5", "SR6"]
"""Stopping rules of the whole trial (`safety.md` section 7)."""


class StoppingFact(Fact):
    """An adverse event that counts for rules of the trial; `provisional`: related only for want of an assessment."""

    ae_id: UUID
    rule_ids: tuple[TrialRule, ...] = Field(min_length=1)
    provisional: bool
    event_ids: tuple[UUID, ...] = ()


class StoppingFactsRecorded(Event):
    """What a participant contributes to the stopping rules of the trial from this commit on; replaces what was said.

    The desk counts them, because only here all participants meet. `treatedAt` is T0, absent while never treated.
    """

    subject_id: SubjectId
    commit_id: UUID = Field(description="The commit of the participant's stream, or the publication of a protocol")
    treated_at: Instant | None = None
    adverse_events: tuple[StoppingFact, ...] = ()


class StoppingRuleTriggered(Event):
    """A stopping rule was hit; it causes holds (`safety.md` section 7)."""

    hit_id: UUID = Field(description="Derived from rule, scope and the releases of its hold so far (`safety.md` 6.3)")
    rule_id: Code
    scope_id: Label = Field(description="The participant, or TRIAL")
    commit_id: UUID = Field(description="The commit that completed the condition")
    actions: tuple[HoldAction, ...] = Field(min_length=1)
    event_ids: tuple[UUID, ...] = Field(default=(), description="The events that fulfil the condition")
