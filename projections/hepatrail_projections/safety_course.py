"""What follows from the adverse events of a participant, now and over time.

A version that takes effect is placed in a participant's stream right before the first commit that was recorded from
then on by somebody who knew of it (its `studyseq`), else at the stream's end; every adverse event is then evaluated
again on what was known, with the publication's commit id.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from hepatrail_projections.clinical.adverse_events.derived import DerivedAdverseEvent, derived
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.clinical.reporting.clocks import clocks
from hepatrail_projections.clinical_stops import transplant_after
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.protocol_course import protocol_under, took_effect_between
from hepatrail_projections.reporting_moments import moments_of
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_projections.treatment import first_start, treatment_under

__all__ = ["clocks_of", "evaluated", "protocol_under", "took_effect_between"]


def evaluated(view: SubjectView, published: PublishedProtocol) -> Mapping[UUID, DerivedAdverseEvent]:
    """Emergence and predicates of every adverse event under one protocol version, in the view's order."""
    zone = site_zone(published.plan.zone)
    transplant = transplant_after(view.assessments, first_start(view.sessions), zone)
    treatment = treatment_under(view.sessions, transplant, published.protocol.safety, zone)
    return {ae_id: derived(fact, view.baseline_conditions, treatment) for ae_id, fact in view.adverse_events.items()}


def clocks_of(
    view: SubjectView, study: StudyView, at: datetime, only: Collection[UUID] | None = None
) -> Mapping[UUID, tuple[Clock, ...]]:
    """By aeId, every clock that exists by what was recorded until `at` (aware), the earliest due first.

    Only adverse events that were ever serious have any. A version of the protocol counts once it took effect by then.
    `only` names the adverse events that are asked for, where not all are.
    """
    found = moments_of(view.safety_history, study, at, only)
    return {ae_id: clocks(moments, view.subject_id) for ae_id, moments in found.items()}
