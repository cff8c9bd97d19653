"""`narrative`: the case narratives of adverse events (`events.md` 3.8, ICSR H.1)."""

from dataclasses import dataclass
from uuid import UUID

from hepatrail_projections.facts import SubjectView
from hepatrail_projections.record_columns import OriginRow, origin_columns
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class NarrativeRow(OriginRow):
    """One narrative; `latest` says whether it counts, as the last one of its adverse event and language does.

    `narrative` is sealed, `language` is zho or eng (ISO 639-2).
    """

    event_id: UUID
    ae_id: UUID
    language: str
    narrative: Json
    latest: bool


NARRATIVE = Table("narrative", NarrativeRow, ("subject_id", "event_id"))


def narrative_rows(view: SubjectView) -> tuple[NarrativeRow, ...]:
    """All narratives in the log's order."""
    last = {(record.fact.ae_id, record.fact.language): record for record in view.narratives}
    return tuple(
        NarrativeRow(
            **origin_columns(view.subject_id, record),
            event_id=record.event_ids[0],
            ae_id=record.fact.ae_id,
            language=record.fact.language.value,
            narrative=record.fact.narrative.payload(),
            latest=last[record.fact.ae_id, record.fact.language] is record,
        )
        for record in view.narratives
    )
