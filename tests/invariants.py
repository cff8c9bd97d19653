"""A participant's stream as an auditor reads it, held to the HARD rules of `events.md` and `safety.md` 4.2.

Nothing here calls the deciders or the projections: payloads are read as JSON, and times are intervals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_events.codec import Recorded

Json = dict[str, Any]
Span = tuple[datetime, datetime]

SITE_ZONE = ZoneInfo("Asia/Shanghai")
TOLERANCE = timedelta(minutes=5)
ENDED = {"RECOVERED", "RECOVERED_WITH_SEQUELAE", "FATAL"}
SCOPES = ["TREATMENT_ONLY", "FOLLOW_UP", "ALL_DATA_USE"]
GRADES = {
    "FEVER": range(1, 6),
    "RASH": range(1, 4),
    "PALPITATIONS": range(1, 3),
    "SEPSIS": range(3, 6),
    "HEPATIC_FAILURE_WORSENING": range(3, 6),
    "DEATH_NOS": range(5, 6),
    "OTHER": range(1, 6),
}
"""Grades that exist for the terms that the histories use (`safety.md` 2.1)."""
IDS = {
    "SessionStarted": "sessionId",
    "MedicationRecorded": "medicationId",
    "ProcedureRecorded": "procedureId",
    "BaselineConditionRecorded": "baselineConditionId",
    "SubmissionRecorded": "submissionId",
    "DeviceDeficiencyReported": "deficiencyId",
}
ASSESSMENTS = {
    "AEAssessmentDone", "SurvivalStatusRecorded", "TransplantDone", "ParticipantWithdrew", "LostToFollowUp",
    "ContactRegained",
}  # fmt: skip
OF_ROWS = {"LabResultsRecorded", "ObservationsRecorded", "LabResultCorrected", "ObservationCorrected"}
"""The events whose clinical time may lie in the future (INV-06, LAB-02)."""
CLINICAL_TIMES = {
    "givenAt", "withdrawnAt", "startedAt", "endedAt", "accessPlacedAt", "weightMeasuredAt", "at", "transplantAt",
    "deathAt", "awareAt", "lastContactAt", "notifiedAt", "submittedAt", "onset", "endAt", "gradeAt", "seriousSince",
    "frequencyWorsenedAt", "infoReceivedAt",
}  # fmt: skip


def span(when: Any) -> Span:
    """From a time of the log, or the text of one in a correction, to the interval in which it lies, end excluded."""
    text = when.get("value", "UNKNOWN") if isinstance(when, dict) else str(when)
    if text == "UNKNOWN":
        return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    if "T" in text:
        start = datetime.fromisoformat(text)
        return start, start + (timedelta(minutes=1) if len(text) == 17 else timedelta(milliseconds=1))
    parts = [int(part) for part in text.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    start = datetime(year, month, day, tzinfo=SITE_ZONE)
    if len(parts) == 3:
        end = start + timedelta(days=1)
    else:
        months = year * 12 + month - 1 + (1 if len(parts) == 2 else 12)
        end = datetime(months // 12, months % 12 + 1, 1, tzinfo=SITE_ZONE)
    return start.astimezone(UTC), end.astimezone(UTC)


def later(left: Any, right: Any) -> bool:
    """Whether `left` is later than `right` at the coarser of their precisions: calendar intervals nest or are apart."""
    if left is None or right is None:
        return False
    return span(left)[0] >= span(right)[1]


def text(value: Any) -> str | None:
    """A JSON value as a correction writes it."""
    if isinstance(value, dict):
        return str(value.get("value", "UNKNOWN"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


@dataclass
class Kept:
    """A record in its latest version."""

    kind: str
    body: Json
    voided: bool = False


@dataclass
class Session(Kept):
    """A session with its pauses."""

    pauses: list[list[Any]] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it runs."""
        return not self.voided and "endedAt" not in self.body


