"""How a participant of a random trial is treated."""

from uuid import UUID

from happenings.course import Course
from hepatrail_events.sessions import (
    EndReason,
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
)
from hepatrail_events.voiding import VoidReason
from log_commits import start
from projection_log import SEALED


class Sessions:
    """Sessions of one participant, of which one at most is open."""

    def __init__(self, course: Course) -> None:
        self.ended: list[UUID] = []
        self._course = course
        self._open: SessionStarted | None = None

    def treat(self) -> None:
        """A session begins, or the open one is paused, resumed and ended."""
        log = self._course.log
        if self._open is None:
            self._open = start(log, self._course.stream, viable_cells=log.chance.randint(7, 14) * 10**9)
            return
        session_id = self._open.session_id
        self._course.commit(SessionPaused(session_id=session_id, at=log.now, reason=SEALED))
        self._course.commit(SessionResumed(session_id=session_id, at=log.tick(20)))
        reason = log.chance.choice(list(EndReason))
        self._course.commit(
            SessionEnded(session_id=session_id, ended_at=log.tick(log.chance.uniform(60, 500)), reason=reason)
        )
        self.ended.append(session_id)
        self._open = None

    def mend(self) -> None:
        """A session is corrected, and perhaps void."""
        chance = self._course.log.chance
        if not self.ended:
            return
        session_id = chance.choice(self.ended)
        field, text = chance.choice((("weightKg", "75"), ("viableCells", "9000000000"), ("endReason", "OTHER")))
        self._course.commit(SessionCorrected(id=session_id, field=field, new_value=text, reason=SEALED))
        if chance.random() < 0.3:
            self.ended.remove(session_id)
            self._course.commit(
                SessionVoided(id=session_id, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED)
            )
