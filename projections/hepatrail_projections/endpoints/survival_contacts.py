"""The days on which a participant was certainly alive, from the rows (`endpoints.md` 3.1, last known alive).

Decided here, because the reference leaves room: a sample of which nothing but a row NOT_DONE, OTHER or
OUTPATIENT_NO_ABG exists was not taken; an AE contact is an assessment of adverse events; a loss to follow-up and a
regained contact are none, as the reference does not name them; a transplant of which only the month or year is known
proves life on its first day only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import VitalStatus, WithdrawalScope
from hepatrail_events.types import PartialDate
from hepatrail_projections.assessment import AssessmentRow
from hepatrail_projections.clinical.calendar import local_date
from hepatrail_projections.clinical.endpoints.cells import in_order
from hepatrail_projections.clinical.endpoints.follow_up import Known
from hepatrail_projections.clinical.endpoints.survival_dates import Withdrawal, permitted, possible_days
from hepatrail_projections.derive import OutcomeRows
from hepatrail_projections.lab_result import LabValue

_DRAWN = frozenset({"HEMOLYSED", "INSUFFICIENT", "CLOTTED"})
"""Why a sample that was taken gave no value."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A day on which the participant lived; `vital`: known of life or transplant only, not of a visit."""

    day: date
    vital: bool
    event_ids: tuple[UUID, ...]


def contacts(rows: OutcomeRows, zone: ZoneInfo) -> Iterator[Contact]:
    """Every proof of life of the records that are not void; a sample once, whatever the number of its rows."""
    for session in rows.sessions:
        if not session.voided and session.ended_at is not None:
            yield Contact(local_date(session.ended_at, zone), False, session.event_ids)
    yield from _samples(rows.lab_results, zone)
    for row in rows.assessments:
        if row.voided:
            continue
        if row.kind == "TRANSPLANT":
            first, _ = possible_days(PartialDate.model_validate(row.happened), None, zone)
            yield Contact(first, True, row.event_ids)
        elif row.at is not None and row.kind == "AE_ASSESSMENT":
            yield Contact(local_date(row.at, zone), False, row.event_ids)
        elif row.at is not None and finds_alive(row):
            yield Contact(local_date(row.at, zone), True, row.event_ids)


def finds_alive(row: AssessmentRow) -> bool:
    """Whether a survival status says that the participant lives; N only echoes a death, UNKNOWN says nothing."""
    return row.kind == "SURVIVAL_STATUS" and bool(row.facts["alive"] == VitalStatus.Y.value)


def withdrawals(rows: OutcomeRows, zone: ZoneInfo) -> tuple[Withdrawal, ...]:
    """The withdrawals from follow-up or from all use of data that are not void."""
    return tuple(
        Withdrawal(local_date(row.at, zone), bool(row.facts["vitalStatusAllowed"]))
        for row in rows.assessments
        if row.kind == "WITHDRAWAL"
        and not row.voided
        and row.at is not None
        and row.facts["scope"] != WithdrawalScope.TREATMENT_ONLY.value
    )


def last_alive(t0: Known, found: Iterable[Contact], stated: Iterable[Withdrawal], until: date | None = None) -> Known:
    """The latest day on which the participant lived, with every contact of it: T0 where there is no later one.

    Not behind `until`, the last day that a known death can have been, nor behind a withdrawal that forbids it.
    """
    known, limits = [Contact(t0.day, True, t0.event_ids)], tuple(stated)
    for each in found:
        if each.day >= known[0].day and (until is None or each.day <= until):
            if not permitted(each.day, limits, vital=each.vital):
                continue
            known = [each] if each.day > known[0].day else [*known, each]
    return Known(known[0].day, in_order(event_id for each in known for event_id in each.event_ids))


def _samples(rows: Iterable[LabValue], zone: ZoneInfo) -> Iterator[Contact]:
    taken: dict[datetime | date, list[UUID]] = defaultdict(list)
    for row in rows:
        if not row.voided and row.accepted and (row.not_done is None or row.not_done in _DRAWN):
            when = row.collected_at or row.collected_on
            if when is not None:
                taken[when] += row.event_ids
    for when, ids in taken.items():
        day = local_date(when, zone) if isinstance(when, datetime) else when
        yield Contact(day, False, in_order(ids))
