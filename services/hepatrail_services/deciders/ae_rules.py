"""What must hold for every adverse event (`safety.md` 4.2), whichever command changes it: checked on the state after.

Decided here, because the reference leaves room: a grade 5 anywhere in the timeline is a death, so an event that is not
fatal holds none (INV-02). Under a new code or term the grade in force and the greatest one must exist, and every one
recorded from then on; lower ones of before stand as they were recorded (INV-03).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from hepatrail_events.adverse_events import Criterion
from hepatrail_events.ae_terms import grade_exists
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.types import Instant, PartialDate
from hepatrail_services.deciders.ae_state import (
    ENDED,
    FATAL_GRADE,
    AdverseEvent,
    AdverseEventEvent,
    AdverseEventsState,
    Origin,
    applied,
    assessor_of,
)
from hepatrail_services.deciders.assessments_state import refuse_onset_after_death
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.times import is_future, is_later, same_time, say

Naming: TypeAlias = Callable[[str], str]
"""From a field of an adverse event (`onset`, `gradeAt`, ...) to the input's field that is at fault."""

_NOT_RECORDED = UUID(int=0)
"""Stands for the id of an event that gets one when it is recorded."""


def as_named(field: str) -> str:
    """The input calls the field as the adverse event does."""
    return field


def naming(**others: str) -> Naming:
    """The input calls some fields otherwise."""
    return lambda field: others.get(field, field)


def always(path: str) -> Naming:
    """One field of the input is at fault, whatever it breaks."""
    return lambda _: path


@dataclass(frozen=True, slots=True)
class Commit:
    """The events of one command so far, and the state after them."""

    state: AdverseEventsState
    origin: Origin
    events: tuple[Event, ...] = ()

    @classmethod
    def begun(cls, state: AdverseEventsState, situation: Situation) -> "Commit":
        """A commit without events."""
        actor = situation.context.actor
        return cls(state, Origin(_NOT_RECORDED, assessor_of(actor.role), actor.id))

    def __getitem__(self, ae_id: UUID) -> AdverseEvent:
        """An adverse event as it stands after the events so far."""
        return self.state.events[ae_id]

    def next_version(self, ae_id: UUID) -> int:
        """INV-12: the aeVersion of the adverse event's next event."""
        return self.state.events[ae_id].version + 1

    def then(self, *events: Event) -> "Commit":
        """The same with further events."""
        state = self.state
        for event in events:
            if isinstance(event, AdverseEventEvent):
                state = applied(state, event, self.origin)
        return replace(self, state=state, events=(*self.events, *events))


def known(events: Mapping[UUID, AdverseEvent], ae_id: UUID, expected: int | None, path: str = "aeId") -> AdverseEvent:
    """The event; CommandRejected for an unknown or void one (INV-11), CONFLICT for another version (INV-12).

    `path` is the input's field with the id; the version stands beside it.
    """
    event = events.get(ae_id)
    if event is None:
        raise CommandRejected("The participant has no such adverse event.", field=path)
    if event.voided:
        raise CommandRejected("The adverse event is void: it takes no further entry.", rule="INV-11", field=path)
    if expected is not None and expected != event.version:
        raise CommandRejected(
            f"The adverse event is at version {event.version} by now: read it again.",
            rule="INV-12",
            field=f"{path.removesuffix('aeId')}expectedAeVersion",
            code="CONFLICT",
        )
    return event


def distinct(criteria: Iterable[Criterion]) -> tuple[Criterion, ...]:
    """The criteria in the order given, each once."""
    return tuple(dict.fromkeys(criteria))


def refuse_broken(
    event: AdverseEvent, death_at: PartialDate | None, situation: Situation, name: Naming = as_named
) -> None:
    """INV-02 to INV-07 and INV-09: CommandRejected when the event, as the command leaves it, breaks one."""
    _refuse_half_fatal(event, death_at, name)
    for grade in (event.grade_in_force(situation.zone), event.max_grade):
        refuse_missing_grade(event, grade, name("grade"))
    _refuse_disorder(event, situation, name)
    if event.fatal and event.grade_in_force(situation.zone) != FATAL_GRADE:
        raise CommandRejected(
            "The grade in force of a fatal adverse event is 5: no other grade comes at its time or later.",
            rule="INV-02",
            field=name("grade"),
        )
    refuse_unaware(event.onset, event.report.aware_at, situation, name)
    for found in (event.investigator, event.sponsor):
        if found.aware_at is not None:
            refuse_unaware(event.onset, found.aware_at, situation, name)
        if found.since is not None:
            situation.past(name("seriousSince"), found.since)
            _refuse_later("onset", event.onset, "seriousSince", found.since, situation, name)
    if death_at is not None:
        refuse_onset_after_death(event.onset, death_at, name("onset"), situation)
        if event.fatal and event.end_at is not None and not same_time(event.end_at, death_at, situation.zone):
            raise CommandRejected(
                f"A fatal adverse event ends with the death on {say(death_at)}.", rule="INV-07", field=name("endAt")
            )


