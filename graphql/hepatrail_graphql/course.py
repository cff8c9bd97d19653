"""A participant's course: every list that is known of one, each made of one reading, without waiting."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, TypeVar, cast

import strawberry

from hepatrail_graphql.adverse_events import AdverseEvent, Beside, adverse_event
from hepatrail_graphql.alerts import SaeAlert
from hepatrail_graphql.assessments import (
    AnyAssessment,
    Assessment,
    AssessmentKind,
    LossToFollowUp,
    SurvivalStatus,
    Transplant,
    Withdrawal,
    assessment,
)
from hepatrail_graphql.authorize import SUBJECT_FIELDS, require
from hepatrail_graphql.compliance import Compliance, Deviation, compliance, deviations
from hepatrail_graphql.concomitant import (
    BaselineCondition,
    Medication,
    Procedure,
    baseline_condition,
    medication,
    procedure,
)
from hepatrail_graphql.context import Info
from hepatrail_graphql.exposure import Exposure, exposure
from hepatrail_graphql.fields import resolved
from hepatrail_graphql.lab_results import LabResult, lab_result
from hepatrail_graphql.queries import DataQuery, data_queries_of, data_query
from hepatrail_graphql.reporting_clocks import ReportingClock, shown_clocks
from hepatrail_graphql.safety_findings import Findings
from hepatrail_graphql.score_parts import ScoreId
from hepatrail_graphql.scores import Score, score
from hepatrail_graphql.sessions import Session, session
from hepatrail_graphql.subject_parts import DeathCorrection, Parked, Whole, death_correction, parked
from hepatrail_graphql.submissions import (
    DeviceDeficiency,
    Narrative,
    SponsorNotification,
    Submission,
    device_deficiency,
    narrative,
    sponsor_notification,
    submission,
)
from hepatrail_graphql.text import SEALED, Text, sealed_text
from hepatrail_graphql.visits import Visit, visit
from hepatrail_graphql.waiting import instant_argument
from hepatrail_projections.assessment import AssessmentRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.score import ScoreRow
from hepatrail_projections.visit import VisitRow
from hepatrail_projections.visits import VisitStatus, status_at

Made = TypeVar("Made", bound=Assessment)

Codes = Annotated[list[str] | None, strawberry.argument(description="Only these measurements.")]
Scores = Annotated[list[ScoreId] | None, strawberry.argument(description="Only these scores.")]
Open = Annotated[
    bool | None, strawberry.argument(description="Only those that wait for the site, or only the others; null: all.")
]
Kinds = Annotated[list[AssessmentKind] | None, strawberry.argument(description="Only these kinds.")]


@strawberry.type(description="The lists of a participant.")
class Course(Findings):
    """The lists of a participant."""

    @resolved("Of when this answer is: `asOf`, or now.")
    def as_of(self) -> datetime:
        """Of when this answer is."""
        return self._whole.as_of

    @resolved("Every event recorded until then is in this answer; null: not known yet.")
    def complete_to(self) -> datetime | None:
        """Until when this answer is complete."""
        return self._whole.read.complete_to

    @resolved("Whether this answer may still change for the same `asOf`.")
    def provisional(self) -> bool:
        """Whether this answer may still change."""
        return self._whole.read.provisional

    @resolved("Why the participant failed screening.")
    def screen_failure_reason(self) -> Text | None:
        """Why the participant failed screening."""
        text = sealed_text(cast(dict[str, Any] | None, self.row.screen_failure_reason))
        return (SEALED if self.whole is None else self.whole.opener).open(text)

    @resolved("What was corrected in the death record, in order; stays when the participant was found alive.")
    def death_corrections(self) -> list[DeathCorrection]:
        """What was corrected in the death record."""
        stored = cast(list[dict[str, Any]], self.row.death_corrections)
        return [death_correction(each, self._whole.opener) for each in stored]

    @resolved("Treatment sessions by start, void ones included (CDISC EX).")
    def sessions(self) -> list[Session]:
        """Treatment sessions."""
        return [session(row, self._whole.opener) for row in self._rows.sessions]

    @resolved("What the participant has received in all sessions that count.")
    def exposure(self) -> Exposure:
        """What the participant has received."""
        return exposure(self._rows.exposure)

    @resolved("Laboratory results and bedside observations in the order recorded (CDISC LB, VS).")
    def lab_results(self, codes: Codes = None) -> list[LabResult]:
        """Laboratory results and bedside observations."""
        rows = self._rows.lab_results
        chosen = rows if codes is None else [row for row in rows if row.code in set(codes)]
        return [lab_result(row, self._whole.opener) for row in chosen]

    @resolved("Scores by time point, of every score that the protocol enables.")
    def scores(self, scores: Scores = None) -> list[Score]:
        """Scores by time point."""
        return [score(row) for row in _chosen(self._rows.scores, scores)]

    @resolved("Scores at any moment, from the latest inputs of the hours before it that the protocol allows.")
    def scores_at(
        self, at: Annotated[datetime, strawberry.argument(description="The moment.")], scores: Scores = None
    ) -> list[Score]:
        """Scores at any moment."""
        moment, course = instant_argument(at, "at"), self._whole.read.course
        assert moment is not None and course is not None, "the look-ahead reads a course where moments are asked for"
        return [score(row, moment) for row in _chosen(course.scores_at(moment), scores)]

    @resolved("The time points in the order of the schedule, then those after later sessions, with their status.")
    def visits(self) -> list[Visit]:
        """The time points."""
        return [visit(row, found, self._whole.as_of) for row, found in self._points]

    @resolved("How many of the main time points are complete in their window.")
    def compliance(self) -> Compliance:
        """The compliance rate."""
        return compliance(self._points, self._whole.as_of)

    @resolved("The time points that were not done as planned, as far as that is not mended.")
    def deviations(self) -> list[Deviation]:
        """The open deviations."""
        return deviations(self._points)

    @resolved("Assessments of adverse events and of survival, transplants, withdrawals and contact, as recorded.")
    def assessments(self, kinds: Kinds = None) -> list[Assessment]:
        """Everything that the site asked or learned."""
        made = map(self._assessment, self._rows.assessments)
        return [each for each in made if kinds is None or each.kind in kinds]

    @resolved("What is known of the participant's life: the survival status of the latest moment; null before any.")
    def survival(self) -> SurvivalStatus | None:
        """The latest survival status."""
        latest = cast(dict[str, Any] | None, self._rows.subject.survival)
        found = (
            [] if latest is None else [each for each in self._of(SurvivalStatus) if str(each.id) == latest["eventId"]]
        )
        return found[0] if found else None

    @resolved("Liver transplantations, void records included.")
    def transplants(self) -> list[Transplant]:
        """Liver transplantations."""
        return self._of(Transplant)

    @resolved("Withdrawals, void records included; each may only widen the one before.")
    def withdrawals(self) -> list[Withdrawal]:
        """Withdrawals."""
        return self._of(Withdrawal)

    @resolved("When the site lost contact, void records included.")
    def losses_to_follow_up(self) -> list[LossToFollowUp]:
        """When the site lost contact."""
        return self._of(LossToFollowUp)

    @resolved("Medications beside the trial's treatment (CDISC CM).")
    def medications(self) -> list[Medication]:
        """Medications."""
        return [medication(row, self._whole.opener) for row in self._rows.medications]

    @resolved("Dialysis and other procedures (CDISC PR).")
    def procedures(self) -> list[Procedure]:
        """Procedures."""
        return [procedure(row, self._whole.opener) for row in self._rows.procedures]

    @resolved("Diseases and signs present before treatment (CDISC MH).")
    def baseline_conditions(self, info: Info) -> list[BaselineCondition]:
        """Baseline conditions."""
        require(SUBJECT_FIELDS, "baselineConditions", info.context.actor)
        return [baseline_condition(row, self._whole.opener) for row in self._rows.baseline_conditions]

    @resolved("Adverse events in the order reported, void ones included (CDISC AE).")
    def adverse_events(self, info: Info) -> list[AdverseEvent]:
        """Adverse events."""
        require(SUBJECT_FIELDS, "adverseEvents", info.context.actor)
        whole = self._whole
        asked: dict[Any, list[DataQuery]] = {}
        for row in self._rows.queries:
            if row.is_open_at(whole.as_of):
                asked.setdefault(row.object_id, []).append(data_query(row, whole.opener))
        running: dict[Any, list[ReportingClock]] = {}
        for clock in self._clocks:
            running.setdefault(clock.row.clock.ae_id, []).append(clock)
        return [
            adverse_event(
                row,
                whole.opener,
                Beside(
                    whole.as_of,
                    running.get(row.ae_id, ()),
                    asked.get(row.ae_id, ()),
                    whole.last_alerts.get(row.ae_id),
                ),
            )
            for row in self._rows.adverse_events
        ]

    @resolved("Reporting clocks, the earliest due first.")
    def clocks(self, info: Info) -> list[ReportingClock]:
        """Reporting clocks."""
        require(SUBJECT_FIELDS, "clocks", info.context.actor)
        return self._clocks

    @resolved("When the sponsor first knew of adverse events.")
    def sponsor_notifications(self, info: Info) -> list[SponsorNotification]:
        """The sponsor's awareness."""
        require(SUBJECT_FIELDS, "sponsorNotifications", info.context.actor)
        return [sponsor_notification(row) for row in self._rows.notifications]

    @resolved("Reports of adverse events to their recipients.")
    def submissions(self, info: Info) -> list[Submission]:
        """Submissions."""
        require(SUBJECT_FIELDS, "submissions", info.context.actor)
        return [submission(row, self._whole.opener) for row in self._rows.submissions]

    @resolved("Narratives of cases.")
    def narratives(self, info: Info) -> list[Narrative]:
        """Narratives."""
        require(SUBJECT_FIELDS, "narratives", info.context.actor)
        return [narrative(row, self._whole.opener) for row in self._rows.narratives]

    @resolved("Inadequacies of the device.")
    def device_deficiencies(self, info: Info) -> list[DeviceDeficiency]:
        """Device deficiencies."""
        require(SUBJECT_FIELDS, "deviceDeficiencies", info.context.actor)
        return [device_deficiency(row, self._whole.opener) for row in self._rows.deficiencies]

    @resolved("Alerts of the participant, by alertSeq.")
    def alerts(self, info: Info) -> list[SaeAlert]:
        """Alerts of the participant."""
        require(SUBJECT_FIELDS, "alerts", info.context.actor)
        return list(self._whole.alerts)

    @resolved("Data queries with their status; a laboratory sees those about its results.")
    def queries(self, info: Info, open: Open = None) -> list[DataQuery]:
        """Data queries."""
        whole = self._whole
        return data_queries_of(self._rows.queries, whole.opener, info.context.actor, at=whole.as_of, open_only=open)

    @resolved("Events that cannot be read; while there are any, everything here is provisional.")
    def parked(self) -> list[Parked]:
        """Events that cannot be read."""
        return [parked(row) for row in self._whole.read.parked]

    @property
    def _whole(self) -> Whole:
        assert self.whole is not None, "a field was asked for that the look-ahead did not foresee"
        return self.whole

    @cached_property
    def _points(self) -> tuple[tuple[VisitRow, VisitStatus], ...]:
        return tuple((row, status_at(row, self._whole.as_of)) for row in self._rows.visits)

    @cached_property
    def _clocks(self) -> list[ReportingClock]:
        return shown_clocks(self._rows.clocks, self._whole.as_of, self._whole.read.zone)

    @property
    def _rows(self) -> SubjectRows:
        return self._whole.read.rows

    def _assessment(self, row: AssessmentRow) -> AnyAssessment:
        transplants = cast(list[dict[str, Any]], self._rows.subject.transplants)
        first = [each["eventId"] for each in transplants if each["firstAfterT0"]]
        return assessment(row, self._whole.opener, first)

    def _of(self, kind: type[Made]) -> list[Made]:
        made = map(self._assessment, self._rows.assessments)
        return [each for each in made if isinstance(each, kind)]


def _chosen(rows: Sequence[ScoreRow], wanted: Sequence[ScoreId] | None) -> Sequence[ScoreRow]:
    return [row for row in rows if wanted is None or ScoreId(row.score_id) in wanted]
