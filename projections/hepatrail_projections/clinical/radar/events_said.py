"""What the radar says of an adverse event, and which of its events show it."""

from collections.abc import Iterable
from uuid import UUID

from hepatrail_events.adverse_events import Assessor
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.facts import ResultFact


def named(fact: AdverseEventFact) -> str:
    """An adverse event as a person reads it; never its verbatim."""
    grade = "no grade" if fact.max_grade is None else f"grade {fact.max_grade}"
    return f"{fact.reported.code} ({grade})"


def shown_by(fact: AdverseEventFact) -> tuple[UUID, ...]:
    """The events that say what it is, how severe and how serious: report, greatest grade, criteria of each assessor."""
    greatest = [point.event_id for point in fact.grades if point.grade == fact.max_grade]
    criteria = {each.assessor: each.event_id for each in fact.criteria_history}
    return each_once((fact.event_ids[0],), greatest[-1:], criteria.values())


def judged_by(fact: AdverseEventFact) -> tuple[UUID, ...]:
    """The events in which the investigator judged causality."""
    return each_once(each.event_id for each in fact.causality if each.assessor is Assessor.INVESTIGATOR)


def each_once(*ids: Iterable[UUID]) -> tuple[UUID, ...]:
    """The ids, each once, in their order."""
    return tuple(dict.fromkeys(each for some in ids for each in some))


def result_said(fact: ResultFact) -> str:
    """A result as a person reads it: what, how much, in which unit."""
    return f"{fact.code} {fact.comparator or ''}{fact.value} {fact.unit or ''}".rstrip()