def refuse_missing_grade(event: AdverseEvent, grade: int | None, field: str) -> None:
    """INV-03: CommandRejected when the grade does not exist for the event's code and CTCAE term."""
    if grade is not None and not grade_exists(event.report.code, event.report.ctcae_term, grade):
        raise CommandRejected(
            f"CTCAE v5.0 has no grade {grade} for {event.report.ctcae_term or event.report.code}; "
            "report it under another term.",
            rule="INV-03",
            field=field,
        )


def _refuse_half_fatal(event: AdverseEvent, death_at: PartialDate | None, name: Naming) -> None:
    """INV-02: grade 5, outcome FATAL and the investigator's DEATH stand together, with or after the death's record."""
    graded = any(point.grade == FATAL_GRADE for point in event.grades)
    signs = (graded, event.fatal, Criterion.DEATH in event.investigator.criteria)
    if any(signs) and not all(signs):
        raise CommandRejected(
            "Grade 5, outcome FATAL and the criterion DEATH belong together: all three or none. They are set when "
            "the death is recorded or corrected.",
            rule="INV-02",
            field=name("outcome"),
        )
    if all(signs) and death_at is None:
        raise CommandRejected(
            "A fatal adverse event needs the death: record it in the same command or before.",
            rule="INV-02",
            field=name("outcome"),
        )


def _refuse_disorder(event: AdverseEvent, situation: Situation, name: Naming) -> None:
    """INV-05, INV-06, INV-07 for onset, grades and end, at the coarser precision."""
    situation.past(name("onset"), event.onset)
    situation.past(name("endAt"), event.end_at)
    situation.past(name("frequencyWorsenedAt"), event.report.frequency_worsened_at)
    for point in event.grades:
        situation.past(name("gradeAt"), point.grade_at)
        _refuse_later("onset", event.onset, "gradeAt", point.grade_at, situation, name)
        if event.end_at is not None:
            _refuse_later("gradeAt", point.grade_at, "endAt", event.end_at, situation, name)
    if event.end_at is not None:
        _refuse_later("onset", event.onset, "endAt", event.end_at, situation, name)
    if (event.end_at is not None) != (event.outcome in ENDED):
        needs = "needs an end date" if event.outcome in ENDED else "has no end date"
        raise CommandRejected(f"The outcome {event.outcome} {needs}.", rule="INV-07", field=name("endAt"))


def refuse_unaware(onset: PartialDate, aware_at: Instant, situation: Situation, name: Naming = as_named) -> None:
    """INV-05: nobody knew of it before it began, nor knows later than now."""
    field = name("awareAt")
    if is_future(aware_at, situation.now, situation.zone):
        raise CommandRejected(f"{field} lies in the future.", rule="INV-05", field=field)
    _refuse_later("onset", onset, "awareAt", aware_at, situation, name)


def _refuse_later(
    first: str, earlier: PartialDate, second: str, later: PartialDate | Instant, situation: Situation, name: Naming
) -> None:
    if is_later(earlier, later, situation.zone):
        raise CommandRejected(
            f"{second} ({say(later)}) lies before {first} ({say(earlier)}).", rule="INV-05", field=name(second)
        )


def refuse_wrong_cause(state: AdverseEventsState, death: ParticipantDied | None, field: str) -> None:
    """VIS-03, INV-08: the primary cause is a fatal event, and there is one as soon as any event is fatal."""
    fatal, cause = state.fatal(), death.primary_cause_ae_id if death else None
    if cause is not None and cause not in fatal:
        raise CommandRejected(
            "The primary cause must be a fatal adverse event of the participant.", rule="VIS-03", field=field
        )
    if fatal and cause is None:
        raise CommandRejected(
            "A death with a fatal adverse event has a primary cause: name it.", rule="INV-08", field=field
        )
