"""`subject`: one participant, from consent to death."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.assessments import AEAssessmentDone, WithdrawalScope
from hepatrail_events.enrolment import ConsentRecorded
from hepatrail_events.types import format_instant
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.corrections import Record
from hepatrail_projections.facts import DeathCorrection, SubjectView
from hepatrail_projections.table import Connection, Json, Table
from hepatrail_projections.whereabouts import contact, survival, transplants


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A participant as last heard of.

    `status` is CONSENTED, SCREEN_FAILED, ENROLLED, WITHDRAWN (from follow-up or all data use, or consent) or DIED;
    `version` and `recorded_at` are those of the last event. `consents` are `{version, givenAt, healthDataConsent,
    recordedAt, actorId, eventId}`, the last in force. `death_at` and the columns after it are of the death in its
    latest version; `death_event_ids` recorded it, corrections included. `death_corrections` are `{revived, deathAt,
    primaryCauseAeId, autopsyDone, reason, recordedAt, actorId, eventId}` and stay after the participant was found alive
    (`death_revived`). `lost_to_follow_up_since` is the last contact before the participant was out of reach, None while
    reached. `survival` is the latest survival status, `transplants` every transplant (see `whereabouts`),
    `transplant_at` the first one after T0. Partial dates are `{value, precision}`, sealed texts `{kid, cid, path,
    ct}`. `t0` is the start of the first session, `anchor` what the schedule counts from.
    """

    subject_id: str
    site_id: str | None
    version: int
    recorded_at: datetime
    status: str
    consent_version: str | None
    consent_given_at: datetime | None
    health_data_consent: bool
    consents: Json
    consent_withdrawn_at: datetime | None
    screen_failure_reason: Json | None
    indication: str | None
    sex: str | None
    age_years: int | None
    chronic_health: bool | None
    admission_type: str | None
    height_cm: str | None
    enrolled_at: datetime | None
    death_at: Json | None
    death_aware_at: datetime | None
    primary_cause_ae_id: UUID | None
    autopsy_done: bool | None
    death_event_ids: tuple[UUID, ...]
    death_revived: bool
    death_corrections: Json
    withdrawn_at: datetime | None
    withdrawal_scope: str | None
    vital_status_allowed: bool | None
    lost_to_follow_up_since: datetime | None
    contact_regained_at: datetime | None
    survival: Json | None
    transplant_at: Json | None
    transplants: Json
    t0: datetime | None
    anchor: datetime | None
    protocol_version: str | None
    event_ids: tuple[UUID, ...]


SUBJECT = Table("subject", SubjectRow, ("subject_id",), indexes=("(site_id, subject_id)", "(enrolled_at, subject_id)"))


def subject_row(view: SubjectView, state: ClinicalState | None) -> SubjectRow:
    """The row of a participant of whom at least one event is recorded."""
    consent, enrolment, death, withdrawal = view.consent, view.enrolment, view.death, view.withdrawal
    anchored = None if state is None else state.anchored
    record, reached, livers = view.death_record, contact(view), transplants(view, state)
    assert view.recorded_at is not None, "a view without event has no row"
    return SubjectRow(
        subject_id=view.subject_id,
        site_id=view.site_id,
        version=view.version,
        recorded_at=view.recorded_at,
        status=status_of(view),
        consent_version=None if consent is None else consent.version,
        consent_given_at=None if consent is None else consent.given_at,
        health_data_consent=consent is not None and consent.health_data_consent,
        consents=[_consent(each) for each in view.consents],
        consent_withdrawn_at=view.consent_withdrawn_at,
        screen_failure_reason=None if view.screen_failure is None else view.screen_failure.payload(),
        indication=None if enrolment is None else enrolment.indication.value,
        sex=None if enrolment is None else enrolment.sex.value,
        age_years=None if enrolment is None else enrolment.age_years,
        chronic_health=None if enrolment is None else enrolment.chronic_health,
        admission_type=None if enrolment is None else enrolment.admission_type.value,
        height_cm=None if enrolment is None else enrolment.height_cm,
        enrolled_at=view.enrolled_at,
        death_at=None if death is None else death.death_at.payload(),
        death_aware_at=None if death is None else death.aware_at,
        primary_cause_ae_id=None if death is None else death.primary_cause_ae_id,
        autopsy_done=None if death is None else death.autopsy_done,
        death_event_ids=() if record is None else record.event_ids,
        death_revived=record is not None and not record.stands,
        death_corrections=[] if record is None else [_death_correction(each) for each in record.corrections],
        withdrawn_at=None if withdrawal is None else withdrawal.withdrawn_at,
        withdrawal_scope=None if withdrawal is None else withdrawal.scope.value,
        vital_status_allowed=None if withdrawal is None else withdrawal.vital_status_allowed,
        lost_to_follow_up_since=reached.lost_since,
        contact_regained_at=reached.regained_at,
        survival=survival(view),
        transplant_at=next((each["transplantAt"] for each in livers if each["firstAfterT0"]), None),
        transplants=livers,
        t0=None if anchored is None else anchored.t0,
        anchor=None if anchored is None else anchored.instant,
        protocol_version=None if state is None else state.published.version,
        event_ids=_event_ids(view),
    )


