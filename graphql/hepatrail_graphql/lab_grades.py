"""CTCAE v5.0 grades of results, their review and what nobody has reviewed yet (`ctcae_labs.md`)."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Provenance, instant
from hepatrail_graphql.enums import Priority
from hepatrail_graphql.fields import of_row, resolved
from hepatrail_graphql.scalars import Decimal

Kind = TypeVar("Kind", bound=Enum)

_of_stored = partial(of_row, holder="stored")


@strawberry.enum(description="Which direction of an analyte a CTCAE term is about (ADaM ATOXGRH, ATOXGRL).")
class Direction(Enum):
    """Which direction of an analyte a term is about."""

    H = strawberry.enum_value("H", description="Too high.")
    L = strawberry.enum_value("L", description="Too low.")


@strawberry.enum(description="Whether a result has a grade of a term (`ctcae_labs.md` R5, R6, R11).")
class GradeStatus(Enum):
    """Whether a result has a grade of a term."""

    graded = strawberry.enum_value("graded", description="The grade stands in `grade`.")
    incomplete = strawberry.enum_value("incomplete", description="Only the least grade is known: `labGradeMin`.")
    ungradable = strawberry.enum_value("ungradable", description="Something that the rule needs is missing.")
    none = strawberry.enum_value("none", description="The term has no threshold: a person grades it.")


@strawberry.enum(description="Why a grade is not exact.")
class GradeReason(Enum):
    """Why a grade is not exact."""

    censored = strawberry.enum_value("censored", description="The result is only a bound, and it allows two grades.")
    baseline_censored = strawberry.enum_value("baseline_censored", description="The baseline is only a bound.")


@strawberry.enum(description="What the multiples behind a grade are of.")
class GradeFrom(Enum):
    """What the multiples behind a grade are of."""

    uln = strawberry.enum_value("uln", description="The upper limit of normal of the result's own report (LBORNRHI).")
    baseline = strawberry.enum_value("baseline", description="The participant's baseline value (ADaM BASE).")


@strawberry.enum(description="Which row of a term with a baseline rule applies (R7); frozen with the baseline.")
class BaselineStatus(Enum):
    """Which row of a term with a baseline rule applies."""

    normal = strawberry.enum_value("normal", description="The baseline lay within its limit.")
    abnormal = strawberry.enum_value("abnormal", description="The baseline lay above its limit.")


@strawberry.type(description="The CTCAE v5.0 grade that the machine proposes for one term (LBTOX, LBTOXGR).")
class LabGrade:
    """The grade that the machine proposes for one term."""

    stored: strawberry.Private[dict[str, Any]]
    result_event_ids: strawberry.Private[tuple[UUID, ...]]
    protocol_version: strawberry.Private[str | None]

    term: str = _of_stored(itemgetter("term"), 'The CTCAE term: "Alanine aminotransferase increased".')
    direction: Direction = _of_stored(lambda stored: Direction(stored["direction"]), "Which direction it is about.")
    status: GradeStatus = _of_stored(lambda stored: GradeStatus(stored["status"]), "Whether there is a grade.")
    grade: int | None = _of_stored(itemgetter("grade"), "0 to 4; laboratory rules never give 5.")
    lab_grade_min: int | None = _of_stored(
        itemgetter("labGradeMin"), "The least grade that it can be, where it is not exact."
    )
    missing: list[str] = _of_stored(itemgetter("missing"), "What the rule lacks: uln, lln, baseline, baseline_uln.")
    reason: GradeReason | None = _of_stored(
        lambda stored: _optional(GradeReason, stored["reason"]), "Why the grade is not exact."
    )
    needs_review: bool = _of_stored(
        itemgetter("needsReview"), "Whether the term's text has clinical alternatives (R9)."
    )
    grade_from: GradeFrom | None = _of_stored(
        lambda stored: _optional(GradeFrom, stored["gradeFrom"]), "What the multiples behind the grade are of."
    )
    baseline_status: BaselineStatus | None = _of_stored(
        lambda stored: _optional(BaselineStatus, stored["baselineStatus"]), "Which row of the term applies."
    )
    baseline_severity: int | None = _of_stored(
        itemgetter("baselineSeverity"), "Grade of the baseline by multiples of its limit."
    )
    grade_at_baseline: int | None = _of_stored(
        itemgetter("gradeAtBaseline"), "Grade of the baseline by the same rules (BTOXGR)."
    )
    uln_multiple: Decimal | None = _of_stored(itemgetter("ulnMultiple"), "The value as a multiple of the upper limit.")
    flags: list[str] = _of_stored(itemgetter("flags"), "on_anticoagulation, renal_replacement.")
    ctcae_version: str = _of_stored(itemgetter("ctcaeVersion"), "Version of the CTCAE.")

    @resolved("What the grade rests on: the result, the baseline, and circumstances that the rule asks for.")
    def provenance(self) -> Provenance:
        """What the grade rests on."""
        ids = dict.fromkeys((*self.result_event_ids, *map(UUID, self.stored["eventIds"])))
        return Provenance(
            event_ids=list(ids),
            algorithm=f"ctcae/{self.stored['ctcaeVersion']}",
            protocol_version=self.protocol_version,
        )


@strawberry.type(description="The investigator's judgement of a laboratory finding.")
class LabReview:
    """The investigator's judgement of a laboratory finding."""

    clinically_significant: bool = strawberry.field(description="Whether it is clinically significant (LBCLSIG).")
    final_grade: int | None = strawberry.field(description="The grade that a person gives it, 0 for none.")
    reviewed_at: datetime = strawberry.field(description="When it was recorded.")
    reviewed_by: str = strawberry.field(description="The account that reviewed it.")
    event_id: UUID = strawberry.field(description="The event of the review.")