@dataclass
class Ae(Kept):
    """An adverse event: version, grade timeline by event id, criteria by assessor, request to void it."""

    version: int = 1
    points: dict[str, tuple[int, Any]] = field(default_factory=dict)
    criteria: dict[str, set[str]] = field(default_factory=lambda: {"INVESTIGATOR": set(), "SPONSOR": set()})
    since: dict[str, Any] = field(default_factory=dict)
    ever_serious: bool = False
    requester: str | None = None

    @property
    def fatal(self) -> bool:
        """Whether it led to death."""
        return not self.voided and self.body["outcome"] == "FATAL"


@dataclass
class Study:
    """Active sites and holds in force, as the study's stream tells."""

    sites: set[str] = field(default_factory=set)
    holds: dict[str, Json] = field(default_factory=dict)

    def take(self, recorded: Recorded) -> None:
        """The next event of the study."""
        body = recorded.event.payload()
        match recorded.envelope.type:
            case "SiteActivated":
                self.sites.add(body["siteId"])
            case "SiteDeactivated":
                self.sites.discard(body["siteId"])
            case "HoldPlaced":
                self.holds[body["holdId"]] = body
            case "HoldReleased":
                del self.holds[body["holdId"]]

    def held(self, action: str, subject_id: str) -> bool:
        """Whether a hold stops this action for the participant."""
        return any(
            hold["action"] == action and hold.get("subjectId", subject_id) == subject_id for hold in self.holds.values()
        )


