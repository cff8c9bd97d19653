"""`exposure`: what a participant received over all sessions (`endpoints.md` section 5)."""

from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from hepatrail_events.units import fraction_str
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.session import dose, hours_text
from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.table import Table


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """Sums over the sessions that are not void; cells per kg and ratios are decimal text.

    `total_hours` counts the sessions that ended. `cumulative_ratio` is the sum against the protocol's cells per kg,
    shown beside each session's own ratio because the protocol's sentence can be read both ways.
    """

    subject_id: str
    sessions: int
    total_hours: str
    cumulative_cells_per_kg: str
    cumulative_ratio: str | None
    target_cells_per_kg: int | None
    protocol_version: str | None
    event_ids: tuple[UUID, ...]


EXPOSURE = Table("exposure", ExposureRow, ("subject_id",))


def exposure_row(view: SubjectView, published: PublishedProtocol | None) -> ExposureRow:
    """The sums, exact until they are written."""
    facts = [fact for fact in view.sessions.values() if fact.voided is None]
    doses = [dose(fact, published) for fact in facts]
    cells = sum((each.cells_per_kg for each in doses if each.cells_per_kg is not None), Fraction(0))
    hours = sum((each.hours for each in doses if each.hours is not None), Fraction(0))
    target = None if published is None else published.protocol.cells_per_kg
    return ExposureRow(
        subject_id=view.subject_id,
        sessions=len(facts),
        total_hours=hours_text(hours),
        cumulative_cells_per_kg=fraction_str(cells),
        cumulative_ratio=None if target is None else fraction_str(cells / target),
        target_cells_per_kg=target,
        protocol_version=None if published is None else published.version,
        event_ids=tuple(event_id for fact in facts for event_id in fact.event_ids),
    )
