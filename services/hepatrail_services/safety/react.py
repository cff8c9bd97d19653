"""From a commit to the alerts that it raises: pure, evaluated once a commit (`safety.md` section 6)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.codec import Recorded
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.safety_desk import AlertChange, AlertContent, AlertType, Priority
from hepatrail_events.sessions import SessionStarted
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_services.safety.content import Occasion, adverse_event_alert, participant_alert, text_of
from hepatrail_services.safety.holds import sessions_under_hold
from hepatrail_services.safety.identity import PROCESSOR, unreadable_alert
from hepatrail_services.safety.lifecycle import became_fatal, no_longer_fatal, transitions

_MAX_DETAIL = 500


def react(
    before: SubjectView, after: SubjectView, commit: Sequence[Recorded], study: StudyView
) -> tuple[AlertContent, ...]:
    """The alerts of a participant's commit, at most one of the life cycle an adverse event.

    `study` is read at least up to the commit's `studyseq`; the protocol is the one that was in force under it.
    Raises InvalidEnvelope when the commit names a study without protocol.
    """
    envelope = commit[-1].envelope
    protocol = protocol_under(study, envelope).protocol
    occasion = Occasion(envelope, after, ZoneInfo(protocol.site_zone))
    starts = [each for each in commit if isinstance(each.event, SessionStarted)]
    return (
        *_of_events(before, occasion, commit, protocol.safety),
        *sessions_under_hold(after, starts, study.holds.values()),
    )


def protocol_under(study: StudyView, envelope: Envelope) -> PublishedProtocol:
    """The version in force when the commit was decided; InvalidEnvelope when there was none."""
    known = tuple(each for each in study.protocols if each.row.streamseq <= envelope.studyseq)
    published = replace(study, protocols=known).published_at(envelope.recordedat)
    if published is None:
        raise InvalidEnvelope(f"{envelope.stream}@{envelope.streamseq}: no protocol was in force at this studyseq")
    return published


def unreadable(view: SubjectView, streamseq: int, where: str, reason: str, found_at: datetime) -> AlertContent:
    """The P1 alert of a participant of whom an event cannot be read.

    `streamseq` is the one that was due at the place `where` of the log. Nothing is known of the commit or of whom it
    is from: the alert's own id stands for the first, the processor for the second.
    """
    kind, alert_id = AlertType.SUBJECT_UNREADABLE, unreadable_alert(view.subject_id, streamseq)
    return AlertContent(
        alert_id=alert_id,
        type=kind,
        priority=Priority.P1,
        reasons=(kind,),
        raised_at=found_at,
        commit_id=alert_id,
        reporter_id=PROCESSOR,
        subject_id=view.subject_id,
        site_id=view.site_id,
        detail=f"subject-{view.subject_id}@{streamseq} ({where}): {reason}"[:_MAX_DETAIL],
    )


def _of_events(
    before: SubjectView, occasion: Occasion, commit: Sequence[Recorded], rules: SafetyRules
) -> tuple[AlertContent, ...]:
    deaths = [each.event for each in commit if isinstance(each.event, ParticipantDied)]
    death = _changes_of_death(before.death, occasion.after.death)
    alerts, carried = [], False
    for ae_id, fact in occasion.after.adverse_events.items():
        earlier = before.adverse_events.get(ae_id)
        if earlier is fact:
            continue
        types = transitions(earlier, fact, rules.alert_aesi_grade_ge)
        if types:
            fatal = became_fatal(earlier, fact)
            carried = carried or fatal
            also = death if fatal or no_longer_fatal(earlier, fact) else ()
            alerts.append(adverse_event_alert(occasion, earlier, fact, types, also))
    if deaths and not carried:
        aware_at = deaths[-1].aware_at
        alerts.append(participant_alert(occasion, AlertType.PARTICIPANT_DIED, aware_at=aware_at, changes=death))
    return tuple(alerts)


def _changes_of_death(before: ParticipantDied | None, after: ParticipantDied | None) -> tuple[AlertChange, ...]:
    old = None if before is None else text_of(before.death_at)
    new = None if after is None else text_of(after.death_at)
    return () if old == new else (AlertChange(field="deathAt", old=old, new=new),)
