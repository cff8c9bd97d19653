"""Adverse events of grade 4 that nobody has judged: no seriousness criterion, or no causality.

Decided here, because the reference leaves room:

- Whoever found a criterion once and took it back has judged: severity is not seriousness, so a downgrade with its
  reason stands and nothing is found.
- Who asks: about the criterion INV-15, which asks about every grade 4 that is not LIFE_THREATENING; about the
  causality of a serious event INV-20, of another one the radar's own rule, after the same number of hours.
- Grade 5 is a matter of the death record (`fatality.py`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from hepatrail_events.adverse_events import Assessor, CausalityTarget
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.radar.course import Run, Version
from hepatrail_projections.clinical.radar.each_event import each_event
from hepatrail_projections.clinical.radar.events_said import each_once, judged_by, named, shown_by
from hepatrail_projections.clinical.radar.known import Known
from hepatrail_projections.clinical.radar.sighting import About, Question, Seen, Severity

_LIFE_THREATENING = 4
_NEEDED = {CausalityTarget.CELL_PRODUCT: "the cell product", CausalityTarget.DEVICE: "the device"}


def without_criterion(known: Known) -> Iterator[tuple[About, Run]]:
    """Grade 4, and no assessor ever named or took back a criterion."""

    def judge(version: Version[AdverseEventFact], _: datetime | None) -> Mapping[str, Seen]:
        fact = version.fact
        if not _grade_four(fact) or fact.criteria_history:
            return {}
        words = (
            f"The adverse event {named(fact)} has no seriousness criterion; add LIFE_THREATENING or another, correct "
            "the grade, or say why it was not serious."
        )
        return {"": Seen(version.since, Severity.MAJOR, words, shown_by(fact), Question("INV-15"), fact.event_ids)}

    yield from each_event(known, _grade_four, judge)


def without_causality(known: Known) -> Iterator[tuple[About, Run]]:
    """Grade 4, and the investigator has not judged cell product and device some hours after it was known."""
    hours = known.safety.entry_reminder_hours

    def judge(version: Version[AdverseEventFact], _: datetime | None) -> Mapping[str, Seen]:
        fact = version.fact
        judged = {target for assessor, target in fact.causality_in_force if assessor is Assessor.INVESTIGATOR}
        lacking = [words for target, words in _NEEDED.items() if target not in judged]
        if not _grade_four(fact) or not lacking:
            return {}
        words = f"The adverse event {named(fact)} lacks the causality for {' and '.join(lacking)}; assess it."
        evidence = each_once(shown_by(fact), judged_by(fact))
        question = Question("INV-20" if fact.serious else "RAD-06")
        return {"": Seen(version.since, Severity.MAJOR, words, evidence, question, fact.event_ids, hours)}

    yield from each_event(known, _grade_four, judge)


def _grade_four(fact: AdverseEventFact) -> bool:
    return fact.max_grade == _LIFE_THREATENING
