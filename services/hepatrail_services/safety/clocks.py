"""The reporting clocks that an alert shows: those of its adverse event, as of its instant (`safety.md` 6.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.safety_history import SafetyPoint
from hepatrail_projections.study_view import StudyView


def clocks_about(
    view: SubjectView, study: StudyView, ae_ids: Iterable[UUID], at: datetime
) -> Mapping[UUID, tuple[Clock, ...]]:
    """The clocks of these adverse events by what was recorded until `at`, the earliest due first; absent: it has none.

    Each serious event of the participant takes its time to follow, so the others are left out of the history.
    """
    wanted = frozenset(ae_ids)
    history = tuple(_about(point, wanted) for point in view.safety_history)
    return clocks_of(replace(view, safety_history=history), study, at)


def _about(point: SafetyPoint, ae_ids: frozenset[UUID]) -> SafetyPoint:
    kept = {ae_id: point.adverse_events[ae_id] for ae_id in ae_ids if ae_id in point.adverse_events}
    return replace(point, adverse_events=kept)
