"""A stay in hospital that an adverse event may have brought or prolonged, without HOSPITALISATION or any criterion.

Two facts show one: a blood gas taken during the adverse event although the participant was an outpatient before it
(admitted), and one taken more than `stay_days` after its onset without having been an outpatient since (prolonged).

Decided here, because the reference leaves room:

- Planned admissions do not count, and nothing in the record says which are planned: so it asks.
- A prolonged stay is asked about from grade 2 on: of grade 1, which needs no treatment, it is not expected. Without any
  grade it is. From grade 3 on INV-15 asks already while the participant was an inpatient at onset.
- What another adverse event that is serious and was going accounts for is flagged already.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.clinical.radar.course import Point, Run, Version, ends, late, standing
from hepatrail_projections.clinical.radar.each_event import each_event
from hepatrail_projections.clinical.radar.events_said import each_once, named, shown_by
from hepatrail_projections.clinical.radar.gases import Gas, gases_of, outpatient_at
from hepatrail_projections.clinical.radar.known import Events, Known, begins, points_of
from hepatrail_projections.clinical.radar.sighting import About, Question, Seen, Severity
from hepatrail_projections.queries.finding import say

_MILD, _SEVERE = 1, 3


def without_hospitalisation(known: Known) -> Iterator[tuple[About, Run]]:
    """An adverse event that is not serious and went with an admission or a long stay."""
    gases = gases_of(known)
    if not gases:
        return
    stay = timedelta(days=known.safety.radar.stay_days)
    changed = [*ends(each.version for each in gases), *late((each.first, each.version) for each in gases)]

    def judge(version: Version[AdverseEventFact], at: datetime | None) -> Mapping[str, Seen]:
        fact = version.fact
        shown = None if fact.serious else _stay(fact, [each for each in gases if each.version.known_before(at)], known)
        if shown is None or _accounted_for(shown[-1], known, at):
            return {}
        admitted = shown[0].outpatient
        if not admitted and fact.max_grade == _MILD:
            return {}
        asked = not admitted and fact.max_grade is not None and fact.max_grade >= _SEVERE
        collected = shown[-1].version.fact.observation.collected
        why = (
            f"the participant, an outpatient before, was in hospital on {say(collected)}"
            if admitted
            else f"the participant was still in hospital on {say(collected)}, over {stay.days} days after its onset"
        )
        words = (
            f"The adverse event {named(fact)} is not serious, but {why}; add HOSPITALISATION, or say why the stay was "
            "not due to it."
        )
        since = max(version.since, *(each.version.since for each in shown))
        evidence = each_once(shown_by(fact), *(each.version.fact.event_ids for each in shown))
        question = Question("INV-15" if asked else "RAD-02")
        beside = known.said_of(known.ever_covering(shown[-1].first, shown[-1].last, serious=True), at)
        return {"": Seen(since, Severity.MAJOR, words, evidence, question, each_once(fact.event_ids, beside))}

    def further(course: Events) -> list[Point]:
        said = [known.lasted(each.fact) for each in course]
        begin, end = min(each[0] for each in said), max(each[1] for each in said)
        serious = known.ever_covering(begin, end, serious=True)
        return [*changed, *points_of(serious), *begins(serious)]

    yield from each_event(known, lambda fact: not fact.serious, judge, further)


def _stay(fact: AdverseEventFact, gases: Sequence[Gas], known: Known) -> tuple[Gas, ...] | None:
    """The gases that show an admission (outpatient, then taken) or a long stay (taken), None when nothing does."""
    onset = span(fact.reported.onset, known.zone)
    if onset is None:
        return None
    _, end = known.lasted(fact)
    left = outpatient_at(gases, onset[0])
    long = onset[1] + timedelta(days=known.safety.radar.stay_days)
    for gas in gases:
        if gas.first < onset[0] or gas.first >= end:
            continue
        if gas.outpatient:
            left = gas
        elif left is not None:
            return (left, gas)
        elif gas.first > long:
            return (gas,)
    return None


def _accounted_for(gas: Gas, known: Known, at: datetime | None) -> bool:
    facts = (standing(course, at) for course in known.ever_covering(gas.first, gas.last, serious=True))
    return any(fact is not None and fact.serious and known.covers(fact, gas.first, gas.last) for fact in facts)
