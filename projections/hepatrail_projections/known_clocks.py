"""Reporting clocks that still hold: those of the adverse events that nothing has touched since they were worked out.

Most commits touch one adverse event or none, and the clocks of all the others are what they were. Remembering them
changes nothing but the time that it takes; wherever that is not certain, all are worked out again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.study_view import PublishedProtocol, StudyView


@dataclass(frozen=True, slots=True)
class KnownClocks:
    """The clocks of a participant by aeId, with the view and the protocol version in force that they are of."""

    view: SubjectView
    version: str
    clocks: Mapping[UUID, tuple[Clock, ...]]


def clocks_since(
    before: KnownClocks | None, view: SubjectView, study: StudyView, at: datetime
) -> Mapping[UUID, tuple[Clock, ...]]:
    """`clocks_of` the view, and sooner where those of an earlier view of the same stream are known.

    Everything that the view holds was recorded by `at` (aware).
    """
    touched = None if before is None else touched_since(before.view, before.version, view, study, at)
    if before is None or touched is None:
        return clocks_of(view, study, at)
    if not touched:
        return before.clocks
    kept = {ae_id: clocks for ae_id, clocks in before.clocks.items() if ae_id not in touched}
    found = {**kept, **clocks_of(view, study, at, touched)}
    return {ae_id: found[ae_id] for ae_id in view.adverse_events if ae_id in found}


def touched_since(
    known: SubjectView, version: str | None, view: SubjectView, study: StudyView, at: datetime
) -> frozenset[UUID] | None:
    """The adverse events whose clocks may be others than under an earlier view and its version; None: any of them."""
    published = study.published_at(at)
    if published is None or published.version != version or _in_another_order(published, study):
        return None
    if known.sessions is not view.sessions or known.baseline_conditions is not view.baseline_conditions:
        return None
    history, reached = view.safety_history, len(known.safety_history)
    if len(history) < reached or (reached and history[reached - 1] is not known.safety_history[-1]):
        return None  # A later view than this one, or of a commit of which more has been read by now.
    # A commit that was decided without knowing of the version comes before its effect, and moves that.
    if any(point.studyseq < published.row.streamseq for point in history[reached:]):
        return None
    return frozenset(
        (
            *(ae_id for ae_id, fact in view.adverse_events.items() if known.adverse_events.get(ae_id) is not fact),
            *(each.fact.ae_id for each in view.notifications[len(known.notifications) :]),
            *(each.fact.ae_id for key, each in view.submissions.items() if known.submissions.get(key) is not each),
        )
    )


def _in_another_order(published: PublishedProtocol, study: StudyView) -> bool:
    """Whether a version that was published after the one in force took effect before it.

    The study may have been read up to between the two, or a commit decided there.
    """
    row = published.row
    return any(
        each.row.streamseq > row.streamseq and each.row.effective_from <= row.effective_from for each in study.protocols
    )
