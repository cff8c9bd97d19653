"""Adverse events and the death (INV, VIS-02, VIS-03; `safety.md` 4)."""

from collections.abc import Sequence
from datetime import datetime

from hepatrail_events.codec import Recorded
from invariants.kept import ENDED, GRADES, Ae, Json
from invariants.reading import Reading
from invariants.times import TOLERANCE, later


class AdverseEvents(Reading):
    """Each event in its version, and the death that a fatal one stands for."""

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
