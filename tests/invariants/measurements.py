"""Results and observations (LAB)."""

from collections.abc import Iterable

from hepatrail_events.codec import Recorded
from invariants.kept import Json, Kept
from invariants.reading import Reading


class Measurements(Reading):
    """Each row on its own."""

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