@strawberry.type(description="A new severe grade without adverse event and without review (LAB_GRADE_UNREVIEWED, R13).")
class LabFinding:
    """A new severe grade without adverse event and without review."""

    term: str = strawberry.field(description="The CTCAE term.")
    grade: int = strawberry.field(description="The grade.")
    minimum: bool = strawberry.field(description="Whether it is at least that grade.")
    grade_at_baseline: int | None = strawberry.field(description="Grade of the baseline; null: there is none.")
    since: datetime = strawberry.field(description="When it became known.")
    priority: Priority = strawberry.field(description="Priority of its alert.")
    opens_at: datetime = strawberry.field(description="From when on the safety officer hears of it.")


def lab_grade(stored: dict[str, Any], result_event_ids: tuple[UUID, ...], protocol_version: str | None) -> LabGrade:
    """A grade of a row's column as the schema shows it."""
    return LabGrade(stored=stored, result_event_ids=result_event_ids, protocol_version=protocol_version)


def _optional(kind: Callable[[str], Kind], stored: str | None) -> Kind | None:
    return None if stored is None else kind(stored)


def lab_review(stored: dict[str, Any] | None) -> LabReview | None:
    """A review of a row's column; None when there is none."""
    if stored is None:
        return None
    return LabReview(
        clinically_significant=stored["clinicallySignificant"],
        final_grade=stored["finalGrade"],
        reviewed_at=instant(stored["at"]),
        reviewed_by=stored["by"],
        event_id=UUID(stored["eventId"]),
    )


def lab_finding(stored: dict[str, Any] | None) -> LabFinding | None:
    """An open finding of a row's column; None when there is none."""
    if stored is None:
        return None
    return LabFinding(
        term=stored["term"],
        grade=stored["grade"],
        minimum=stored["minimum"],
        grade_at_baseline=stored["gradeAtBaseline"],
        since=instant(stored["since"]),
        priority=Priority(stored["priority"]),
        opens_at=instant(stored["opensAt"]),
    )
