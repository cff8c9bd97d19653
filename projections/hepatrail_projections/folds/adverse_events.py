"""Adverse events (`safety.md` section 4): log order for everything but the grade, which goes by `gradeAt`.

Decided here, because the reference leaves room: an event that is reopened has the outcome NOT_RECOVERED until
something else is said, and a corrected onset or time of awareness also moves what the report said of seriousness.
"""

from collections.abc import Iterable
from typing import TypeVar

from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AECorrected,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AEReopened,
    AEReported,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    AEVoided,
    AEVoidRequested,
    Assessor,
    Criterion,
    Outcome,
)
from hepatrail_events.corrected_values import worked_in
from hepatrail_events.envelope import Envelope
from hepatrail_events.event import Event
from hepatrail_events.roles import Role
from hepatrail_events.types import Instant, PartialDate
from hepatrail_projections.ae_facts import (
    AdverseEventFact,
    CausalityJudgement,
    CriteriaChange,
    Entry,
    GradeCorrection,
    GradePoint,
)
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds.correcting import correction, with_item
from hepatrail_projections.folds.known import known
from hepatrail_projections.replacing import replace

Said = TypeVar("Said", bound=Event)


def ae_reported(view: SubjectView, event: AEReported, envelope: Envelope) -> SubjectView:
    """A new adverse event; criteria and causality in it are the site's."""
    worsened = event.frequency_worsened_at
    site = Assessor.INVESTIGATOR
    fact = AdverseEventFact(
        reported=event,
        version=event.ae_version,
        reported_at=envelope.recordedat,
        reporter_id=envelope.actorid,
        event_ids=(envelope.id,),
        grades=() if event.grade is None else (GradePoint(event.grade, event.grade_at, envelope.id),),
        criteria_history=(
            (_change(site, event.criteria, envelope, since=event.onset, aware_at=event.aware_at),)
            if event.criteria
            else ()
        ),
        causality=tuple(
            CausalityJudgement(
                site, each.target, each.value, each.rationale, envelope.recordedat, envelope.actorid, envelope.id
            )
            for each in event.causality
        ),
        frequency_worsened=() if worsened is None else (worsened,),
    )
    return replace(view, adverse_events=with_item(view.adverse_events, event.ae_id, fact))


def ae_followed_up(view: SubjectView, event: AEFollowedUp, envelope: Envelope) -> SubjectView:
    """New information; what it says of outcome, action and frequency counts from now on."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    stated = {
        "outcome": event.outcome,
        "action_taken": event.action_taken,
        "frequency_worsened_at": event.frequency_worsened_at,
    }
    news = {name: value for name, value in stated.items() if value is not None}
    worsened = () if event.frequency_worsened_at is None else (event.frequency_worsened_at,)
    fact = replace(
        fact,
        reported=fact.reported.model_copy(update=news),
        frequency_worsened=(*fact.frequency_worsened, *worsened),
        follow_ups=(*fact.follow_ups, _entry(event, envelope)),
    )
    return _with(view, event.ae_version, fact, envelope)


def ae_grade_changed(view: SubjectView, event: AEGradeChanged, envelope: Envelope) -> SubjectView:
    """A new point of the grade timeline."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    grades = (*fact.grades, GradePoint(event.to_grade, event.grade_at, envelope.id))
    return _with(view, event.ae_version, replace(fact, grades=grades), envelope)


def ae_grade_corrected(view: SubjectView, event: AEGradeCorrected, envelope: Envelope) -> SubjectView:
    """One point of the timeline is replaced in its place, or removed; what it said stays in `grade_corrections`."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    points = {point.event_id: point for point in fact.grades}
    old = known(points, event.grade_event_id, "grade of this adverse event that was recorded by")
    new = None
    if event.grade is not None:
        new = points[old.event_id] = GradePoint(event.grade, event.grade_at or old.grade_at, old.event_id)
    else:
        del points[old.event_id]
    made = GradeCorrection(old, new, event.reason, envelope.recordedat, envelope.actorid, envelope.id)
    fact = replace(fact, grades=tuple(points.values()), grade_corrections=(*fact.grade_corrections, made))
    return _with(view, event.ae_version, fact, envelope)


def ae_causality_assessed(view: SubjectView, event: AECausalityAssessed, envelope: Envelope) -> SubjectView:
    """A judgement of the causality for one target; it overwrites no other assessor's."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    made = CausalityJudgement(
        event.assessor,
        event.target,
        event.value,
        event.rationale,
        envelope.recordedat,
        envelope.actorid,
        envelope.id,
    )
    return _with(view, event.ae_version, replace(fact, causality=(*fact.causality, made)), envelope)


def ae_expectedness_assessed(view: SubjectView, event: AEExpectednessAssessed, envelope: Envelope) -> SubjectView:
    """The sponsor's judgement whether the event was to be expected."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    history = (*fact.expectedness_history, _entry(event, envelope))
    return _with(view, event.ae_version, replace(fact, expectedness_history=history), envelope)


def ae_upgraded_to_serious(view: SubjectView, event: AEUpgradedToSerious, envelope: Envelope) -> SubjectView:
    """An assessor whose set was empty found the event serious; who, the role of the sender says."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    assessor = Assessor.SPONSOR if envelope.actorrole == Role.SPONSOR else Assessor.INVESTIGATOR
    made = _change(assessor, event.criteria, envelope, since=event.serious_since, aware_at=event.aware_at)
    return _judged(view, event.ae_version, fact, made, envelope)


