"""DM: consent, then enrolment or screen failure; the death when no adverse event tells it."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_events.types import format_instant
from hepatrail_services.importers.mapping import DmMapping
from hepatrail_services.importers.plan import Draft, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, civil, is_partial, partial


def plan_demographics(
    rows: tuple[SourceRow, ...], mapping: DmMapping, zone: ZoneInfo, fatal_events: Mapping[str, str]
) -> Draft:
    """One unit a subject; `fatal_events` (subject -> AE row key) names the deaths that an adverse event reports."""
    draft = Draft()
    for row, ref in readable(rows, draft, mapping.subject):
        try:
            steps = (_consent(row, mapping, zone), _entry(row, mapping))
            death = _death(row, mapping, zone, ref, fatal_events, draft)
        except (RowRefused, UnreadableTime) as error:
            draft.refuse(ref, getattr(error, "code", "UNREADABLE_TIME"), str(error))
            continue
        subject = row[mapping.subject]
        draft.units.append(Unit(ref.key, subject, Phase.ENROLMENT, (ref,), steps))
        if death:
            draft.units.append(Unit(ref.key, subject, Phase.DEATH, (ref,), (death,)))
    return draft


def _consent(row: SourceRow, mapping: DmMapping, zone: ZoneInfo) -> Step:
    constants = mapping.stand_in
    given_at = civil(row[mapping.consent_date], constants.consent_time, zone)
    return Step(
        "recordConsent",
        {
            "subjectId": row[mapping.subject],
            "siteId": row[mapping.site],
            "version": constants.consent_version,
            "givenAt": format_instant(given_at),
            "healthDataConsent": constants.health_data_consent,
        },
    )


def _entry(row: SourceRow, mapping: DmMapping) -> Step:
    constants = mapping.stand_in
    subject = row[mapping.subject]
    if row[mapping.screen_failure.column] == mapping.screen_failure.value:
        return Step("recordScreenFailure", {"subjectId": subject, "reason": constants.screen_failure_reason})
    sex = mapping.sexes.get(row[mapping.sex])
    if sex is None:
        raise RowRefused("UNMAPPED_SEX", f"{mapping.sex} {row[mapping.sex]!r} is not in the mapping.")
    age, unit = row[mapping.age], row[mapping.age_unit]
    if not (age.isascii() and age.isdigit()) or unit not in ("YEARS", ""):
        raise RowRefused("UNREADABLE_AGE", f"{mapping.age} {age!r} {unit} is no age in completed years.")
    return Step(
        "enrolSubject",
        {
            "subjectId": subject,
            "indication": constants.indication.value,
            "sex": sex.value,
            "ageYears": int(age),
            "chronicHealth": constants.chronic_health,
            "admissionType": constants.admission_type.value,
        },
    )


def _death(
    row: SourceRow,
    mapping: DmMapping,
    zone: ZoneInfo,
    ref: RowRef,
    fatal_events: Mapping[str, str],
    draft: Draft,
) -> Step | None:
    died, subject = row[mapping.death_date], row[mapping.subject]
    if not died:
        return None
    if subject in fatal_events:
        draft.find(
            ref,
            "DEATH_TOLD_BY_AE",
            f"{mapping.death_date} {died} goes in with the fatal adverse event {fatal_events[subject]}.",
        )
        return None
    if is_partial(died):
        raise RowRefused("DEATH_DATE_PARTIAL", f"{mapping.death_date} {died!r} gives no day to learn of the death on.")
    death: dict[str, Any] = {
        "subjectId": subject,
        "deathAt": partial(died, zone),
        "awareAt": format_instant(civil(died[:10], mapping.stand_in.death_aware_time, zone)),
    }
    draft.find(ref, "DEATH_WITHOUT_AE", f"{mapping.death_date} {died}, and no adverse event is FATAL.")
    return Step("recordDeath", death)
