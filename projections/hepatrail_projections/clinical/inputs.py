"""What the clinical derivations read: plain facts of one participant, voided ones already left out."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal, TypeAlias
from uuid import UUID

from hepatrail_events.types import PartialDate

Cause: TypeAlias = Literal["DEATH", "WITHDRAWAL", "TRANSPLANT", "SUPERSEDED", "NOT_TREATED"]


@dataclass(frozen=True, slots=True)
class Collected:
    """When a sample was collected or an assessment made: an aware UTC instant, or only the site's civil date."""

    instant: datetime | None
    local_date: date | None = None

    def __post_init__(self) -> None:
        if (self.instant is None) == (self.local_date is None):
            raise ValueError("a collection time is an instant or a date, exactly one of them")


@dataclass(frozen=True, slots=True)
class Observation:
    """One laboratory result, bedside observation or assessment (codes `AE`, `SURV`) in its latest version.

    `value` is canonical (rational, or a code such as `NT`), None when there is none; `unit` is the canonical unit.
    `not_done` is the reason why no usable value exists and wins over a value beside it; `nt_reason` says why a
    component of the coma scale with value `NT` could not be tested. `event_id` recorded the row,
    `further_event_ids` corrected or confirmed it since. Observations are handed over in the log's order.
    """

    result_id: UUID
    event_id: UUID
    sample_id: UUID | None
    code: str
    value: Fraction | str | None
    comparator: str | None
    unit: str | None
    collected: Collected
    visit_code: str | None
    pre_session: bool | None
    not_done: str | None
    accepted: bool
    further_event_ids: tuple[UUID, ...] = ()
    nt_reason: str | None = None

    @property
    def event_ids(self) -> tuple[UUID, ...]:
        """Every event that this version rests on."""
        return (self.event_id, *self.further_event_ids)

    @property
    def unusable(self) -> str | None:
        """Why the row satisfies no item and feeds no score; None when it does."""
        if not self.accepted:
            return "NOT_ACCEPTED"
        if self.not_done is not None:
            return self.not_done
        return None if self.value is not None else "NO_VALUE"


@dataclass(frozen=True, slots=True)
class Session:
    """A non-voided session that started, with the events it rests on."""

    session_id: UUID
    started_at: datetime
    ended_at: datetime | None
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Something that ends or reduces what a participant owes (`visits.md` section 5.1), at its clinical time.

    WITHDRAWAL is of follow-up or of all use of data. NOT_TREATED says that treatment can no longer begin
    (withdrawal from treatment or of consent, screening failure); once there was a session it means nothing.
    TRANSPLANT is the first one after T0. SUPERSEDED, of an auxiliary point only, is the start of the next session.
    """

    cause: Cause
    time: datetime
    vital_status_allowed: bool = False
    event_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """A procedure or a medication from `started` until `ended` (None: it goes on); times as far as they are known.

    `kind` is a `ProcedureKind`, or `ANTICOAGULATION` for a therapeutic anticoagulant.
    """

    kind: str
    started: PartialDate
    ended: PartialDate | None
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Statics:
    """What `SubjectEnrolled` fixes for all scores; codes and values as in `labs.csv`."""

    sex: str
    age_years: int
    chronic_health: bool
    admission_type: str
    event_ids: tuple[UUID, ...]
