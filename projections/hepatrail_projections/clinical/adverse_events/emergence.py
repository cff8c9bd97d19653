"""Whether an adverse event is treatment-emergent, why, and since when (`safety.md` section 3).

Decided here, because the reference leaves room:

- `onsetBeforeFirstSession` decides wherever the stated onset leaves it open, a month or a year included; against an
  exact minute, or a day that is another one, it says nothing. An end before TE_START decides as far: of an onset on
  TE_START's own day too, and to the minute where the end is known to it.
- A date that is the very same as onset lies on onset's side of TE_START; a grade without a date holds since onset.
- Of the cases B, C and D that hold, the one with the earliest instant names the event; of equal ones the first letter.
- "First became serious" is the earliest moment stated by either assessor, whatever became of it since.
- A baseline condition that is void links nothing, because a void record feeds nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.types import PartialDate
from hepatrail_projections.ae_facts import GradePoint, grade_in_force
from hepatrail_projections.clinical.adverse_events.window import TeWindow, span
from hepatrail_projections.partial_dates import order_key


class TeaeCase(StrEnum):
    """Why an adverse event is treatment-emergent."""

    A = "A"
    """It is new."""
    B = "B"
    """It worsened in intensity."""
    C = "C"
    """It worsened in frequency."""
    D = "D"
    """It first became serious."""


class TeFlag(StrEnum):
    """What a reader of the answer must know."""

    GRADE_BASELINE_UNKNOWN = "gradeBaselineUnknown"
    POST_TRANSPLANT = "postTransplant"


@dataclass(frozen=True, slots=True)
class TeInputs:
    """An adverse event as its emergence depends on it; points and statements in the log's order.

    `linked`: it is the worsening of a baseline condition that stands, whose grade is `condition_grade`.
    `serious_since` is when it first became serious, `serious` whether it is now.
    """

    onset: PartialDate
    end_at: PartialDate | None = None
    grades: tuple[GradePoint, ...] = ()
    frequency_worsened: tuple[PartialDate, ...] = ()
    serious_since: PartialDate | None = None
    serious: bool = False
    onset_before_first_session: bool = False
    linked: bool = False
    condition_grade: int | None = None
    voided: bool = False


@dataclass(frozen=True, slots=True)
class Emergence:
    """The answer: the case (None: not treatment-emergent), `teOnset`, and what was compared.

    `grade_before` is the grade in force at TE_START (None: unknown, or a new event), `max_grade` the greatest grade in
    the window (for a worsened event of gradeAt at or after TE_START), `tesae` whether it is a treatment-emergent SAE.
    """

    case: TeaeCase | None = None
    onset: PartialDate | None = None
    grade_before: int | None = None
    max_grade: int | None = None
    tesae: bool = False
    flags: tuple[TeFlag, ...] = ()

    @property
    def teae(self) -> bool:
        """Whether it is treatment-emergent."""
        return self.case is not None


NOT_EMERGENT = Emergence()


class _Qualifying(NamedTuple):
    case: TeaeCase
    when: PartialDate


def treatment_emergence(
    given: TeInputs, window: TeWindow | None, rules: SafetyRules, transplant_at: datetime | None = None
) -> Emergence:
    """The emergence of one adverse event; never of a void one, never without treatment.

    `transplant_at` is the first liver transplant after T0, for the flag of an onset after it.
    """
    if window is None or given.voided:
        return NOT_EMERGENT
    flags = (TeFlag.POST_TRANSPLANT,) if is_after_transplant(given.onset, transplant_at, window.zone) else ()
    if not given.linked and not onset_before(given, window):
        return _new(given, window, flags)
    return _worsened(given, window, rules, flags)


def onset_before(given: TeInputs, window: TeWindow) -> bool:
    """Whether it began before TE_START, by its onset, its end or the investigator's word."""
    if window.is_before(given.onset):
        return True
    return window.may_precede(given.onset) and (given.onset_before_first_session or _ended_before(given, window))


def is_after_transplant(onset: PartialDate, transplant_at: datetime | None, zone: ZoneInfo) -> bool:
    """Whether onset lies at or after the transplant for certain."""
    bounds = span(onset, zone)
    return transplant_at is not None and bounds is not None and bounds[0] >= transplant_at


def _ended_before(given: TeInputs, window: TeWindow) -> bool:
    return given.end_at is not None and window.is_before(given.end_at)


def _new(given: TeInputs, window: TeWindow, flags: tuple[TeFlag, ...]) -> Emergence:
    if window.is_after(given.onset):
        return NOT_EMERGENT
    reached = [point.grade for point in given.grades if not window.is_after(_since(point, given))]
    return Emergence(TeaeCase.A, given.onset, None, max(reached, default=None), given.serious, flags)


def _worsened(given: TeInputs, window: TeWindow, rules: SafetyRules, flags: tuple[TeFlag, ...]) -> Emergence:
    before = grade_in_force(tuple(p for p in given.grades if _is_before(_since(p, given), given, window)), window.zone)
    grade_before = given.condition_grade if before is None else before.grade
    later = [point for point in given.grades if _is_within(_since(point, given), given, window)]
    found = min(_qualifying(given, window, rules, later, grade_before), key=_earliest_in(window.zone), default=None)
    if found is None:
        return Emergence(grade_before=grade_before)
    return Emergence(
        case=found.case,
        onset=found.when,
        grade_before=grade_before,
        max_grade=max((point.grade for point in later), default=None),
        # A criterion in force now was in force at or after TE_START unless the event was over by then.
        tesae=given.serious and not _ended_before(given, window),
        flags=(TeFlag.GRADE_BASELINE_UNKNOWN, *flags) if later and grade_before is None else flags,
    )


def _qualifying(
    given: TeInputs, window: TeWindow, rules: SafetyRules, later: list[GradePoint], grade_before: int | None
) -> Iterator[_Qualifying]:
    for point in later:
        if grade_before is None or point.grade > grade_before:
            yield _Qualifying(TeaeCase.B, _since(point, given))
    for when in given.frequency_worsened:
        if _is_within(when, given, window):
            yield _Qualifying(TeaeCase.C, when)
    serious_since = given.serious_since
    if rules.serious_counts_as_worsening and serious_since is not None and _is_within(serious_since, given, window):
        yield _Qualifying(TeaeCase.D, serious_since)


def _since(point: GradePoint, given: TeInputs) -> PartialDate:
    return given.onset if point.grade_at is None else point.grade_at


def _is_before(when: PartialDate, given: TeInputs, window: TeWindow) -> bool:
    if when == given.onset:
        return onset_before(given, window)
    return window.is_before(when) or (window.may_precede(when) and _ended_before(given, window))


def _is_within(when: PartialDate, given: TeInputs, window: TeWindow) -> bool:
    return not _is_before(when, given, window) and not window.is_after(when)


def _earliest_in(zone: ZoneInfo) -> Callable[[_Qualifying], tuple[bool, tuple[int, ...], TeaeCase]]:
    """Sorts by time, of equal ones by case; an unknown time comes last."""
    return lambda each: (each.when.value is None, order_key(each.when, zone), each.case)
