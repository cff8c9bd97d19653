"""The participant (CDISC DM): who it is, how far, and the lists of `course.py`."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import PartialDate, Provenance, partial_date, provenance
from hepatrail_graphql.course import Course
from hepatrail_graphql.enums import AdmissionType, Indication, Sex, WithdrawalScope
from hepatrail_graphql.scalars import Decimal, Version, decimal
from hepatrail_graphql.subject_parts import Consent, SubjectStatus, Whole, consent
from hepatrail_projections.subject import SubjectRow


@strawberry.type(description="A participant of the trial, under a pseudonym (CDISC DM).")
class Subject(Course):
    """A participant of the trial, under a pseudonym."""

    id: strawberry.ID = strawberry.field(description="The pseudonym (USUBJID).")
    site_id: strawberry.ID | None = strawberry.field(description="The site that cares for the participant (SITEID).")
    version: Version = strawberry.field(description="Number of the participant's events: give it as `expectedVersion`.")
    recorded_at: datetime = strawberry.field(description="When the last of them was recorded.")
    status: SubjectStatus = strawberry.field(description="How far the participant is.")
    consent_version: str | None = strawberry.field(description="Version of the consent form in force.")
    consent_given_at: datetime | None = strawberry.field(description="When the participant signed it (RFICDTC).")
    health_data_consent: bool = strawberry.field(description="Separate consent to the processing of health data.")
    consents: list[Consent] = strawberry.field(description="Every consent on record, in order.")
    consent_withdrawn_at: datetime | None = strawberry.field(description="When consent was withdrawn.")
    indication: Indication | None = strawberry.field(description="Why the participant is treated.")
    sex: Sex | None = strawberry.field(description="Sex used in formulas (SEX).")
    age_years: int | None = strawberry.field(description="Age in completed years at enrolment (AGE).")
    chronic_health: bool | None = strawberry.field(description="Severe chronic organ insufficiency (APACHE II).")
    admission_type: AdmissionType | None = strawberry.field(description="Admission type (APACHE II).")
    height_cm: Decimal | None = strawberry.field(description="Body height in cm (LOINC 8302-2).")
    enrolled_at: datetime | None = strawberry.field(description="When the enrolment was recorded.")
    death_at: PartialDate | None = strawberry.field(description="When the participant died (DTHDTC).")
    death_aware_at: datetime | None = strawberry.field(description="When the site learned of it.")
    primary_cause_ae_id: UUID | None = strawberry.field(description="The adverse event that caused the death.")
    autopsy_done: bool | None = strawberry.field(description="Whether there was an autopsy.")
    death_revived: bool = strawberry.field(
        description="Whether a death was recorded and the participant found alive after all; `deathAt` is null then."
    )
    withdrawn_at: datetime | None = strawberry.field(description="When the participant withdrew, by the widest scope.")
    withdrawal_scope: WithdrawalScope | None = strawberry.field(description="From what.")
    vital_status_allowed: bool | None = strawberry.field(description="Whether vital status may still be asked for.")
    lost_to_follow_up_since: datetime | None = strawberry.field(
        description="The last contact before the site lost the participant; null while they are reached."
    )
    contact_regained_at: datetime | None = strawberry.field(description="When contact was last regained.")
    transplant_at: PartialDate | None = strawberry.field(description="The first liver transplantation after T0.")
    t0: datetime | None = strawberry.field(description="T0, the start of the first session (RFXSTDTC).")
    anchor: datetime | None = strawberry.field(description="What the schedule counts from: the first session's end.")
    provenance: Provenance = strawberry.field(description="What the fields above rest on.")


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
        consents=[consent(each) for each in cast(list[dict[str, Any]], row.consents)],
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
        death_revived=row.death_revived,
        withdrawn_at=row.withdrawn_at,
        withdrawal_scope=None if row.withdrawal_scope is None else WithdrawalScope(row.withdrawal_scope),
        vital_status_allowed=row.vital_status_allowed,
        lost_to_follow_up_since=row.lost_to_follow_up_since,
        contact_regained_at=row.contact_regained_at,
        transplant_at=partial_date(cast(dict[str, Any] | None, row.transplant_at)),
        t0=row.t0,
        anchor=row.anchor,
        provenance=provenance("subject", row.event_ids, row.protocol_version),
    )
