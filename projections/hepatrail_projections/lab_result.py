"""`lab_result`: every measured row, as reported, in its canonical unit, and graded by CTCAE v5.0."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from hepatrail_events.types import format_instant
from hepatrail_projections.clinical.baseline import baseline_values
from hepatrail_projections.clinical.grading.unreviewed import Finding
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import ResultFact, Review, SubjectView
from hepatrail_projections.lab_grades import findings_of, gradings, unreviewed_findings
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class LabValue:
    """The columns of a `LabResultRow` that outcomes look at: a third of them, and nothing with structure."""

    subject_id: str
    result_id: UUID
    streamseq: int
    row_index: int
    code: str
    collected_at: datetime | None
    collected_on: date | None
    comparator: str | None
    not_done: str | None
    accepted: bool
    canonical_value: str | None
    canonical_exact: str | None
    point: str | None
    in_window: bool | None
    used: bool
    baseline: bool
    voided: bool
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class LabResultRow(LabValue):
    """One result in its latest version.

    `kind` is LAB or OBSERVATION. `streamseq` and `row_index` place it in its stream. `collected_at` or, when only
    the day is known, `collected_on`. `value`, `comparator`, `unit`, `low`, `high` as reported. `accepted` says whether
    derivations use it, `reject_reason` why not; `confirmed` that an investigator admitted an implausible value.
    `canonical_value` is decimal text or a code in `canonical_unit`, `canonical_exact` the same as a fraction of
    integers, never rounded. `visit_code` is what the site stated, `point` the time point that it was assigned to
    (None: unscheduled), `in_window` whether it lies in that window, `remark` why not, `used` whether it is the one
    that counts there, `baseline` whether it is the baseline of its code. `voided_by` and each correction name who.

    `grades` has an entry for each CTCAE term of the analyte: `term`, `direction` (H, L), `grade` (0 to 4 or null),
    `status` (graded, incomplete, ungradable; none for a term without threshold), `labGradeMin`, `missing`, `reason`,
    `needsReview`, `gradeFrom`, `baselineStatus`, `baselineSeverity`, `gradeAtBaseline`, `ulnMultiple`, `flags`,
    `ctcaeVersion`, and `eventIds`, what it rests on beside the row itself (`ctcae_labs.md` R1 to R12). `review` is the
    investigator's judgement: `clinicallySignificant`, `finalGrade`, `eventId`, `by`, `at`. `finding` is the open
    LAB_GRADE_UNREVIEWED of R13: `term`, `grade`, `minimum`, `gradeAtBaseline`, `since`, `priority`, `opensAt`.
    """

    kind: str
    sample_id: UUID | None
    value: str | None
    unit: str | None
    low: str | None
    high: str | None
    method: str | None
    fasting: bool | None
    nt_reason: str | None
    laboratory: str | None
    specimen: str | None
    source_message_id: str | None
    visit_code: str | None
    pre_session: bool | None
    reject_reason: str | None
    confirmed: bool
    canonical_unit: str | None
    remark: str | None
    grades: Json
    review: Json | None
    finding: Json | None
    void_reason_code: str | None
    void_reason_text: Json | None
    voided_by: str | None
    corrections: Json
    recorded_at: datetime
    protocol_version: str | None


LAB_RESULT = Table(
    "lab_result",
    LabResultRow,
    ("subject_id", "result_id"),
    indexes=("(subject_id, streamseq, row_index)",),
)
LAB_VALUE = Table("lab_result", LabValue, ("subject_id", "result_id"))
"""The same table, read in part; only `LAB_RESULT` makes and writes it."""


def lab_result_rows(
    view: SubjectView,
    state: ClinicalState | None,
    before: tuple[SubjectView, tuple[LabResultRow, ...]] | None = None,
) -> tuple[LabResultRow, ...]:
    """All rows in the log's order.

    `before` is an earlier view of the same stream with its rows: a row whose fact, place, grades and review are still
    the same is taken from there, which changes nothing but the time that it takes.
    """
    baseline: set[UUID] = set()
    grades = gradings(view, state)
    reviews = {result_id: _review(each) for result_id, each in view.reviews.items()}
    findings: dict[UUID, Json] = {}
    if state is not None:
        baseline = {each.result_id for each in baseline_values(state.assignment, state.anchored).values()}
        found = findings_of(unreviewed_findings(view, state, grades))
        findings = {result_id: _finding(each) for result_id, each in found.items()}
    known, rows = ((), ()) if before is None else (tuple(before[0].results.values()), before[1])
    version = None if state is None else state.published.version
    made = []
    # Corrections replace a fact in its place and new ones come behind it, so that equal places are comparable.
    for number, (fact, graded) in enumerate(zip(view.results.values(), grades, strict=True)):
        place = _place(fact, state, baseline)
        result_id = fact.result_id
        judged = (
            graded.json,
            reviews.get(result_id) if reviews else None,
            findings.get(result_id) if findings else None,
        )
        if number < len(rows) and known[number] is fact and _stands(rows[number], place, judged, version):
            made.append(rows[number])
        else:
            made.append(_row(view.subject_id, fact, place, judged, version))
    return tuple(made)


_Judged: TypeAlias = tuple[Json, Json | None, Json | None]
"""Grades, review and finding."""


class _Place(NamedTuple):
    point: str | None
    in_window: bool | None
    remark: str | None
    used: bool
    baseline: bool


def _place(fact: ResultFact, state: ClinicalState | None, baseline: set[UUID]) -> _Place:
    assigned = None if state is None else state.assigned.get(fact.result_id)
    if state is None or assigned is None:
        return _Place(None, None, None, False, False)
    placement = assigned.placement
    used, first = fact.result_id in state.used, fact.result_id in baseline
    return _Place(placement.point, placement.in_window, placement.remark, used, first)


def _review(review: Review) -> Json:
    return {
        "clinicallySignificant": review.clinically_significant,
        "finalGrade": review.final_grade,
        "eventId": str(review.event_id),
        "by": review.actor_id,
        "at": format_instant(review.reviewed_at),
    }


def _finding(found: Finding) -> Json:
    return {
        "term": found.term,
        "grade": found.grade,
        "minimum": found.minimum,
        "gradeAtBaseline": found.grade_at_baseline,
        "since": format_instant(found.since),
        "priority": found.priority,
        "opensAt": format_instant(found.opens_at),
    }


def _stands(row: LabResultRow, place: _Place, judged: _Judged, version: str | None) -> bool:
    placed = (row.point, row.in_window, row.remark, row.used, row.baseline, row.protocol_version) == (*place, version)
    return placed and (row.grades, row.review, row.finding) == judged


def _row(subject_id: str, fact: ResultFact, place: _Place, judged: _Judged, version: str | None) -> LabResultRow:
    grades, review, finding = judged
    sample = fact.sample
    dated = isinstance(sample.collected_at, datetime)
    return LabResultRow(
        subject_id=subject_id,
        result_id=fact.result_id,
        streamseq=sample.streamseq,
        row_index=fact.row_index,
        kind="OBSERVATION" if sample.observed else "LAB",
        sample_id=sample.sample_id,
        code=fact.code,
        collected_at=sample.collected_at if dated else None,  # type: ignore[arg-type]
        collected_on=None if dated else sample.collected_at,
        value=fact.value,
        comparator=fact.comparator,
        unit=fact.unit,
        low=fact.low,
        high=fact.high,
        method=fact.method,
        fasting=fact.fasting,
        not_done=fact.not_done,
        nt_reason=fact.nt_reason,
        laboratory=sample.laboratory,
        specimen=sample.specimen,
        source_message_id=sample.source_message_id,
        visit_code=sample.visit_code,
        pre_session=sample.pre_session,
        accepted=fact.accepted,
        reject_reason=fact.reject_reason,
        confirmed=fact.confirmed,
        canonical_value=fact.canonical.text,
        canonical_exact=fact.canonical.exact,
        canonical_unit=fact.canonical.unit,
        point=place.point,
        in_window=place.in_window,
        remark=place.remark,
        used=place.used,
        baseline=place.baseline,
        grades=grades,
        review=review,
        finding=finding,
        voided=fact.voided is not None,
        void_reason_code=None if fact.voided is None else fact.voided.reason_code.value,
        void_reason_text=None if fact.voided is None else fact.voided.reason_text.payload(),
        voided_by=None if fact.voided is None else fact.voided.actor_id,
        corrections=[correction.json() for correction in fact.corrections],
        recorded_at=sample.recorded_at,
        protocol_version=version,
        event_ids=fact.event_ids,
    )
