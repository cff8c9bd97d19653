"""`subject`: one participant, from consent to death."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_events.assessments import WithdrawalScope
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.table import Connection, Json, Table


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A participant as last heard of.

    `status` is CONSENTED, SCREEN_FAILED, ENROLLED, WITHDRAWN (from follow-up or all data use, or consent) or DIED;
    `version` and `recorded_at` are those of the last event. `death_at` is a partial date,
    sealed texts are `{kid, cid, path, ct}`. `t0` is the start of the first session, `anchor` what the schedule
    counts from.
    """

    subject_id: str
    site_id: str | None
    version: int
    recorded_at: datetime
    status: str
    consent_version: str | None
    consent_given_at: datetime | None
    health_data_consent: bool
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
    withdrawn_at: datetime | None
    withdrawal_scope: str | None
    vital_status_allowed: bool | None
    t0: datetime | None
    anchor: datetime | None
    protocol_version: str | None
    event_ids: tuple[UUID, ...]


SUBJECT = Table("subject", SubjectRow, ("subject_id",), indexes=("(site_id, subject_id)",))


def subject_row(view: SubjectView, state: ClinicalState | None) -> SubjectRow:
    """The row of a participant of whom at least one event is recorded."""
    consent, enrolment, death, withdrawal = view.consent, view.enrolment, view.death, view.withdrawal
    anchored = None if state is None else state.anchored
    assert view.recorded_at is not None, "a view without event has no row"
    ids = (*view.enrolment_event_ids, *(event_id for _, event_id in view.stop_event_ids))
    return SubjectRow(
        subject_id=view.subject_id,
        site_id=view.site_id,
        version=view.version,
        recorded_at=view.recorded_at,
        status=status_of(view),
        consent_version=None if consent is None else consent.version,
        consent_given_at=None if consent is None else consent.given_at,
        health_data_consent=consent is not None and consent.health_data_consent,
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
        withdrawn_at=None if withdrawal is None else withdrawal.withdrawn_at,
        withdrawal_scope=None if withdrawal is None else withdrawal.scope.value,
        vital_status_allowed=None if withdrawal is None else withdrawal.vital_status_allowed,
        t0=None if anchored is None else anchored.t0,
        anchor=None if anchored is None else anchored.instant,
        protocol_version=None if state is None else state.published.version,
        event_ids=ids,
    )


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
