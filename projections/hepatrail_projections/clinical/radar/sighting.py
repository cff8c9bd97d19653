"""What the radar says: a kind of finding, what it is about, since when, what shows it, and who is asked."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from hepatrail_projections.data_query import QueryObject


class FindingKind(StrEnum):
    """What seems unflagged."""

    FATAL_WITHOUT_DEATH_CRITERION = "FATAL_WITHOUT_DEATH_CRITERION"
    FATAL_WITHOUT_DEATH_RECORD = "FATAL_WITHOUT_DEATH_RECORD"
    DEATH_WITHOUT_FATAL_EVENT = "DEATH_WITHOUT_FATAL_EVENT"
    STAY_WITHOUT_HOSPITALISATION = "STAY_WITHOUT_HOSPITALISATION"
    INTERVENTION_WITHOUT_SERIOUS_EVENT = "INTERVENTION_WITHOUT_SERIOUS_EVENT"
    GRADE_4_WITHOUT_CRITERION = "GRADE_4_WITHOUT_CRITERION"
    GRADE_4_WITHOUT_CAUSALITY = "GRADE_4_WITHOUT_CAUSALITY"
    LAB_GRADE_ABOVE_REPORTED = "LAB_GRADE_ABOVE_REPORTED"
    LAB_GRADE_UNREVIEWED = "LAB_GRADE_UNREVIEWED"
    HYS_LAW = "HYS_LAW"


class Severity(StrEnum):
    """How bad it is if the finding is right, as inspections grade their findings."""

    CRITICAL = "CRITICAL"
    MAJOR = "MAJOR"
    MINOR = "MINOR"


class About(NamedTuple):
    """The object of a finding; `aspect` tells apart two findings of one kind about one object."""

    kind: QueryObject
    object_id: UUID
    aspect: str = ""


class Question(NamedTuple):
    """The data query that asks: its rule, about the object, with the aspect that this rule knows it by."""

    rule: str
    aspect: str = ""


class Seen(NamedTuple):
    """What a detector sees: `since` is when the last of what it takes was recorded.

    `evidence` are the events that show it, `rests_on` further events without which it would not be seen. A finding
    with a number of hours to `wait` is listed only then.
    """

    since: datetime
    severity: Severity
    words: str
    evidence: tuple[UUID, ...]
    question: Question
    rests_on: tuple[UUID, ...] = ()
    wait_hours: int = 0


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding as the log lets it be known: `gone_at` and `gone_by` say when its condition went, and by what event.

    All instants are moments of recording. `waits`: it is listed later than it was seen.
    """

    kind: FindingKind
    version: str
    about: About
    seen: Seen
    opened_at: datetime
    waits: bool
    gone_at: datetime | None = None
    gone_by: UUID | None = None
