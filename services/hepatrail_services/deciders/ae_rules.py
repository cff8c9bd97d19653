"""What must hold for every adverse event (`safety.md` 4.2), whichever command changes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_events.ae_terms import grade_exists
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import Role
from hepatrail_events.types import Instant, PartialDate
from hepatrail_services.deciders.assessments import refuse_onset_after_death
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.times import is_future, is_later, order_key, same_time, say

ENDED = frozenset({Outcome.RECOVERED, Outcome.RECOVERED_WITH_SEQUELAE, Outcome.FATAL})
"""Outcomes that require an end date (INV-07)."""


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """One adverse event as its decisions need it; `grades` is the grade timeline in log order."""

    version: int
    code: str
    ctcae_term: str | None
    onset: PartialDate
    grades: tuple[tuple[PartialDate, int], ...]
    of_investigator: frozenset[Criterion]
    of_sponsor: frozenset[Criterion]
    outcome: Outcome
    end_at: PartialDate | None

    @property
    def fatal(self) -> bool:
        """Whether it is a fatal one (INV-02)."""
        return self.outcome is Outcome.FATAL

    def grade_in_force(self, zone: ZoneInfo) -> int | None:
        """The grade of the greatest gradeAt, of equal ones the last recorded (`safety.md` 4.1)."""
        ranked = [(order_key(at, zone), number, grade) for number, (at, grade) in enumerate(self.grades)]
        return max(ranked)[2] if ranked else None


def by_sponsor(role: Role) -> bool:
    """Whether the assessor is the sponsor; everybody else assesses for the site."""
    return role is Role.SPONSOR


def distinct(criteria: Iterable[Criterion]) -> tuple[Criterion, ...]:
    """The criteria in the order given, each once."""
    return tuple(dict.fromkeys(criteria))


def refuse_half_fatal(event: AdverseEvent, death_at: PartialDate | None, field: str, zone: ZoneInfo) -> None:
    """INV-02: grade 5, outcome FATAL and the investigator's DEATH stand together, with or after the death's record."""
    signs = (event.grade_in_force(zone) == 5, event.fatal, Criterion.DEATH in event.of_investigator)
    if any(signs) and not all(signs):
        raise CommandRejected(
            "Grade 5, outcome FATAL and the criterion DEATH belong together: all three or none.",
            rule="INV-02",
            field=field,
        )
    if all(signs) and death_at is None:
        raise CommandRejected(
            "A fatal adverse event needs the death: record it in the same command or before.",
            rule="INV-02",
            field=field,
        )


def refuse_missing_grade(event: AdverseEvent, field: str) -> None:
    """INV-03: every grade of the timeline exists for the event's code and CTCAE term."""
    for _, grade in event.grades:
        if not grade_exists(event.code, event.ctcae_term, grade):
            raise CommandRejected(
                f"CTCAE v5.0 has no grade {grade} for {event.ctcae_term or event.code}; report it under another term.",
                rule="INV-03",
                field=field,
            )


def refuse_disorder(event: AdverseEvent, situation: Situation) -> None:
    """INV-05, INV-06, INV-07 for onset, grades and end, at the coarser precision."""
    zone = situation.zone
    situation.past("onset", event.onset)
    situation.past("endAt", event.end_at)
    for graded_at, _ in event.grades:
        situation.past("gradeAt", graded_at)
        _refuse_later("onset", event.onset, "gradeAt", graded_at, zone)
        if event.end_at is not None:
            _refuse_later("gradeAt", graded_at, "endAt", event.end_at, zone)
    if event.end_at is not None:
        _refuse_later("onset", event.onset, "endAt", event.end_at, zone)
    if (event.end_at is not None) != (event.outcome in ENDED):
        needs = "needs an end date" if event.outcome in ENDED else "has no end date"
        raise CommandRejected(f"The outcome {event.outcome} {needs}.", rule="INV-07", field="endAt")


def refuse_against_death(event: AdverseEvent, death_at: PartialDate | None, situation: Situation) -> None:
    """INV-07 to INV-09: no onset after the death; a fatal event ends with it."""
    if death_at is None:
        return
    refuse_onset_after_death(event.onset, death_at, "onset", situation)
    if event.fatal and event.end_at is not None and not same_time(event.end_at, death_at, situation.zone):
        raise CommandRejected(
            f"A fatal adverse event ends with the death on {say(death_at)}.", rule="INV-07", field="endAt"
        )


def refuse_unaware(onset: PartialDate, aware_at: Instant, situation: Situation) -> None:
    """INV-05: nobody knew of it before it began, nor knows later than now."""
    if is_future(aware_at, situation.now, situation.zone):
        raise CommandRejected("awareAt lies in the future.", rule="INV-05", field="awareAt")
    _refuse_later("onset", onset, "awareAt", aware_at, situation.zone)


def refuse_early(onset: PartialDate, field: str, when: PartialDate, zone: ZoneInfo) -> None:
    """INV-05: CommandRejected when a time of the event lies before its onset."""
    _refuse_later("onset", onset, field, when, zone)


def _refuse_later(first: str, earlier: PartialDate, second: str, later: PartialDate | Instant, zone: ZoneInfo) -> None:
    if is_later(earlier, later, zone):
        raise CommandRejected(
            f"{second} ({say(later)}) lies before {first} ({say(earlier)}).", rule="INV-05", field=second
        )


def known(events: Mapping[UUID, AdverseEvent], ae_id: UUID, expected_version: int | None) -> AdverseEvent:
    """The event; CommandRejected when the participant has no such one, CONFLICT when its version is another."""
    event = events.get(ae_id)
    if event is None:
        raise CommandRejected("The participant has no such adverse event.", field="aeId")
    if expected_version is not None and expected_version != event.version:
        raise CommandRejected(
            f"The adverse event is at version {event.version} by now: read it again.",
            rule="INV-12",
            field="expectedAeVersion",
            code="CONFLICT",
        )
    return event
