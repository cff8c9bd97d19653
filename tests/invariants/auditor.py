"""A participant's stream as an auditor reads it, held to the HARD rules of `events.md` and `safety.md` 4.2.

Nothing here calls the deciders or the projections: payloads are read as JSON, and times are intervals.
"""

from collections.abc import Sequence

from hepatrail_events.codec import Recorded
from invariants.adverse_events import AdverseEvents
from invariants.enrolment_and_sessions import EnrolmentAndSessions
from invariants.kept import Json
from invariants.measurements import Measurements
from invariants.records import Records
from invariants.times import TOLERANCE, later

OF_ROWS = {"LabResultsRecorded", "ObservationsRecorded", "LabResultCorrected", "ObservationCorrected"}
"""The events whose clinical time may lie in the future (INV-06, LAB-02)."""
CLINICAL_TIMES = {
    "givenAt", "withdrawnAt", "startedAt", "endedAt", "accessPlacedAt", "weightMeasuredAt", "at", "transplantAt",
    "deathAt", "awareAt", "lastContactAt", "notifiedAt", "submittedAt", "onset", "endAt", "gradeAt", "seriousSince",
    "frequencyWorsenedAt", "infoReceivedAt",
}  # fmt: skip


class Auditor(EnrolmentAndSessions, Measurements, Records, AdverseEvents):
    """Reads one participant's stream commit by commit; AssertionError names the rule that is broken."""

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
