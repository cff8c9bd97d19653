"""One participant's stream for tests of the radar: what happens, and what is found."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.adverse_events import (
    AEDowngradedToNonSerious,
    AEGradeChanged,
    AEReported,
    AEResolved,
    AEUpgradedToSerious,
    Criterion,
    DowngradeReason,
    Outcome,
)
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.measurements import LabFindingReviewed, LabResultCorrected, LabResultVoided
from hepatrail_events.streams import STUDY
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.clinical.radar.sighting import FindingKind
from hepatrail_projections.clinical_state import ClinicalState, clinical_state
from hepatrail_projections.data_query import QueryRow
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.safety_finding import SafetyFindingRow, safety_finding_rows
from hepatrail_projections.snapshots import fold_study_events
from hepatrail_projections.study_view import PublishedProtocol
from projection_log import SEALED
from query_course import Course, minute

LIMITS = {
    "alt": ("U/L", "9", "50"),
    "ast": ("U/L", "15", "40"),
    "alp": ("U/L", "45", "125"),
    "tbil": ("umol/L", "0", "26"),
    "platelets": ("10*9/L", "125", "350"),
    "pao2": ("mm[Hg]", None, None),
}
"""Unit and limits of the laboratory."""


class RadarCourse(Course):
    """A participant who consented and was enrolled, and what the radar finds of them."""

    @property
    def last(self) -> UUID:
        """The id of the last event."""
        return self.events(self.stream)[-1].envelope.id

    def rows(self, at: datetime | None = None) -> list[SafetyFindingRow]:
        """Every finding that is listed, as of an instant."""
        instant = at or self.now
        published = fold_study_events(self.events(STUDY)).published_at(instant)
        view = self.view(at)
        found = safety_finding_rows(view, None if published is None else clinical_state(view, published))
        return [row for row in found if row.exists_at(instant)]

    @property
    def published(self) -> PublishedProtocol:
        """The protocol version in force."""
        published = fold_study_events(self.events(STUDY)).published_at(self.now)
        assert published is not None
        return published

    def state(self, view: SubjectView) -> ClinicalState:
        """The participant as the clinical derivations read it."""
        return clinical_state(view, self.published)

    def found(self, kind: FindingKind, at: datetime | None = None) -> list[SafetyFindingRow]:
        """The findings of a kind, closed ones too."""
        return [row for row in self.rows(at) if row.kind == kind]

    def the_finding(self, kind: FindingKind) -> SafetyFindingRow:
        """The only finding of a kind."""
        (row,) = self.found(kind)
        return row

    def kinds(self) -> set[str]:
        """The kinds of the findings that are open."""
        return {row.kind for row in self.rows() if row.status == "OPEN"}

    def asking(self, row: SafetyFindingRow) -> list[str]:
        """The rules of the queries that ask about a finding and wait for the site."""
        return [each.rule for each in self.queries() if each.query_id == row.query_id and each.is_open_at(self.now)]

    def lab(self, **values: str) -> list[UUID]:
        """One sample collected now, with the laboratory's limits; the ids of its results."""
        return self.sampled(values)

    def sampled(self, values: Mapping[str, str], at: datetime | None = None, *, limits: bool = True) -> list[UUID]:
        """One sample collected at a time, with the laboratory's limits or without any; the ids of its results."""
        rows: list[dict[str, Any]] = []
        for code, value in values.items():
            unit, low, high = LIMITS[code]
            sign, number = (value[0], value[1:]) if value[0] in "<>" else (None, value)
            row = {"code": code, "value": number, "unit": unit, "comparator": sign, "low": low, "high": high}
            rows.append({name: each for name, each in row.items() if limits or name not in ("low", "high")})
        return self.labs(*rows, collected_at=at or self.now)

    def gas(self, value: str = "80", at: datetime | None = None) -> UUID:
        """An arterial blood gas was taken now; the id of its row."""
        return self.bedside({"code": "pao2", "value": value, "unit": "mm[Hg]"}, assessed_at=at or self.now)[0]

    def outpatient(self, at: datetime | None = None) -> UUID:
        """No blood gas was taken, because the participant came as an outpatient."""
        return self.bedside({"code": "pao2", "not_done": "OUTPATIENT_NO_ABG"}, assessed_at=at or self.now)[0]

    def correct_result(self, result_id: UUID, value: str) -> UUID:
        """Another value of a result; the event."""
        return self.commit(
            LabResultCorrected(id=result_id, field="value", new_value=value, reason=SEALED, accepted=True)
        )

    def void_result(self, result_id: UUID) -> UUID:
        """The result is void; the event."""
        return self.commit(LabResultVoided(id=result_id, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED))

    def review(self, result_id: UUID, grade: int | None = None) -> UUID:
        """An investigator reviewed a result; the event."""
        return self.commit(LabFindingReviewed(result_id=result_id, clinically_significant=False, final_grade=grade))

    def upgrade(self, event: AEReported, *criteria: Criterion, version: int = 2) -> UUID:
        """The investigator finds the adverse event serious; the event."""
        return self.commit(
            AEUpgradedToSerious(
                ae_id=event.ae_id,
                ae_version=version,
                criteria=criteria or (Criterion.HOSPITALISATION,),
                serious_since=minute(self.now),
                aware_at=self.now,
            )
        )

    def downgrade(self, event: AEReported, version: int = 3) -> UUID:
        """The investigator finds it serious no longer; the event."""
        return self.commit(
            AEDowngradedToNonSerious.model_validate(
                {
                    "ae_id": event.ae_id,
                    "ae_version": version,
                    "assessor": "INVESTIGATOR",
                    "reason_code": DowngradeReason.CRITERION_MISAPPLIED,
                    "reason_text": SEALED,
                }
            )
        )

    def regrade(self, event: AEReported, grade: int, version: int = 2) -> UUID:
        """Another grade from now on; the event."""
        changed = AEGradeChanged(ae_id=event.ae_id, ae_version=version, to_grade=grade, grade_at=minute(self.now))
        return self.commit(changed)

    def resolve(self, event: AEReported, outcome: Outcome = Outcome.RECOVERED, version: int = 2) -> UUID:
        """The adverse event ends now; the event."""
        ended = AEResolved(ae_id=event.ae_id, ae_version=version, outcome=outcome, end_at=minute(self.now))
        return self.commit(ended)

    def answer(self, row: SafetyFindingRow | QueryRow) -> UUID:
        """The site answers a query, or the one that asks about a finding; the event."""
        answered = QueryAnswered(query_id=row.query_id, text=SEALED)
        return self.commit(answered, actor="nurse", role="COORDINATOR")

    def close(self, row: SafetyFindingRow, version: str = "1") -> UUID:
        """The monitor closes that query; the event."""
        closed = QueryClosed(query_id=row.query_id, reason=SEALED, rule_version=version)
        return self.commit(closed, actor="monitor", role="MONITOR")


def closed(row: SafetyFindingRow) -> tuple[Any, ...]:
    """How a finding was closed."""
    return row.status, row.closed_by, row.closing_event_id
