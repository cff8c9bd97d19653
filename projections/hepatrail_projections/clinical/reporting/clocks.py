"""All clocks of an adverse event, from the moments that it went through (`safety.md` 5.2)."""

from collections.abc import Sequence

from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.clinical.reporting.duties import clock_of
from hepatrail_projections.clinical.reporting.follow_ups import follow_up_duties
from hepatrail_projections.clinical.reporting.moments import Moment
from hepatrail_projections.clinical.reporting.routes import DEVICE, DRUG, episodes
from hepatrail_projections.clinical.reporting.site_duties import site_duties


def clocks(moments: Sequence[Moment], subject_id: str) -> tuple[Clock, ...]:
    """Every clock, the earliest due first; what fell away or was met included."""
    susar = episodes(DRUG, moments)
    duties = (
        *site_duties(moments),
        *(duty for episode in susar for duty in episode.duties),
        *(duty for episode in episodes(DEVICE, moments) for duty in episode.duties),
        *follow_up_duties(moments, susar),
    )
    found = (clock_of(duty, moments, subject_id) for duty in duties)
    return tuple(sorted(found, key=lambda clock: (clock.due_at, clock.type, clock.clock_id)))
