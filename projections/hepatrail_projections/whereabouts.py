"""What is known of a participant's life and contact beside death: transplants, survival, loss to follow-up. Pure.

Decided here, because the reference leaves room: whether contact is lost goes by the order of the log, because the two
events tell times of different things (the last contact, the regained one); the survival status shown is the one of the
latest `at`, of equal ones the last recorded.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from hepatrail_events.assessments import ContactRegained, LostToFollowUp, SurvivalStatusRecorded, TransplantDone
from hepatrail_events.types import format_instant
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.corrections import Record
from hepatrail_projections.facts import Assessment, SubjectView

Kind = TypeVar("Kind", bound=Assessment)


@dataclass(frozen=True, slots=True)
class Contact:
    """The last contact before the participant was out of reach, None while reached; and when it was last regained."""

    lost_since: datetime | None
    regained_at: datetime | None


def contact(view: SubjectView) -> Contact:
    """The contact as the records that are not void tell it."""
    lost = regained = None
    for record in view.assessments.values():
        if record.voided is not None:
            continue
        if isinstance(record.fact, LostToFollowUp):
            lost = record.fact.last_contact_at
        elif isinstance(record.fact, ContactRegained):
            lost, regained = None, record.fact.at
    return Contact(lost, regained)


def survival(view: SubjectView) -> dict[str, Any] | None:
    """The latest survival status `{at, alive, transplant, transplantAt, source, eventId}`, None before the first."""
    known = standing(view, SurvivalStatusRecorded)
    if not known:
        return None
    latest = max(known, key=lambda record: (record.fact.at, record.streamseq))
    fact = latest.fact
    return {
        "at": format_instant(fact.at),
        "alive": fact.alive.value,
        "transplant": fact.transplant.value,
        "transplantAt": None if fact.transplant_at is None else fact.transplant_at.payload(),
        "source": fact.source.value,
        "eventId": str(latest.event_ids[0]),
    }


def transplants(view: SubjectView, state: ClinicalState | None) -> list[dict[str, Any]]:
    """Every transplant that is not void `{transplantAt, donor, firstAfterT0, eventId}`, in the log's order."""
    stops = () if state is None else state.stops
    counts: set[UUID] = {event_id for stop in stops if stop.cause == "TRANSPLANT" for event_id in stop.event_ids}
    return [
        {
            "transplantAt": record.fact.transplant_at.payload(),
            "donor": None if record.fact.donor is None else record.fact.donor.value,
            "firstAfterT0": record.event_ids[0] in counts,
            "eventId": str(record.event_ids[0]),
        }
        for record in standing(view, TransplantDone)
    ]


def standing(view: SubjectView, kind: type[Kind]) -> list[Record[Kind]]:
    """The assessments of one kind that are not void, in the log's order."""
    found = [each for each in view.assessments.values() if each.voided is None and isinstance(each.fact, kind)]
    return cast(list[Record[Kind]], found)
