"""The participant: everything that is known of one, each list made of one reading, without waiting."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.adverse_events import AdverseEvent, adverse_event
from hepatrail_graphql.alerts import SaeAlert
from hepatrail_graphql.authorize import SUBJECT_FIELDS, require
from hepatrail_graphql.common import PartialDate, Provenance, partial_date, provenance
from hepatrail_graphql.context import Info
from hepatrail_graphql.enums import AdmissionType, Indication, Sex, WithdrawalScope
from hepatrail_graphql.fields import resolved
from hepatrail_graphql.lab_results import LabResult, lab_result
from hepatrail_graphql.queries import DataQuery, data_query
from hepatrail_graphql.scalars import Decimal, Version, decimal
from hepatrail_graphql.scores import Score, score
from hepatrail_graphql.sessions import Exposure, Session, exposure, session
from hepatrail_graphql.text import SEALED, Opener, Text, sealed_text
from hepatrail_graphql.visits import Visit, visit
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.reading import SubjectRead
from hepatrail_projections.subject import SubjectRow


@strawberry.enum(description="How far a participant is.")
class SubjectStatus(Enum):
    """How far a participant is."""

    CONSENTED = strawberry.enum_value("CONSENTED", description="Consent is on record.")
    SCREEN_FAILED = strawberry.enum_value("SCREEN_FAILED", description="Did not meet the criteria.")
    ENROLLED = strawberry.enum_value("ENROLLED", description="Takes part.")
    WITHDRAWN = strawberry.enum_value("WITHDRAWN", description="Withdrew from follow-up, all use of data, or consent.")
    DIED = strawberry.enum_value("DIED", description="Died.")


@strawberry.type(description="An event of the participant that cannot be read; later ones wait behind it.")
class Parked:
    """An event of the participant that cannot be read."""

    code: str = strawberry.field(description="Why it cannot be read.")
    reason: str = strawberry.field(description="The same in words.")
    topic: str = strawberry.field(description="Where it lies: the topic,")
    partition: int = strawberry.field(description="the partition,")
    offset: Version = strawberry.field(description="and the offset.")


@dataclass(frozen=True, slots=True)
class Whole:
    """What the lists of a participant are made of, read in one snapshot."""

    read: SubjectRead
    alerts: tuple[SaeAlert, ...]
    as_of: datetime
    opener: Opener


@strawberry.type(description="A participant of the trial, under a pseudonym.")
class Subject:
    """A participant of the trial, under a pseudonym."""

    row: strawberry.Private[SubjectRow]
    whole: strawberry.Private[Whole | None]

    id: strawberry.ID = strawberry.field(description="The pseudonym.")
    site_id: strawberry.ID | None = strawberry.field(description="The site that cares for the participant.")
    version: Version = strawberry.field(description="Number of the participant's events: give it as `expectedVersion`.")
    recorded_at: datetime = strawberry.field(description="When the last of them was recorded.")
    status: SubjectStatus = strawberry.field(description="How far the participant is.")
    consent_version: str | None = strawberry.field(description="Version of the consent form in force.")
    consent_given_at: datetime | None = strawberry.field(description="When the participant signed it.")
    health_data_consent: bool = strawberry.field(description="Separate consent to the processing of health data.")
    consent_withdrawn_at: datetime | None = strawberry.field(description="When consent was withdrawn.")
    indication: Indication | None = strawberry.field(description="Why the participant is treated.")
    sex: Sex | None = strawberry.field(description="Sex used in formulas.")
    age_years: int | None = strawberry.field(description="Age in completed years at enrolment.")
    chronic_health: bool | None = strawberry.field(description="Severe chronic organ insufficiency (APACHE II).")
    admission_type: AdmissionType | None = strawberry.field(description="Admission type (APACHE II).")
    height_cm: Decimal | None = strawberry.field(description="Body height in cm.")
    enrolled_at: datetime | None = strawberry.field(description="When the enrolment was recorded.")
    death_at: PartialDate | None = strawberry.field(description="When the participant died.")
    death_aware_at: datetime | None = strawberry.field(description="When the site learned of it.")
    primary_cause_ae_id: UUID | None = strawberry.field(description="The adverse event that caused the death.")
    autopsy_done: bool | None = strawberry.field(description="Whether there was an autopsy.")
    withdrawn_at: datetime | None = strawberry.field(description="When the participant withdrew.")
    withdrawal_scope: WithdrawalScope | None = strawberry.field(description="From what.")
    vital_status_allowed: bool | None = strawberry.field(description="Whether vital status may still be asked for.")
    t0: datetime | None = strawberry.field(description="Start of the first session.")
    anchor: datetime | None = strawberry.field(description="What the schedule counts from: the first session's end.")
    provenance: Provenance = strawberry.field(description="What the fields above rest on.")

    @resolved("Why the participant failed screening.")
    def screen_failure_reason(self) -> Text | None:
        """Why the participant failed screening."""
        text = sealed_text(cast(dict[str, Any] | None, self.row.screen_failure_reason))
        return (SEALED if self.whole is None else self.whole.opener).open(text)

    @resolved("Treatment sessions by start, void ones included.")
    def sessions(self) -> list[Session]:
        """Treatment sessions."""
        return [session(row, self._whole.opener) for row in self._rows.sessions]

    @resolved("What the participant has received in all sessions that count.")
    def exposure(self) -> Exposure:
        """What the participant has received."""
        return exposure(self._rows.exposure)

    @resolved("Laboratory results and bedside observations in the order recorded.")
    def lab_results(
        self,
        codes: Annotated[list[str] | None, strawberry.argument(description="Only these measurements.")] = None,
    ) -> list[LabResult]:
        """Laboratory results and bedside observations."""
        rows = self._rows.lab_results
        chosen = rows if codes is None else [row for row in rows if row.code in set(codes)]
        return [lab_result(row, self._whole.opener) for row in chosen]

    @resolved("Scores by time point.")
    def scores(self) -> list[Score]:
        """Scores by time point."""
        return [score(row) for row in self._rows.scores]

    @resolved("The time points of the schedule, with their status at `asOf` or now.")
    def visits(self) -> list[Visit]:
        """The time points of the schedule."""
        return [visit(row, self._whole.as_of) for row in self._rows.visits]

    @resolved("Adverse events in the order reported.")
    def adverse_events(self, info: Info) -> list[AdverseEvent]:
        """Adverse events."""
        require(SUBJECT_FIELDS, "adverseEvents", info.context.actor)
        return [adverse_event(row, self._whole.opener) for row in self._rows.adverse_events]

    @resolved("The first 200 alerts of the participant, by alertSeq; `saeAlerts` pages through all.")
    def alerts(self, info: Info) -> list[SaeAlert]:
        """Alerts of the participant."""
        require(SUBJECT_FIELDS, "alerts", info.context.actor)
        return list(self._whole.alerts)

    @resolved("Data queries that are open.")
    def queries(self) -> list[DataQuery]:
        """Data queries that are open."""
        return [data_query(row) for row in self._rows.queries]

    @resolved("Events that cannot be read; while there are any, everything here is provisional.")
    def parked(self) -> list[Parked]:
        """Events that cannot be read."""
        return [
            Parked(
                code=row.code,
                reason=row.reason,
                topic=row.topic,
                partition=row.partition,
                offset=Version(row.kafka_offset),
            )
            for row in self._whole.read.parked
        ]

    @resolved("Every event recorded until then is in this answer; null: not known yet.")
    def complete_to(self) -> datetime | None:
        """Until when this answer is complete."""
        return self._whole.read.complete_to

    @resolved("Whether this answer may still change for the same `asOf`.")
    def provisional(self) -> bool:
        """Whether this answer may still change."""
        return self._whole.read.provisional

    @property
    def _whole(self) -> Whole:
        assert self.whole is not None, "a field was asked for that the look-ahead did not foresee"
        return self.whole

    @property
    def _rows(self) -> SubjectRows:
        return self._whole.read.rows


def participant(row: SubjectRow, whole: Whole | None = None) -> Subject:
    """A participant's row as the schema shows it; without `whole` only the plain fields can be asked for."""
    return Subject(
        row=row,
        whole=whole,
        id=strawberry.ID(row.subject_id),
        site_id=None if row.site_id is None else strawberry.ID(row.site_id),
        version=Version(row.version),
        recorded_at=row.recorded_at,
        status=SubjectStatus(row.status),
        consent_version=row.consent_version,
        consent_given_at=row.consent_given_at,
        health_data_consent=row.health_data_consent,
        consent_withdrawn_at=row.consent_withdrawn_at,
        indication=None if row.indication is None else Indication(row.indication),
        sex=None if row.sex is None else Sex(row.sex),
        age_years=row.age_years,
        chronic_health=row.chronic_health,
        admission_type=None if row.admission_type is None else AdmissionType(row.admission_type),
        height_cm=decimal(row.height_cm),
        enrolled_at=row.enrolled_at,
        death_at=partial_date(cast(dict[str, Any] | None, row.death_at)),
        death_aware_at=row.death_aware_at,
        primary_cause_ae_id=row.primary_cause_ae_id,
        autopsy_done=row.autopsy_done,
        withdrawn_at=row.withdrawn_at,
        withdrawal_scope=None if row.withdrawal_scope is None else WithdrawalScope(row.withdrawal_scope),
        vital_status_allowed=row.vital_status_allowed,
        t0=row.t0,
        anchor=row.anchor,
        provenance=provenance("subject", row.event_ids, row.protocol_version),
    )
