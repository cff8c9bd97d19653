"""`baseline_condition`: diseases and signs present before treatment (`events.md` 3.7, `safety.md` section 1)."""

from dataclasses import dataclass
from uuid import UUID

from hepatrail_projections.facts import SubjectView
from hepatrail_projections.record_columns import RecordRow, record_columns
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class BaselineConditionRow(RecordRow):
    """A baseline condition in its latest version; no adverse event until it worsens.

    `code` is the trial's own, `verbatim` sealed, `onset` a partial date `{value, precision}`, `grade` the CTCAE v5.0
    grade before treatment (None: unknown).
    """

    baseline_condition_id: UUID
    code: str
    ctcae_term: str | None
    verbatim: Json
    onset: Json | None
    grade: int | None


BASELINE_CONDITION = Table("baseline_condition", BaselineConditionRow, ("subject_id", "baseline_condition_id"))


def baseline_condition_rows(view: SubjectView) -> tuple[BaselineConditionRow, ...]:
    """All baseline conditions in the log's order."""
    return tuple(
        BaselineConditionRow(
            **record_columns(view.subject_id, record),
            baseline_condition_id=baseline_condition_id,
            code=record.fact.code,
            ctcae_term=record.fact.ctcae_term,
            verbatim=record.fact.verbatim.payload(),
            onset=None if record.fact.onset is None else record.fact.onset.payload(),
            grade=record.fact.grade,
        )
        for baseline_condition_id, record in view.baseline_conditions.items()
    )
