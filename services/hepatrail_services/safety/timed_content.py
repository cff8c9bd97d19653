"""What alerts say that time raises (`safety.md` 6.1 to 6.3): of the participant as known at their instant.

Decided here, because the reference leaves room:

- `commitId` is the commit that started the matter: of a clock its start, of a death its record. Where the fold does
  not know the commit, the alert's own id stands for it.
- A breach shows the clocks as they stand right after the due instant, so that the one it is about reads BREACHED also
  where its last instant still counts as in time.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.safety_desk import AlertContent, AlertType, Priority
from hepatrail_events.types import format_instant
from hepatrail_projections.clinical.grading.unreviewed import Finding
from hepatrail_projections.clinical.inputs import Collected
from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.facts import DeathFact, SubjectView
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_services.safety import identity
from hepatrail_services.safety.content import Heading, Occasion, adverse_event_content, participant_content
from hepatrail_services.safety.lifecycle import standings

_RESOLUTION = timedelta(milliseconds=1)
_CLOCK_PRIORITIES = {AlertType.CLOCK_WARNING: Priority.P2, AlertType.CLOCK_BREACH: Priority.P1}


def clock_alert(
    view: SubjectView, study: StudyView, clock: Clock, kind: AlertType, fire_at: datetime, late: bool
) -> AlertContent:
    """The alert of a clock near its end (CLOCK_WARNING, P2) or past it unmet (CLOCK_BREACH, P1), as of `fire_at`."""
    then, published = known_at(view, fire_at), _in_force(study, fire_at)
    heading = Heading(
        identity.clock_alert(clock.clock_id, kind),
        kind,
        _CLOCK_PRIORITIES[kind],
        detail=f"The clock {clock.type} is due at {format_instant(clock.due_at)}.",
    )
    clocks = clocks_of(view, study, fire_at, (clock.ae_id,)).get(clock.ae_id, ())
    occasion = _occasion(then, published, fire_at, late, clock.start_commit_id)
    shown_at = fire_at + _RESOLUTION if kind is AlertType.CLOCK_BREACH else fire_at
    standing = standings(then, published)[clock.ae_id]
    return adverse_event_content(occasion, heading, standing, clocks, shown_at)


def death_without_ae_alert(view: SubjectView, study: StudyView, fire_at: datetime, late: bool) -> AlertContent:
    """The P2 reminder that a death has no adverse event (INV-18), raised at `fire_at`."""
    record = view.death_record
    assert record is not None, "the reminder is of a death on record"
    alert_id = identity.death_without_ae_alert(view.subject_id)
    heading = Heading(
        alert_id,
        AlertType.DEATH_WITHOUT_AE,
        Priority.P2,
        detail=f"The death was recorded at {format_instant(record.recorded_at)}; no adverse event is fatal.",
    )
    occasion = _occasion(view, _in_force(study, fire_at), fire_at, late, _commit_of(view, record) or alert_id)
    return participant_content(occasion, heading, aware_at=record.died.aware_at)


def lab_finding_alert(
    view: SubjectView, study: StudyView, finding: Finding, fire_at: datetime, late: bool
) -> AlertContent:
    """The alert of a severe laboratory grade that nobody has reviewed, with the finding's priority."""
    occasion = _occasion(view, _in_force(study, fire_at), fire_at, late, identity.lab_finding_alert(finding.result_id))
    return lab_finding_content(occasion, finding)


def lab_finding_content(occasion: Occasion, finding: Finding) -> AlertContent:
    """The same, of whatever occasion."""
    least = "at least " if finding.minimum else ""
    baseline = "none" if finding.grade_at_baseline is None else str(finding.grade_at_baseline)
    heading = Heading(
        identity.lab_finding_alert(finding.result_id),
        AlertType.LAB_GRADE_UNREVIEWED,
        Priority(finding.priority),
        detail=f"{finding.term}: {least}grade {finding.grade}, at baseline {baseline}; {finding.code}, "
        f"result {finding.result_id}, collected {_collected(finding.collected)}.",
    )
    return participant_content(occasion, heading, aware_at=finding.since, grade=finding.grade)


def known_at(view: SubjectView, at: datetime) -> SubjectView:
    """The participant with the adverse events, and what they are held against, as recorded until an instant."""
    known = [point for point in view.safety_history if point.recorded_at <= at]
    if not known or known[-1] is view.safety_history[-1]:
        return view
    last = known[-1]
    return replace(
        view,
        adverse_events=last.adverse_events,
        sessions=last.sessions,
        baseline_conditions=last.baseline_conditions,
        assessments=last.assessments,
    )


def _occasion(
    view: SubjectView, published: PublishedProtocol, fire_at: datetime, late: bool, commit_id: UUID
) -> Occasion:
    zone = ZoneInfo(published.protocol.site_zone)
    return Occasion(fire_at, commit_id, identity.PROCESSOR, view, zone, late=True if late else None)


def _commit_of(view: SubjectView, record: DeathFact) -> UUID | None:
    """The commit that recorded the death, where the history of what reporting rests on holds it."""
    of_it = {*record.event_ids}
    return next(
        (
            each.commit_id
            for each in view.safety_history
            if each.recorded_at == record.recorded_at and not of_it.isdisjoint(each.event_ids)
        ),
        None,
    )


def _in_force(study: StudyView, at: datetime) -> PublishedProtocol:
    published = study.published_at(at)
    assert published is not None, "nothing is due before a protocol is in force"
    return published


def _collected(when: Collected) -> str:
    return str(when.local_date) if when.instant is None else format_instant(when.instant)
