"""Consent, enrolment and sessions (ENR, SES)."""

from datetime import datetime
from typing import Any

from hepatrail_events.codec import Recorded
from invariants.kept import Json, Session
from invariants.reading import Reading
from invariants.times import later


class EnrolmentAndSessions(Reading):
    """Who may be treated, and when."""

    def _ConsentRecorded(self, each: Recorded, body: Json) -> None:
        self.consents.append(body)
        assert {consent["siteId"] for consent in self.consents} == {body["siteId"]}, "ENR-01"
        if self.consent_withdrawn_at is not None and later(body["givenAt"], self.consent_withdrawn_at):
            self.consent_withdrawn_at = None

    def _ScreenFailed(self, each: Recorded, body: Json) -> None:
        assert not self.enrolled, "ENR-03"
        self.screen_failed = True

    def _SubjectEnrolled(self, each: Recorded, body: Json) -> None:
        barred = self.enrolled or self.screen_failed or self.consent_withdrawn or self.death is not None
        assert not barred, "ENR-02"
        assert self.consents[0]["siteId"] in self.study.sites, "ENR-04"
        assert not self.study.held("HOLD_ENROLMENT", self.subject_id), "ENR-04"
        self.enrolled = True

    def _ConsentWithdrawn(self, each: Recorded, body: Json) -> None:
        self.consent_withdrawn, self.consent_withdrawn_at = True, body["withdrawnAt"]

    def _SessionStarted(self, each: Recorded, body: Json) -> None:
        assert not any(session.open for session in self.sessions.values()), "SES-01"
        assert not self.study.held("HOLD_SESSIONS", self.subject_id), "SES-05"
        assert self.enrolled, "SES-06"
        self._hold_before_stops(body["startedAt"])
        self.sessions[body["sessionId"]] = Session(each.envelope.type, dict(body))

    def _hold_before_stops(self, started_at: Any) -> None:
        stops = [kept.body["withdrawnAt"] for kept in self._valid("ParticipantWithdrew")]
        stops += [self.consent_withdrawn_at] if self.consent_withdrawn_at else []
        stops += [self.death["deathAt"]] if self.death else []
        assert all(later(stop, started_at) for stop in stops), "SES-02"

    def _SessionPaused(self, each: Recorded, body: Json) -> None:
        self._running(body).pauses.append([body["at"], None])

    def _SessionResumed(self, each: Recorded, body: Json) -> None:
        session = self._running(body)
        assert session.pauses, "SES-03"
        assert session.pauses[-1][1] is None, "SES-03"
        session.pauses[-1][1] = body["at"]

    def _SessionEnded(self, each: Recorded, body: Json) -> None:
        session = self._running(body)
        session.body |= {"endedAt": body["endedAt"], "endReason": body["reason"]}

    def _running(self, body: Json) -> Session:
        session = self.sessions[body["sessionId"]]
        assert session.open, "SES-03"
        return session

    def _SessionCorrected(self, each: Recorded, body: Json) -> None:
        self._corrected(self.sessions[body["id"]], body)
        if body["field"] == "startedAt":
            self._hold_before_stops(body["newValue"])

    def _SessionVoided(self, each: Recorded, body: Json) -> None:
        self._voided(self.sessions[body["id"]])

    def _hold_for_sessions(self) -> None:
        assert sum(session.open for session in self.sessions.values()) <= 1, "SES-01"
        for session in self.sessions.values():
            assert session.body["batchReleaseRef"].strip(), "SES-04"
            moments = [session.body["startedAt"], *(at for pause in session.pauses for at in pause)]
            moments += [session.body["endedAt"]] if "endedAt" in session.body else []
            assert None not in moments[:-1], "SES-03"
            known = [datetime.fromisoformat(at) for at in moments if at is not None]
            assert known == sorted(known), "SES-03"
            assert all(resumed is None or paused < resumed for paused, resumed in session.pauses), "SES-03"
            assert "endedAt" not in session.body or known[0] < known[-1], "SES-03"
