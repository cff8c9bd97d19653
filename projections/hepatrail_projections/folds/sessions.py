"""Treatment sessions (`events.md` 3.2)."""

from datetime import datetime
from uuid import UUID

from hepatrail_events.corrected_values import worked_in
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.sessions import (
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
)
from hepatrail_events.types import parse_instant
from hepatrail_projections.facts import Pause, SessionFact, SubjectView
from hepatrail_projections.folds.correcting import correction, voided, with_item
from hepatrail_projections.folds.known import known
from hepatrail_projections.replacing import replace


def session_started(view: SubjectView, event: SessionStarted, envelope: Envelope) -> SubjectView:
    """A session begins."""
    begun = SessionFact(envelope.streamseq, event, None, None, (), (), None, (envelope.id,))
    return _with(view, event.session_id, begun)


def session_paused(view: SubjectView, event: SessionPaused, envelope: Envelope) -> SubjectView:
    """Flow is interrupted."""
    session = known(view.sessions, event.session_id, "session")
    pauses = (*session.pauses, Pause(event.at, None, event.reason))
    return _with(view, event.session_id, _seen(replace(session, pauses=pauses), envelope))


def session_resumed(view: SubjectView, event: SessionResumed, envelope: Envelope) -> SubjectView:
    """Flow begins again."""
    session = known(view.sessions, event.session_id, "session")
    if not session.pauses:
        raise InvalidPayload(f"session {event.session_id} resumes without a pause")
    pauses = (*session.pauses[:-1], replace(session.pauses[-1], resumed_at=event.at))
    return _with(view, event.session_id, _seen(replace(session, pauses=pauses), envelope))


def session_ended(view: SubjectView, event: SessionEnded, envelope: Envelope) -> SubjectView:
    """Flow stops for good."""
    session = known(view.sessions, event.session_id, "session")
    ended = replace(session, ended_at=event.ended_at, end_reason=event.reason.value)
    return _with(view, event.session_id, _seen(ended, envelope))


def session_corrected(view: SubjectView, event: SessionCorrected, envelope: Envelope) -> SubjectView:
    """One field has another value; what was recorded stays in `corrections`."""
    session = known(view.sessions, event.id, "session")
    session = replace(session, corrections=(*session.corrections, correction(event, envelope)))
    return _with(view, event.id, _seen(_corrected(session, event), envelope))


def session_voided(view: SubjectView, event: SessionVoided, envelope: Envelope) -> SubjectView:
    """The record feeds nothing from now on."""
    session = known(view.sessions, event.id, "session")
    return _with(view, event.id, _seen(replace(session, voided=voided(event, envelope)), envelope))


def _corrected(session: SessionFact, event: SessionCorrected) -> SessionFact:
    if event.field == "endedAt":
        return replace(session, ended_at=None if event.new_value is None else _instant(event.new_value))
    if event.field == "endReason":
        return replace(session, end_reason=event.new_value)
    return replace(session, started=worked_in(session.started, event.field, event.new_value, event.new_text))


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise InvalidPayload(f"endedAt: {error}") from None


def _seen(session: SessionFact, envelope: Envelope) -> SessionFact:
    return replace(session, event_ids=(*session.event_ids, envelope.id))


def _with(view: SubjectView, session_id: UUID, session: SessionFact) -> SubjectView:
    return replace(view, sessions=with_item(view.sessions, session_id, session))