@dataclass
class Auditor:
    """Reads one participant's stream commit by commit; AssertionError names the rule that is broken."""

    subject_id: str
    study: Study
    consents: list[Json] = field(default_factory=list)
    enrolled: bool = False
    screen_failed: bool = False
    consent_withdrawn: bool = False
    consent_withdrawn_at: Any = None
    death: Json | None = None
    sessions: dict[str, Session] = field(default_factory=dict)
    rows: dict[str, Kept] = field(default_factory=dict)
    messages: set[tuple[str, str]] = field(default_factory=set)
    records: dict[str, Kept] = field(default_factory=dict)
    events: dict[str, Ae] = field(default_factory=dict)

    def take(self, commit: Sequence[Recorded]) -> None:
        """The next commit: each event is allowed where it stands, and the state after it is whole (section 0)."""
        changed = {each.envelope.type for each in commit}
        for each in commit:
            body = each.event.payload()
            self._hold_for_any(each, body)
            if "aeVersion" in body:
                self._adverse_event(each, body, changed)
            else:
                getattr(self, f"_{each.envelope.type}", self._record)(each, body)
        self._hold_for_sessions()
        self._hold_for_assessments()
        self._hold_for_records()
        for ae in self.events.values():
            self._hold_for_adverse_event(ae, commit[-1].envelope.recordedat)
        self._hold_for_death(changed, commit)

    def _hold_for_any(self, each: Recorded, body: Json) -> None:
        kind = each.envelope.type
        if kind != "ConsentRecorded":
            assert any(consent["healthDataConsent"] for consent in self.consents), "ENR-01"
        if kind not in OF_ROWS:
            latest = each.envelope.recordedat + TOLERANCE
            stated = {name: body[name] for name in CLINICAL_TIMES & body.keys()}
            stated |= {body["field"]: body.get("newValue")} if body.get("field") in CLINICAL_TIMES else {}
            for name, when in stated.items():
                assert not later(when, latest.isoformat()), f"INV-06 {kind}.{name}"

    # Enrolment and sessions

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

    # Measurements

    def _LabResultsRecorded(self, each: Recorded, body: Json) -> None:
        if "sourceMessageId" in body:
            message = (body["laboratory"], body["sourceMessageId"])
            assert message not in self.messages, "LAB-06"
            self.messages.add(message)
        self._take_rows("result", body.pop("results"), body)

    def _ObservationsRecorded(self, each: Recorded, body: Json) -> None:
        self._take_rows("observation", body.pop("rows"), body)

    def _take_rows(self, kind: str, rows: Iterable[Json], sample: Json) -> None:
        for row in rows:
            assert row["resultId"] not in self.rows
            assert row["accepted"] == ("rejectReason" not in row), "LAB-02"
            self.rows[row["resultId"]] = Kept(kind, sample | row)
            self._hold_readable(row)

    def _hold_readable(self, row: Json) -> None:
        assert row.get("code", "").strip(), "LAB-01"
        assert row.get("value", "").strip() or "notDone" in row, "LAB-01"

    def _corrected_row(self, each: Recorded, body: Json) -> None:
        row = self.rows[body["id"]]
        assert row.kind == ("result" if each.envelope.type.startswith("Lab") else "observation")
        self._corrected(row, body)
        assert body["accepted"] == ("rejectReason" not in body), "LAB-02"
        row.body = {name: value for name, value in row.body.items() if name != "rejectReason"}
        row.body |= {name: body[name] for name in ("accepted", "rejectReason") if name in body}
        self._hold_readable(row.body)

    _LabResultCorrected = _ObservationCorrected = _corrected_row

    def _voided_row(self, each: Recorded, body: Json) -> None:
        self._voided(self.rows[body["id"]])

    _LabResultVoided = _ObservationVoided = _voided_row

    def _ImplausibleConfirmed(self, each: Recorded, body: Json) -> None:
        row = self.rows[body["resultId"]]
        assert not row.voided, "LAB-03"
        assert row.body.pop("rejectReason", None) == "IMPLAUSIBLE", "LAB-03"
        row.body["accepted"] = True

    def _LabFindingReviewed(self, each: Recorded, body: Json) -> None:
        assert not self.rows[body["resultId"]].voided

    # Records with corrections and voids

    def _record(self, each: Recorded, body: Json) -> None:
        kind = each.envelope.type
        if kind.endswith("Corrected"):
            self._corrected(self.records[body["id"]], body)
        elif kind.endswith("Voided"):
            self._voided(self.records[body["id"]])
        elif kind in ASSESSMENTS:
            self.records[str(each.envelope.id)] = Kept(kind, dict(body))
        elif kind in IDS:
            assert body[IDS[kind]] not in self.records
            self.records[body[IDS[kind]]] = Kept(kind, dict(body))
        if "aeId" in body:
            assert not self.events[body["aeId"]].voided or body.get("kind") == "NULLIFICATION", "SUB-01"

    def _corrected(self, kept: Kept, body: Json) -> None:
        assert not kept.voided, "DAT-02: known and not void"
        name, old, new = body["field"], body.get("oldValue"), body.get("newValue")
        if "newText" in body:
            kept.body[name] = body["newText"]
            return
        if not (isinstance(kept.body.get(name), dict) and "kid" in kept.body[name]):
            assert old == text(kept.body.get(name)), f"oldValue of {name} is not what stood there"
        kept.body.pop(name, None)
        if new is not None:
            kept.body[name] = new

    def _voided(self, kept: Kept) -> None:
        assert not kept.voided, "DAT-02: known and not void"
        kept.voided = True

    def _valid(self, *kinds: str) -> list[Kept]:
        return [kept for kept in self.records.values() if kept.kind in kinds and not kept.voided]

    def _hold_for_assessments(self) -> None:
        for kept in self._valid("SurvivalStatusRecorded"):
            assert kept.body["alive"] != "N" or self.death is not None, "VIS-01"
            assert kept.body["transplant"] != "DONE" or self._valid("TransplantDone"), "VIS-01"
        withdrawals = [kept.body for kept in self._valid("ParticipantWithdrew")]
        widths = [(SCOPES.index(body["scope"]), not _true(body["vitalStatusAllowed"])) for body in withdrawals]
        assert all(earlier < after for earlier, after in pairwise(widths)), "VIS-04"
        for body in withdrawals:
            assert not _true(body["vitalStatusAllowed"]) or body["scope"] == "FOLLOW_UP", "VIS-04"
        contacts = self._valid("LostToFollowUp", "ContactRegained")
        for number, kept in enumerate(contacts):
            assert kept.kind == ("LostToFollowUp", "ContactRegained")[number % 2], "VIS-05"

    def _hold_for_records(self) -> None:
        for kept in self._valid("MedicationRecorded", "ProcedureRecorded"):
            assert not later(kept.body["startedAt"], kept.body.get("endedAt")), "CON-01"
        submissions = [kept.body for kept in self._valid("SubmissionRecorded")]
        for body in submissions:
            if body["kind"] != "INITIAL":
                first = [one for one in submissions if (one["aeId"], one["to"]) == (body["aeId"], body["to"])]
                first = [one for one in first if one["kind"] == "INITIAL"]
                assert any(not later(one["submittedAt"], body["submittedAt"]) for one in first), "SUB-02"
            if body["kind"] == "NULLIFICATION":
                assert self.events[body["aeId"]].voided, "SUB-02"
        for kept in self._valid("BaselineConditionRecorded"):
            grade, term = kept.body.get("grade"), kept.body.get("ctcaeTerm")
            assert grade is None or term or int(grade) in GRADES[kept.body["code"]], "INV-03"

    # Adverse events and the death

    def _adverse_event(self, each: Recorded, body: Json, changed: set[str]) -> None:
        kind, by = each.envelope.type, "SPONSOR" if each.envelope.actorrole == "SPONSOR" else "INVESTIGATOR"
        if kind == "AEReported":
            assert body["aeId"] not in self.events
            assert body["aeVersion"] == 1, "INV-12"
            ae = self.events[body["aeId"]] = Ae(kind, dict(body))
            ae.criteria["INVESTIGATOR"] = set(body["criteria"])
            if "grade" in body:
                ae.points[str(each.envelope.id)] = body["grade"], body["gradeAt"]
            return
        ae = self.events[body["aeId"]]
        assert not ae.voided, "INV-11"
        assert body["aeVersion"] == ae.version + 1, "INV-12"
        ae.version += 1
        assert body.get("assessor", by) == by, "INV-14"
        getattr(self, f"_{kind}")(ae, each, body, by, changed)

    def _AEFollowedUp(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        news = ("outcome", "actionTaken", "frequencyWorsenedAt")
        ae.body |= {name: body[name] for name in news if name in body}

    def _AEGradeChanged(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        ae.points[str(each.envelope.id)] = body["toGrade"], body["gradeAt"]

    def _AEGradeCorrected(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert body["reason"], "INV-13"
        _, when = ae.points.pop(body["gradeEventId"])
        if "grade" in body:
            ae.points[body["gradeEventId"]] = body["grade"], body.get("gradeAt", when)

    def _AEUpgradedToSerious(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert not ae.criteria[by], "INV-14: only the own empty set"
        assert body["criteria"], "INV-01"
        ae.criteria[by], ae.since[by] = set(body["criteria"]), body["seriousSince"]
        assert not later(ae.body["onset"], body["awareAt"]), "INV-05"

    def _AESeriousnessCriteriaChanged(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        added, removed = set(body["added"]), set(body["removed"])
        assert removed <= ae.criteria[by], "INV-14"
        assert not removed or body["reason"], "INV-13"
        assert "DEATH" not in removed or "DeathRecordCorrected" in changed, "INV-04"
        ae.criteria[by] = (ae.criteria[by] | added) - removed
        assert ae.criteria[by], "INV-01: the result set is not empty"
        assert not later(ae.body["onset"], body["awareAt"]), "INV-05"

    def _AEDowngradedToNonSerious(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert ae.criteria[by], "INV-14"
        assert "DEATH" not in ae.criteria[by] or "DeathRecordCorrected" in changed, "INV-04"
        assert body["reasonText"], "INV-13"
        ae.criteria[by] = set()
        ae.since.pop(by, None)

    def _AEResolved(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert ae.body["outcome"] not in ENDED, "4.1: only an open event ends"
        ae.body |= {"outcome": body["outcome"], "endAt": body["endAt"]}

    def _AEReopened(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert ae.body["outcome"] in ENDED - {"FATAL"}, "4.1: only a resolved event is reopened"
        assert body["reason"], "INV-13"
        ae.body["outcome"] = "NOT_RECOVERED"
        del ae.body["endAt"]

    def _AECorrected(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert body["field"] not in ("grade", "gradeAt", "criteria", "causality"), "4.1: own events"
        assert body["reason"], "INV-13"
        self._corrected(ae, body)

    def _judged(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert each.envelope.type != "AEExpectednessAssessed" or by == "SPONSOR"

    _AECausalityAssessed = _AEExpectednessAssessed = _AECoded = _judged

    def _AEVoidRequested(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert ae.ever_serious, "INV-21"
        assert body["reasonText"], "INV-13"
        ae.requester = each.envelope.actorid

    def _AEVoided(self, ae: Ae, each: Recorded, body: Json, by: str, changed: set[str]) -> None:
        assert ae.ever_serious == ("coSigner" in body), "INV-21"
        if ae.ever_serious:
            assert ae.requester is not None, "INV-21"
            assert ae.requester != body["coSigner"] == each.envelope.actorid, "INV-21"
        assert self.death is None or self.death.get("primaryCauseAeId") != body["aeId"], "INV-08"
        ae.voided = True

    def _ParticipantDied(self, each: Recorded, body: Json) -> None:
        assert self.death is None, "VIS-02"
        self.death = dict(body)

    def _DeathRecordCorrected(self, each: Recorded, body: Json) -> None:
        assert self.death is not None, "VIS-02"
        stated = {name: body[name] for name in ("deathAt", "primaryCauseAeId", "autopsyDone") if name in body}
        self.death = None if body["revived"] else self.death | stated

    def _hold_for_adverse_event(self, ae: Ae, now: datetime) -> None:
        ae.ever_serious = ae.ever_serious or any(ae.criteria.values())
        assert "DEATH" not in ae.criteria["SPONSOR"], "INV-14"
        if ae.voided:
            return
        grades = [grade for grade, _ in ae.points.values()]
        signs = {5 in grades, ae.body["outcome"] == "FATAL", "DEATH" in ae.criteria["INVESTIGATOR"]}
        assert len(signs) == 1, "INV-02, INV-04"
        if grades and "ctcaeTerm" not in ae.body:
            assert max(grades) in GRADES[ae.body["code"]], "INV-03"
        onset, end = ae.body["onset"], ae.body.get("endAt")
        for when in (ae.body["awareAt"], *ae.since.values(), *(at for _, at in ae.points.values()), end):
            assert not later(onset, when), "INV-05"
        for _, at in ae.points.values():
            assert not later(at, end), "INV-05"
        assert not later(ae.body["awareAt"], (now + TOLERANCE).isoformat()), "INV-05"
        assert (end is not None) == (ae.body["outcome"] in ENDED), "INV-07"

    def _hold_for_death(self, changed: set[str], commit: Sequence[Recorded]) -> None:
        fatal: set[str | None] = {ae_id for ae_id, ae in self.events.items() if ae.fatal}
        if self.death is None:
            assert not fatal, "INV-02, VIS-03"
            return
        cause, died = self.death.get("primaryCauseAeId"), self.death["deathAt"]
        assert cause in (fatal or {None}), "VIS-03, INV-08"
        for ae_id, ae in self.events.items():
            if not ae.voided:
                assert not later(ae.body["onset"], died), "INV-09"
            if ae_id in fatal:
                assert not later(ae.body["endAt"], died), "INV-07, INV-08"
                assert not later(died, ae.body["endAt"]), "INV-07, INV-08"
        if "ParticipantDied" in changed:
            touched = {each.event.payload()["aeId"] for each in commit if "aeVersion" in each.event.payload()}
            assert touched <= fatal, "INV-10"


def _true(value: Any) -> bool:
    return value in (True, "true")