def ae_seriousness_criteria_changed(
    view: SubjectView, event: AESeriousnessCriteriaChanged, envelope: Envelope
) -> SubjectView:
    """An assessor added criteria or took some away."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    held = {*fact.criteria_of(event.assessor), *event.added} - {*event.removed}
    made = replace(
        _change(event.assessor, held, envelope, since=None, aware_at=event.aware_at),
        reason=event.reason,
    )
    return _judged(view, event.ae_version, fact, made, envelope)


def ae_downgraded_to_non_serious(view: SubjectView, event: AEDowngradedToNonSerious, envelope: Envelope) -> SubjectView:
    """An assessor no longer finds the event serious; the other's criteria stand."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    made = replace(
        _change(event.assessor, (), envelope, since=None, aware_at=None),
        reason_code=event.reason_code,
        reason=event.reason_text,
    )
    return _judged(view, event.ae_version, fact, made, envelope)


def ae_resolved(view: SubjectView, event: AEResolved, envelope: Envelope) -> SubjectView:
    """The event ended."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    ended = fact.reported.model_copy(update={"outcome": event.outcome, "end_at": event.end_at})
    return _with(view, event.ae_version, replace(fact, reported=ended), envelope)


def ae_reopened(view: SubjectView, event: AEReopened, envelope: Envelope) -> SubjectView:
    """The event goes on: its end is taken back."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    end = fact.reported.end_at
    fact = replace(
        fact,
        reported=fact.reported.model_copy(update={"outcome": Outcome.NOT_RECOVERED, "end_at": None}),
        reopenings=(*fact.reopenings, _entry(event, envelope)),
        reopened_ends=fact.reopened_ends if end is None else (*fact.reopened_ends, end),
    )
    return _with(view, event.ae_version, fact, envelope)


def ae_corrected(view: SubjectView, event: AECorrected, envelope: Envelope) -> SubjectView:
    """One field of the report has another value; what it said stays in `corrections`."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    reported = worked_in(fact.reported, event.field, event.new_value, event.new_text)
    fact = replace(
        fact,
        reported=reported,
        criteria_history=_reported_anew(fact, reported),
        corrections=(*fact.corrections, correction(event, envelope)),
    )
    if event.field == "frequencyWorsenedAt":
        latest = () if reported.frequency_worsened_at is None else (reported.frequency_worsened_at,)
        fact = replace(fact, frequency_worsened=(*fact.frequency_worsened[:-1], *latest))
    return _with(view, event.ae_version, fact, envelope)


def ae_coded(view: SubjectView, event: AECoded, envelope: Envelope) -> SubjectView:
    """The event has a MedDRA code; the latest counts."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    return _with(view, event.ae_version, replace(fact, codings=(*fact.codings, _entry(event, envelope))), envelope)


def ae_void_requested(view: SubjectView, event: AEVoidRequested, envelope: Envelope) -> SubjectView:
    """Somebody asks that the event be void; it counts as before until somebody else agrees."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    return _with(view, event.ae_version, replace(fact, void_request=_entry(event, envelope)), envelope)


def ae_voided(view: SubjectView, event: AEVoided, envelope: Envelope) -> SubjectView:
    """The event counts nowhere from now on, and stays readable."""
    fact = known(view.adverse_events, event.ae_id, "adverse event")
    return _with(view, event.ae_version, replace(fact, voided=_entry(event, envelope)), envelope)


def _change(
    assessor: Assessor,
    criteria: Iterable[Criterion],
    envelope: Envelope,
    *,
    since: PartialDate | None,
    aware_at: Instant | None,
) -> CriteriaChange:
    held = set(criteria)
    return CriteriaChange(
        assessor=assessor,
        criteria=tuple(criterion for criterion in Criterion if criterion in held),
        since=since,
        aware_at=aware_at,
        recorded_at=envelope.recordedat,
        received_at=envelope.receivedat,
        actor_id=envelope.actorid,
        commit_id=envelope.commitid,
        event_id=envelope.id,
    )


def _reported_anew(fact: AdverseEventFact, reported: AEReported) -> tuple[CriteriaChange, ...]:
    history = fact.criteria_history
    if not history or history[0].event_id != fact.event_ids[0]:
        return history
    return (replace(history[0], since=reported.onset, aware_at=reported.aware_at), *history[1:])


def _judged(
    view: SubjectView, version: int, fact: AdverseEventFact, made: CriteriaChange, envelope: Envelope
) -> SubjectView:
    return _with(view, version, replace(fact, criteria_history=(*fact.criteria_history, made)), envelope)


def _entry(event: Said, envelope: Envelope) -> Entry[Said]:
    return Entry(event, envelope.recordedat, envelope.actorid, envelope.id)


def _with(view: SubjectView, version: int, fact: AdverseEventFact, envelope: Envelope) -> SubjectView:
    seen = replace(fact, version=version, event_ids=(*fact.event_ids, envelope.id))
    return replace(view, adverse_events=with_item(view.adverse_events, fact.reported.ae_id, seen))
