"""The history on which reporting rests: one point a commit that touched any of it."""

from operator import attrgetter

from hepatrail_events.envelope import Envelope
from hepatrail_projections.facts import SafetyPoint, SubjectView

_KEPT = attrgetter(
    "adverse_events",
    "sessions",
    "baseline_conditions",
    "assessments",
    "death_record",
    "notifications",
    "submissions",
)


def with_point(before: SubjectView, after: SubjectView, envelope: Envelope) -> tuple[SafetyPoint, ...]:
    """The history after an event; a further event of the same commit replaces the commit's point.

    The folds make a new mapping whenever they touch one, so that identity tells what an event touched.
    """
    history = before.safety_history
    if all(old is new for old, new in zip(_KEPT(before), _KEPT(after), strict=True)):
        return history
    begun = history[-1] if history and history[-1].commit_id == envelope.commitid else None
    point = SafetyPoint(
        commit_id=envelope.commitid,
        event_ids=(*(() if begun is None else begun.event_ids), envelope.id),
        recorded_at=envelope.recordedat,
        received_at=envelope.receivedat,
        studyseq=envelope.studyseq,
        adverse_events=after.adverse_events,
        sessions=after.sessions,
        baseline_conditions=after.baseline_conditions,
        assessments=after.assessments,
        notifications=after.notifications,
        submissions=after.submissions,
    )
    return (*(history if begun is None else history[:-1]), point)
