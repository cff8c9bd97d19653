"""From a commit to the alerts that it raises: pure, evaluated once a commit (`safety.md` section 6).

What follows from an adverse event is held against the state before, under the same protocol version: a commit that
only moves T0 alerts of every event whose derived values that changes. A version that takes effect is held against the
one before it, on the same state.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.codec import Recorded
from hepatrail_events.safety_desk import AlertContent, AlertType, Priority
from hepatrail_events.sessions import SessionStarted
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_services.command import Command
from hepatrail_services.deciders.safety_desk import RaiseAlert
from hepatrail_services.safety import identity
from hepatrail_services.safety.changes import changes_between, changes_of_death
from hepatrail_services.safety.content import Heading, Occasion, adverse_event_content, participant_content
from hepatrail_services.safety.deficiencies import deficiency_alerts
from hepatrail_services.safety.findings import findings_at_once
from hepatrail_services.safety.holds import sessions_under_hold
from hepatrail_services.safety.lifecycle import (
    Standing,
    became_fatal,
    no_longer_fatal,
    priority,
    standings,
    transitions,
)
from hepatrail_services.safety.timed_content import lab_finding_content

_MAX_DETAIL = 500


def react(
    before: SubjectView, after: SubjectView, commit: Sequence[Recorded], study: StudyView, published: PublishedProtocol
) -> tuple[Command, ...]:
    """What a participant's commit demands of the desk: at most one alert of the life cycle an adverse event.

    `published` is the protocol version under which the commit is evaluated; `study` is read at least up to the
    commit's `studyseq`.
    """
    envelope = commit[-1].envelope
    zone = ZoneInfo(published.protocol.site_zone)
    occasion = Occasion(envelope.recordedat, envelope.commitid, envelope.actorid, after, zone)
    turns = _turns_of_commit(before, after, published)
    starts = [each for each in commit if isinstance(each.event, SessionStarted)]
    found = findings_at_once(before, after, published)
    alerts = (
        *_of_adverse_events(occasion, turns, study, before.death),
        *_of_death(occasion, turns, commit, before.death),
        *deficiency_alerts(before, occasion),
        *(lab_finding_content(occasion, finding) for finding in found),
        *sessions_under_hold(after, starts, study.holds.values()),
    )
    return raised(alerts)


def reevaluate(
    view: SubjectView, study: StudyView, old: PublishedProtocol, new: PublishedProtocol
) -> tuple[Command, ...]:
    """What a protocol version that takes effect demands of the desk, after `old`; its commit is the publication's.

    Where a commit was recorded after that instant without knowledge of the version, what it says is told too, and the
    instant is that commit's.
    """
    row, zone = new.row, ZoneInfo(new.protocol.site_zone)
    at = row.effective_from if view.recorded_at is None else max(row.effective_from, view.recorded_at)
    occasion = Occasion(at, row.commit_id, identity.PROCESSOR, view, zone)
    turns = _turns(standings(view, old), standings(view, new))
    alerts = (
        *_of_adverse_events(occasion, turns, study, view.death),
        *(lab_finding_content(occasion, finding) for finding in findings_at_once(view, view, new, old)),
    )
    return raised(alerts)


def raised(alerts: Iterable[AlertContent]) -> tuple[RaiseAlert, ...]:
    """The commands that raise these alerts, each with the id that follows from the alert's."""
    return tuple(map(identity.raising, alerts))


def unreadable(view: SubjectView, streamseq: int, where: str, reason: str, found_at: datetime) -> AlertContent:
    """The P1 alert of a participant of whom an event cannot be read.

    `streamseq` is the one that was due at the place `where` of the log. Nothing is known of the commit or of whom it
    is from: the alert's own id stands for the first, the processor for the second.
    """
    kind, alert_id = AlertType.SUBJECT_UNREADABLE, identity.unreadable_alert(view.subject_id, streamseq)
    return AlertContent(
        alert_id=alert_id,
        type=kind,
        priority=Priority.P1,
        reasons=(kind,),
        raised_at=found_at,
        commit_id=alert_id,
        reporter_id=identity.PROCESSOR,
        subject_id=view.subject_id,
        site_id=view.site_id,
        detail=f"subject-{view.subject_id}@{streamseq} ({where}): {reason}"[:_MAX_DETAIL],
    )


class _Turn(NamedTuple):
    """An adverse event before and after, and the rows of the table that apply; highest first, at least one."""

    before: Standing | None
    after: Standing
    types: tuple[AlertType, ...]

    @property
    def fatal(self) -> bool:
        """Whether it carries the death of the commit."""
        return became_fatal(self.before, self.after)


def _turns_of_commit(before: SubjectView, after: SubjectView, published: PublishedProtocol) -> Sequence[_Turn]:
    ours = after.adverse_events
    if _same_ground(before, after):
        if ours is before.adverse_events:
            return ()
        # Nothing that concerns all of them changed: only those can have turned whose own fact did.
        ours = {ae_id: fact for ae_id, fact in ours.items() if fact is not before.adverse_events.get(ae_id)}
    theirs = {ae_id: fact for ae_id, fact in before.adverse_events.items() if ae_id in ours}
    return _turns(
        standings(replace(before, adverse_events=theirs), published),
        standings(replace(after, adverse_events=ours), published),
    )


def _same_ground(before: SubjectView, after: SubjectView) -> bool:
    """Whether all that every adverse event is held against is what it was; a transplant only flags them."""
    return after.sessions is before.sessions and after.baseline_conditions is before.baseline_conditions


def _turns(before: Mapping[UUID, Standing], after: Mapping[UUID, Standing]) -> Sequence[_Turn]:
    pairs = ((before.get(ae_id), standing) for ae_id, standing in after.items())
    turns = (_Turn(earlier, later, transitions(earlier, later)) for earlier, later in pairs)
    return [turn for turn in turns if turn.types]


def _of_adverse_events(
    occasion: Occasion, turns: Sequence[_Turn], study: StudyView, death_before: ParticipantDied | None
) -> list[AlertContent]:
    if not turns:
        return []
    about = [turn.after.fact.reported.ae_id for turn in turns]
    clocks = clocks_of(occasion.view, study, occasion.raised_at, about)
    death = changes_of_death(death_before, occasion.view.death)
    alerts = []
    for ae_id, turn in zip(about, turns, strict=True):
        also = death if turn.fatal or no_longer_fatal(turn.before, turn.after) else ()
        heading = Heading(
            identity.adverse_event_alert(ae_id, occasion.commit_id),
            turn.types[0],
            priority(turn.types, turn.after),
            also=turn.types[1:],
            changes=(*changes_between(turn.before, turn.after, occasion.zone), *also),
        )
        alerts.append(adverse_event_content(occasion, heading, turn.after, clocks.get(ae_id, ()), occasion.raised_at))
    return alerts


def _of_death(
    occasion: Occasion, turns: Sequence[_Turn], commit: Sequence[Recorded], before: ParticipantDied | None
) -> list[AlertContent]:
    """The alert of a death that no adverse event of the commit carries."""
    deaths = [each.event for each in commit if isinstance(each.event, ParticipantDied)]
    if not deaths or any(turn.fatal for turn in turns):
        return []
    heading = Heading(
        identity.death_alert(occasion.view.subject_id, occasion.commit_id),
        AlertType.PARTICIPANT_DIED,
        Priority.P1,
        changes=changes_of_death(before, occasion.view.death),
    )
    return [participant_content(occasion, heading, aware_at=deaths[-1].aware_at)]
