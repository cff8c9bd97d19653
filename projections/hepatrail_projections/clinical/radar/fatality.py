"""Death and what adverse events say of it: a criterion, a record or a fatal event that is missing.

When it can occur. INV-02, INV-04 and INV-08 refuse a commit after which a fatal adverse event lacks grade 5, `DEATH`
or the death record, and a participant who is found alive keeps no fatal one (VIS-03). So the first two cannot come
through the commands of today; they can stand in a log that another system wrote, that was migrated, or that older
rules let pass, and then nobody would ask. A death without a fatal adverse event is lawful, and asked about by INV-18.

Decided here: INV-18's query asks, and this finding is listed when that query opens. It names, as what to look at
first, the severe or serious adverse events that may have been going when the participant died.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_projections.ae_facts import FATAL_GRADE, AdverseEventFact
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.clinical.radar.course import Point, Run, Version, ends, runs, standing
from hepatrail_projections.clinical.radar.each_event import each_event
from hepatrail_projections.clinical.radar.events_said import each_once, named, shown_by
from hepatrail_projections.clinical.radar.known import Events, Known, begins, points_of
from hepatrail_projections.clinical.radar.sighting import About, Question, Seen, Severity
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import DeathFact

_SEVERE = 3


def without_criterion(known: Known) -> Iterator[tuple[About, Run]]:
    """An adverse event is fatal, or the cause of death, and its investigator does not find DEATH."""
    causes = {each.fact.died.primary_cause_ae_id for each in known.death}

    def judge(version: Version[AdverseEventFact], at: datetime | None) -> Mapping[str, Seen]:
        fact, death = version.fact, known.death_standing(at)
        caused = death if death is not None and death.died.primary_cause_ae_id == fact.reported.ae_id else None
        if Criterion.DEATH in fact.of_investigator or (caused is None and not _fatal(fact)):
            return {}
        said = "is fatal" if caused is None else "is the cause of death"
        words = f"The adverse event {named(fact)} {said} and lacks the criterion DEATH; add it, or correct the other."
        evidence = each_once(shown_by(fact), _of(caused))
        since = version.since if caused is None else max(version.since, caused.recorded_at)
        return {"": Seen(since, Severity.CRITICAL, words, evidence, Question("RAD-01"), fact.event_ids)}

    yield from each_event(
        known, lambda fact: _fatal(fact) or fact.reported.ae_id in causes, judge, lambda _: ends(known.death)
    )


def without_record(known: Known) -> Iterator[tuple[About, Run]]:
    """An adverse event is fatal and no death of the participant is on record."""

    def judge(version: Version[AdverseEventFact], at: datetime | None) -> Mapping[str, Seen]:
        fact, record = version.fact, standing(known.death, at)
        if not _deadly(fact) or known.death_standing(at) is not None:
            return {}
        alive = "" if record is None else "; the participant was found alive"
        words = (
            f"The adverse event {named(fact)} is fatal and no death is on record{alive}; record the death, or correct "
            "grade, outcome and criteria."
        )
        evidence = each_once(shown_by(fact), _of(record))
        return {"": Seen(version.since, Severity.CRITICAL, words, evidence, Question("RAD-07"), fact.event_ids)}

    first = [Point(each.since, each.made_by) for each in known.death[:1]]
    yield from each_event(known, _deadly, judge, lambda _: [*first, *ends(known.death)])


def without_fatal_event(known: Known) -> Iterator[tuple[About, Run]]:
    """The participant died and no adverse event that counts is fatal, some hours after it was recorded."""
    fatal: list[Events] = [
        course for course in known.adverse_events.values() if any(_ended_fatally(each.fact) for each in course)
    ]
    hours = known.safety.entry_reminder_hours

    def look(at: datetime | None) -> Mapping[About, Seen]:
        death = known.death_standing(at)
        facts = [standing(course, at) for course in fatal]
        if death is None or any(each and each.voided is None and _ended_fatally(each) for each in facts):
            return {}
        going = _going_at(death, known, at)
        hint = f" It may have been {' or '.join(map(named, going))}." if going else ""
        words = (
            "The participant died and no adverse event is fatal; report the adverse event that led to death, DEATH_NOS "
            f"when none is known.{hint}"
        )
        evidence = each_once(death.event_ids, *map(shown_by, going))
        seen = Seen(death.recorded_at, Severity.CRITICAL, words, evidence, Question("INV-18"), wait_hours=hours)
        return {About(QueryObject.DEATH, recorded_by(death)): seen}

    if known.death:
        yield from runs([*ends(known.death), *points_of(fatal), *begins(fatal)], look).items()


def recorded_by(record: DeathFact) -> UUID:
    """The event that recorded the death as it stands: what the query of INV-18 is about."""
    corrections = {made.event_id for made in record.corrections}
    return [event_id for event_id in record.event_ids if event_id not in corrections][-1]


def _going_at(death: DeathFact, known: Known, at: datetime | None) -> list[AdverseEventFact]:
    """The severe or serious adverse events that may have been going at the death, in the order reported."""
    when = span(death.died.death_at, known.zone)
    if when is None:
        return []
    facts = (standing(course, at) for course in known.adverse_events.values())
    return [
        fact
        for fact in facts
        if fact is not None and (fact.serious or (fact.max_grade or 0) >= _SEVERE) and known.covers(fact, *when)
    ]


def _ended_fatally(fact: AdverseEventFact) -> bool:
    return fact.outcome is Outcome.FATAL


def _fatal(fact: AdverseEventFact) -> bool:
    return _ended_fatally(fact) or fact.max_grade == FATAL_GRADE


def _deadly(fact: AdverseEventFact) -> bool:
    return _fatal(fact) or Criterion.DEATH in fact.criteria


def _of(record: DeathFact | None) -> tuple[UUID, ...]:
    return () if record is None else record.event_ids
