"""Adverse events (`safety.md` section 4): log order for everything but the grade, which goes by `gradeAt`."""

from dataclasses import replace

from hepatrail_events.adverse_events import AEGradeChanged, AEReported, AEResolved, AEUpgradedToSerious
from hepatrail_events.envelope import Envelope
from hepatrail_events.roles import Role
from hepatrail_projections.facts import AdverseEventFact, GradePoint, SubjectView
from hepatrail_projections.folds.known import known


def ae_reported(view: SubjectView, event: AEReported, envelope: Envelope) -> SubjectView:
    """A new adverse event; the criteria in it are the site's."""
    fact = AdverseEventFact(
        reported=event,
        version=event.ae_version,
        reported_at=envelope.recordedat,
        reporter_id=envelope.actorid,
        grades=() if event.grade is None else (GradePoint(event.grade, event.grade_at, envelope.id),),
        of_investigator=event.criteria,
        of_sponsor=(),
        serious_since=event.onset if event.criteria else None,
        serious_aware_at=event.aware_at if event.criteria else None,
        ever_serious=bool(event.criteria),
        outcome=event.outcome,
        end_at=event.end_at,
        event_ids=(envelope.id,),
    )
    return replace(view, adverse_events={**view.adverse_events, event.ae_id: fact})


def ae_grade_changed(view: SubjectView, event: AEGradeChanged, envelope: Envelope) -> SubjectView:
    """A new point of the grade timeline."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    grades = (*fact.grades, GradePoint(event.to_grade, event.grade_at, envelope.id))
    return _with(view, event, replace(fact, grades=grades), envelope)


def ae_upgraded_to_serious(view: SubjectView, event: AEUpgradedToSerious, envelope: Envelope) -> SubjectView:
    """An assessor whose set was empty found the event serious."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    first = not fact.serious
    fact = replace(
        fact,
        serious_since=event.serious_since if first else fact.serious_since,
        serious_aware_at=event.aware_at if first else fact.serious_aware_at,
        ever_serious=True,
    )
    if envelope.actorrole == Role.SPONSOR:
        return _with(view, event, replace(fact, of_sponsor=event.criteria), envelope)
    return _with(view, event, replace(fact, of_investigator=event.criteria), envelope)


def ae_resolved(view: SubjectView, event: AEResolved, envelope: Envelope) -> SubjectView:
    """The event ended."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    return _with(view, event, replace(fact, outcome=event.outcome, end_at=event.end_at), envelope)


def _with(
    view: SubjectView,
    event: AEGradeChanged | AEUpgradedToSerious | AEResolved,
    fact: AdverseEventFact,
    envelope: Envelope,
) -> SubjectView:
    seen = replace(fact, version=event.ae_version, event_ids=(*fact.event_ids, envelope.id))
    return replace(view, adverse_events={**view.adverse_events, event.ae_id: seen})