def _event_ids(view: SubjectView) -> tuple[UUID, ...]:
    """Everything that the row rests on: enrolment, ends, the death's history, and what moves or ends contact."""
    of_death = () if view.death_record is None else view.death_record.event_ids
    return tuple(
        dict.fromkeys(
            (
                *view.enrolment_event_ids,
                *(event_id for _, event_id in view.stop_event_ids),
                *of_death,
                *(
                    event_id
                    for record in view.assessments.values()
                    if not isinstance(record.fact, AEAssessmentDone)
                    for event_id in record.event_ids
                ),
            )
        )
    )


def _consent(record: Record[ConsentRecorded]) -> dict[str, Any]:
    return {
        "version": record.fact.version,
        "givenAt": format_instant(record.fact.given_at),
        "healthDataConsent": record.fact.health_data_consent,
        "recordedAt": format_instant(record.recorded_at),
        "actorId": record.actor_id,
        "eventId": str(record.event_ids[0]),
    }


def _death_correction(made: DeathCorrection) -> dict[str, Any]:
    event = made.event
    return {
        "revived": event.revived,
        "deathAt": None if event.death_at is None else event.death_at.payload(),
        "primaryCauseAeId": None if event.primary_cause_ae_id is None else str(event.primary_cause_ae_id),
        "autopsyDone": event.autopsy_done,
        "reason": event.reason.payload(),
        "recordedAt": format_instant(made.recorded_at),
        "actorId": made.actor_id,
        "eventId": str(made.event_id),
    }


def status_of(view: SubjectView) -> str:
    """How far the participant is; a withdrawal from treatment only leaves them enrolled."""
    if view.death is not None:
        return "DIED"
    of_follow_up = any(event.scope is not WithdrawalScope.TREATMENT_ONLY for event in view.withdrawals)
    if of_follow_up or view.consent_withdrawn_at is not None:
        return "WITHDRAWN"
    if view.enrolment is not None:
        return "ENROLLED"
    return "CONSENTED" if view.screen_failure is None else "SCREEN_FAILED"


@dataclass(frozen=True, slots=True)
class SubjectFilter:
    """Which participants are listed: those of these sites (None: all), with this status (None: any)."""

    sites: frozenset[str] | None = None
    status: str | None = None


ANY_SUBJECT = SubjectFilter()


async def subjects_after(
    connection: Connection, after: str | None, chosen: SubjectFilter, limit: int
) -> list[SubjectRow]:
    """Participants behind an id, by id."""
    return await SUBJECT.where(
        connection,
        "subject_id > $1 AND ($2::text[] IS NULL OR site_id = ANY ($2)) AND ($3::text IS NULL OR status = $3)",
        after or "",
        None if chosen.sites is None else sorted(chosen.sites),
        chosen.status,
        limit=limit,
    )


async def subject_ids(connection: Connection) -> list[str]:
    """Every participant."""
    return [row["subject_id"] for row in await connection.fetch("SELECT subject_id FROM subject ORDER BY subject_id")]


@dataclass(frozen=True, slots=True)
class OneTooMany:
    """A participant whose enrolment was not planned, and the number of that enrolment in the trial."""

    subject_id: str
    site_id: str | None
    rank: int


async def enrolled_beyond(connection: Connection, planned: int, among: Sequence[str] | None = None) -> list[OneTooMany]:
    """The participants (None: among all) who were enrolled after `planned` others, by (recordedAt, participant)."""
    rows = await connection.fetch(
        "SELECT subject_id, site_id, (SELECT count(*) FROM subject AS earlier "
        "WHERE (earlier.enrolled_at, earlier.subject_id) <= (late.enrolled_at, late.subject_id)) AS rank "
        "FROM subject AS late WHERE ($2::text[] IS NULL OR subject_id = ANY ($2)) AND (enrolled_at, subject_id) > "
        "(SELECT enrolled_at, subject_id FROM subject WHERE enrolled_at IS NOT NULL "
        "ORDER BY enrolled_at, subject_id OFFSET $1 - 1 LIMIT 1) ORDER BY subject_id",
        planned,
        None if among is None else list(among),
    )
    return [OneTooMany(row["subject_id"], row["site_id"], row["rank"]) for row in rows]
