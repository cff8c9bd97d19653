"""Adverse events in their latest state, with everything that follows from it (`safety.md` sections 3 to 5.1, 9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.ae_parts import (
    AdverseEventState,
    AdverseEventVoid,
    AssessorCriteria,
    CausalityAssessment,
    CriteriaChange,
    ExpectednessAssessment,
    FollowUp,
    GradeCorrection,
    GradePoint,
    MedDraCoding,
    Reopening,
    TeaeCase,
    TeFlag,
    adverse_event_void,
    causality_assessment,
    criteria_change,
    expectedness_assessment,
    follow_up,
    grade_correction,
    grade_point,
    meddra_coding,
    reopening,
)
from hepatrail_graphql.common import (
    Correction,
    PartialDate,
    Provenance,
    by_name,
    corrections,
    needed_date,
    partial_date,
    provenance,
)
from hepatrail_graphql.enums import ActionTaken, Assessor, Criterion, Expectedness, Outcome
from hepatrail_graphql.fields import of_row, resolved
from hepatrail_graphql.queries import DataQuery
from hepatrail_graphql.reporting_clocks import ReportingClock
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.adverse_event import AdverseEventRow


@dataclass(frozen=True, slots=True)
class Beside:
    """What joins an adverse event when it is read: its clocks, open queries, last alert, and of when the answer is."""

    as_of: datetime
    clocks: Sequence[ReportingClock] = ()
    open_queries: Sequence[DataQuery] = ()
    last_alert_seq: int | None = None


@strawberry.type(description="An adverse event of the participant, whatever its cause (CDISC AE).")
class AdverseEvent:
    """An adverse event of the participant, whatever its cause."""

    row: strawberry.Private[AdverseEventRow]
    opener: strawberry.Private[Opener]
    beside: strawberry.Private[Beside]

    id: UUID = of_row("ae_id", "The adverse event: `aeId` of every command (AESPID).")
    subject_id: strawberry.ID = of_row("subject_id", "The participant (USUBJID).")
    version: int = of_row("ae_version", "Number of its events, aeVersion: give it as `expectedAeVersion`.")
    as_of: datetime = of_row("as_of", "Of when this answer is.", holder="beside")
    code: str = of_row("code", "The trial's own code, one of `AeCode`.")
    ctcae_term: str | None = of_row("ctcae_term", "The CTCAE v5.0 term (AETOX).")
    meddra: MedDraCoding | None = of_row(
        lambda row: meddra_coding(row.meddra), "The latest coding in MedDRA; null while uncoded."
    )
    verbatim: Text = strawberry.field(description="The reporter's own words (AETERM).")
    state: AdverseEventState = of_row(lambda row: AdverseEventState(row.state), "Where it stands.")
    onset: PartialDate = of_row(lambda row: needed_date(row.onset), "When it began (AESTDTC).")
    end_at: PartialDate | None = of_row(lambda row: partial_date(row.end_at), "When it ended (AEENDTC).")
    aware_at: datetime = of_row("aware_at", "When the responsible person first knew: reporting clocks start.")
    reported_at: datetime = of_row("reported_at", "When it was recorded (AEDTC).")
    grade: int | None = of_row(
        "current_grade", "The present CTCAE grade, currentGrade: that of the latest `gradeAt` (AETOXGR)."
    )
    max_grade: int | None = of_row("max_grade", "The greatest grade so far.")
    max_grade_te: int | None = of_row(
        "max_grade_te", "The greatest grade in the treatment-emergent window.", name="maxGradeTE"
    )
    grade_before: int | None = of_row("grade_before", "The grade in force when treatment began.")
    serious: bool = of_row("serious", "Whether any criterion holds: an SAE (AESER).")
    ever_serious: bool = of_row("ever_serious", "Whether any criterion ever held.")
    serious_since: PartialDate | None = of_row(
        lambda row: partial_date(row.serious_since), "Since when it is serious, or last was."
    )
    serious_aware_at: datetime | None = of_row("serious_aware_at", "When the assessor first knew that.")
    criteria: list[Criterion] = of_row(
        lambda row: _criteria(row.criteria),
        "The criteria in force, of either assessor (AESDTH, AESLIFE, AESHOSP, AESDISAB, AESCONG, AESMIE).",
    )
    teae: bool = of_row("teae", "Whether it is treatment-emergent (TRTEMFL).")
    teae_case: TeaeCase | None = of_row(
        lambda row: None if row.teae_case is None else TeaeCase(row.teae_case), "Why; null where it is not."
    )
    te_onset: PartialDate | None = of_row(
        lambda row: partial_date(row.te_onset), "Since when it is treatment-emergent."
    )
    te_flags: list[TeFlag] = of_row(
        lambda row: [TeFlag(each) for each in row.te_flags], "What to know before using that."
    )
    te_provisional: bool = of_row("te_provisional", "Whether treatment continues: the window has no end yet.")
    tesae: bool = of_row("tesae", "Whether it is treatment-emergent and serious.")
    post_transplant: bool = of_row("post_transplant", "Whether it began after a liver transplantation.")
    aesi: bool = of_row("aesi", "Whether the code is of special interest in this trial.")
    exposed: bool = of_row("exposed", "Whether it began, or got worse, at or after the start of the first session.")
    related: bool = of_row(
        "related",
        "Whether it counts as related to cells or device (AEREL): also while the investigator has not assessed that.",
    )
    related_assessed: bool = of_row("related_assessed", "Whether an assessor found it related to cells or device.")
    unexpected: bool = of_row("unexpected", "Whether it counts as unexpected: so is what is not assessed.")
    expectedness: Expectedness = of_row(
        lambda row: Expectedness(row.expectedness), "The sponsor's judgement; UNEXPECTED while there is none."
    )
    susar: bool = of_row("susar", "Serious, related and unexpected: a SUSAR.")
    provisional: bool = of_row("provisional", "A SUSAR only because causality is not assessed yet.")
    fatal_lt: bool = of_row("fatal_lt", "Whether DEATH or LIFE_THREATENING is in force.", name="fatalLT")
    dev_sae: bool = of_row("dev_sae", "An SAE related to the device (SADE, ISO 14155).", name="devSAE")
    outcome: Outcome = of_row(lambda row: Outcome(row.outcome), "Its outcome (AEOUT).")
    action_taken: ActionTaken = of_row(
        lambda row: ActionTaken(row.action_taken), "What was done with the bioartificial liver (AEACN)."
    )
    frequency_worsened_at: PartialDate | None = of_row(
        lambda row: partial_date(row.frequency_worsened_at), "Since when it comes more often."
    )
    reporter: str = of_row("reporter", "Function of the reporter; no name.")
    reporter_id: str = of_row("reporter_id", "The account that reported it.")
    age_years: int | None = of_row("age_years", "Age at onset, in completed years.")
    baseline_condition_id: UUID | None = of_row("baseline_condition_id", "The condition that worsened.")
    recurrence_of: UUID | None = of_row("recurrence_of", "The adverse event that came again.")
    replaces: UUID | None = of_row("replaces", "The void record that it replaces.")
    duplicate_of: UUID | None = of_row("duplicate_of", "The adverse event that this void one doubles.")
    onset_before_first_session: bool | None = of_row("onset_before_first_session", "As the reporter stated it.")
    related_session_id: UUID | None = of_row("related_session_id", "The latest session started at or before onset.")
    ongoing_at_death: bool = of_row("ongoing_at_death", "Whether it lasted when the participant died.")
    void_requested: bool = of_row("void_requested", "Whether a request to void it waits for a second person.")
    last_alert_seq: int | None = of_row(
        "last_alert_seq", "`alertSeq` of its last alert; null without any.", holder="beside"
    )

    @resolved("The course of the severity, as recorded.")
    def grades(self) -> list[GradePoint]:
        """The course of the severity."""
        return [grade_point(each) for each in _listed(self.row.grades)]

    @resolved("Points of that course that were replaced or removed.")
    def grade_corrections(self) -> list[GradeCorrection]:
        """Points of that course that were replaced or removed."""
        return [grade_correction(each, self.opener) for each in _listed(self.row.grade_corrections)]

    @resolved("The criteria in force by assessor.")
    def criteria_by_assessor(self) -> list[AssessorCriteria]:
        """The criteria in force by assessor."""
        return [
            AssessorCriteria(assessor=Assessor(who), criteria=[Criterion(each) for each in stated])
            for who, stated in by_name(self.row.criteria)
        ]

    @resolved("Who found which criteria when, in order.")
    def criteria_history(self) -> list[CriteriaChange]:
        """Who found which criteria when."""
        return [criteria_change(each, self.opener) for each in _listed(self.row.criteria_history)]

    @resolved("The latest causality of each assessor for each target.")
    def causality(self) -> list[CausalityAssessment]:
        """The latest causality of each assessor for each target."""
        return [causality_assessment(each, self.opener) for each in _listed(self.row.causality)]

    @resolved("Every judgement of the causality, in order.")
    def causality_history(self) -> list[CausalityAssessment]:
        """Every judgement of the causality."""
        return [causality_assessment(each, self.opener) for each in _listed(self.row.causality_history)]

    @resolved("The sponsor's latest judgement of expectedness; null while there is none.")
    def rsi(self) -> ExpectednessAssessment | None:
        """The sponsor's latest judgement of expectedness."""
        return expectedness_assessment(cast(dict[str, Any] | None, self.row.rsi))

    @resolved("New information, in order.")
    def follow_ups(self) -> list[FollowUp]:
        """New information."""
        return [follow_up(each, self.opener) for each in _listed(self.row.follow_ups)]

    @resolved("When it went on after it had ended, in order.")
    def reopenings(self) -> list[Reopening]:
        """When it went on after it had ended."""
        return [reopening(each, self.opener) for each in _listed(self.row.reopenings)]

    @resolved("What was corrected, in order; grades, criteria and causality have histories of their own.")
    def corrections(self) -> list[Correction]:
        """What was corrected."""
        return corrections(_listed(self.row.corrections), self.opener)

    @resolved("The request to void it, the last one.")
    def void_request(self) -> AdverseEventVoid | None:
        """The request to void it."""
        return adverse_event_void(cast(dict[str, Any] | None, self.row.void_request), self.opener)

    @resolved("Why it is void; null while it is not.")
    def void(self) -> AdverseEventVoid | None:
        """Why it is void."""
        return adverse_event_void(cast(dict[str, Any] | None, self.row.void), self.opener)

    @resolved("Its reporting clocks, the earliest due first.")
    def clocks(self) -> list[ReportingClock]:
        """Its reporting clocks."""
        return list(self.beside.clocks)

    @resolved("The data queries about it that are open.")
    def open_queries(self) -> list[DataQuery]:
        """The data queries about it that are open."""
        return list(self.beside.open_queries)

    @resolved("Its own events and those on which the derived values rest beside them.")
    def provenance(self) -> Provenance:
        """What the adverse event rests on."""
        ids = dict.fromkeys((*self.row.event_ids, *self.row.derived_event_ids))
        return provenance("adverse-event", tuple(ids), self.row.protocol_version)


def adverse_event(row: AdverseEventRow, opener: Opener, beside: Beside) -> AdverseEvent:
    """An adverse event's row as the schema shows it."""
    return AdverseEvent(
        row=row,
        opener=opener,
        beside=beside,
        verbatim=opener.needed(sealed_text(cast(dict[str, Any], row.verbatim))),
    )


def _criteria(by_assessor: dict[str, list[str]]) -> list[Criterion]:
    stated = {each for criteria in by_assessor.values() for each in criteria}
    return [each for each in Criterion if each in stated]


def _listed(stored: Any) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], stored)
