"""Sessions that began after a hold in their scope was recorded, before their decider had seen it (`safety.md` 6.1).

A session and a hold are read from different partitions, in either order: whoever comes second finds the first.
"""

from collections.abc import Iterable
from datetime import timedelta

from hepatrail_events.codec import Recorded
from hepatrail_events.safety_desk import AlertContent, AlertType, Priority
from hepatrail_events.sessions import SessionStarted
from hepatrail_events.study import HoldAction, HoldScope
from hepatrail_events.types import format_instant
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.study import HoldRow
from hepatrail_services.safety.identity import hold_alert

_CLOCKS_DIFFER = timedelta(seconds=5)


def sessions_under_hold(
    view: SubjectView, starts: Iterable[Recorded], holds: Iterable[HoldRow]
) -> tuple[AlertContent, ...]:
    """One P1 alert for each of the sessions that any of the holds should have stopped."""
    known = sorted(holds, key=lambda hold: hold.streamseq)
    found = []
    for start in starts:
        hold = next((hold for hold in known if _slipped(view.subject_id, start, hold)), None)
        if hold is not None:
            found.append(_alert(view, start, hold))
    return tuple(found)


def _slipped(subject_id: str, start: Recorded, hold: HoldRow) -> bool:
    envelope = start.envelope
    in_scope = hold.scope == HoldScope.TRIAL or hold.subject_id == subject_id
    over = hold.released_at is not None and hold.released_at <= envelope.recordedat
    return (
        hold.action == HoldAction.HOLD_SESSIONS
        and in_scope
        and not over
        and envelope.studyseq < hold.streamseq
        and envelope.recordedat >= hold.placed_at - _CLOCKS_DIFFER
    )


def _alert(view: SubjectView, start: Recorded, hold: HoldRow) -> AlertContent:
    event, envelope = start.event, start.envelope
    assert isinstance(event, SessionStarted), "only starts of sessions are kept"
    kind = AlertType.SESSION_UNDER_HOLD
    return AlertContent(
        alert_id=hold_alert(event.session_id),
        type=kind,
        priority=Priority.P1,
        reasons=(kind,),
        raised_at=envelope.recordedat,
        commit_id=envelope.commitid,
        reporter_id=envelope.actorid,
        subject_id=view.subject_id,
        site_id=view.site_id,
        session_id=event.session_id,
        detail=f"The hold {hold.hold_id} was recorded at {format_instant(hold.placed_at)}; "
        "the session was decided without knowledge of it.",
    )
