"""`lab_result`: every measured row, laboratory or bedside, as reported and in its canonical unit."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from hepatrail_projections.clinical.baseline import baseline_values
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import ResultFact, SubjectView
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class LabResultRow:
    """One result in its latest version.

    `kind` is LAB or OBSERVATION. `streamseq` and `row_index` place it in its stream. `collected_at` or, when only
    the day is known, `collected_on`. `value`, `comparator`, `unit`, `low`, `high` as reported. `accepted` says whether
    derivations use it, `reject_reason` why not; `confirmed` that an investigator admitted an implausible value.
    `canonical_value` is decimal text or a code in `canonical_unit`, `canonical_exact` the same as a fraction of
    integers, never rounded. `visit_code` is what the site stated, `point` the time point that it was assigned to
    (None: unscheduled), `in_window` whether it lies in that window, `remark` why not, `used` whether it is the one
    that counts there, `baseline` whether it is the baseline of its code.
    """

    subject_id: str
    result_id: UUID
    streamseq: int
    row_index: int
    kind: str
    sample_id: UUID | None
    code: str
    collected_at: datetime | None
    collected_on: date | None
    value: str | None
    comparator: str | None
    unit: str | None
    low: str | None
    high: str | None
    method: str | None
    fasting: bool | None
    not_done: str | None
    nt_reason: str | None
    laboratory: str | None
    specimen: str | None
    source_message_id: str | None
    visit_code: str | None
    pre_session: bool | None
    accepted: bool
    reject_reason: str | None
    confirmed: bool
    canonical_value: str | None
    canonical_exact: str | None
    canonical_unit: str | None
    point: str | None
    in_window: bool | None
    remark: str | None
    used: bool
    baseline: bool
    voided: bool
    void_reason_code: str | None
    void_reason_text: Json | None
    corrections: Json
    recorded_at: datetime
    protocol_version: str | None
    event_ids: tuple[UUID, ...]


LAB_RESULT = Table(
    "lab_result",
    LabResultRow,
    ("subject_id", "result_id"),
    indexes=("(subject_id, streamseq, row_index)",),
)


def lab_result_rows(
    view: SubjectView,
    state: ClinicalState | None,
    before: tuple[SubjectView, tuple[LabResultRow, ...]] | None = None,
) -> tuple[LabResultRow, ...]:
    """All rows in the log's order.

    `before` is an earlier view of the same stream with its rows: a row whose fact and place are still the same is
    taken from there, which changes nothing but the time that it takes.
    """
    baseline: set[UUID] = set()
    if state is not None:
        baseline = {each.result_id for each in baseline_values(state.assignment, state.anchored).values()}
    known, rows = ((), ()) if before is None else (tuple(before[0].results.values()), before[1])
    version = None if state is None else state.published.version
    made = []
    # Corrections replace a fact in its place and new ones come behind it, so that equal places are comparable.
    for number, fact in enumerate(view.results.values()):
        place = _place(fact, state, baseline)
        if number < len(rows) and known[number] is fact and _stands(rows[number], place, version):
            made.append(rows[number])
        else:
            made.append(_row(view.subject_id, fact, place, version))
    return tuple(made)


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


def _stands(row: LabResultRow, place: _Place, version: str | None) -> bool:
    return (row.point, row.in_window, row.remark, row.used, row.baseline, row.protocol_version) == (*place, version)


def _row(subject_id: str, fact: ResultFact, place: _Place, version: str | None) -> LabResultRow:
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
        voided=fact.voided is not None,
        void_reason_code=None if fact.voided is None else fact.voided.reason_code.value,
        void_reason_text=None if fact.voided is None else fact.voided.reason_text.payload(),
        corrections=[correction.json() for correction in fact.corrections],
        recorded_at=sample.recorded_at,
        protocol_version=version,
        event_ids=fact.event_ids,
    )
