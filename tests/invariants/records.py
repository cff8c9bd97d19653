"""Assessments, other treatment, conditions and submissions (VIS, CON, SUB)."""

from itertools import pairwise
from typing import Any

from hepatrail_events.codec import Recorded
from invariants.kept import GRADES, Json, Kept
from invariants.reading import Reading
from invariants.times import later

SCOPES = ["TREATMENT_ONLY", "FOLLOW_UP", "ALL_DATA_USE"]
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


def _true(value: Any) -> bool:
    return value in (True, "true")


class Records(Reading):
    """What is put on record, corrected and void by an id of its own."""

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
