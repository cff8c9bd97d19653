"""The radar's questions to the site, RAD-01 to RAD-08: each asks about a finding that no other rule asks about.

What a finding is and whether its condition holds, `clinical/radar/` says; its life is that of any data query. Findings
about which INV-15, INV-18 or INV-20 ask have no rule here, so that nobody is asked twice.
"""

from collections.abc import Callable, Iterator

from hepatrail_projections.clinical.radar.catalogue import sightings
from hepatrail_projections.clinical.radar.reported_grade import GRADES
from hepatrail_projections.clinical.radar.sighting import Sighting
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, together

_EVENT = ((QueryObject.ADVERSE_EVENT, ""),)
_ROWS = ((QueryObject.LAB_FINDING, ""),)
_DONE = tuple(
    (kind, "")
    for kind in (QueryObject.PROCEDURE, QueryObject.MEDICATION, QueryObject.ASSESSMENT, QueryObject.OBSERVATION)
)


def _asking(rule_id: str) -> Callable[[SubjectView, ClinicalState], Iterator[Finding]]:
    """What finds the conditions of a rule: the findings that it asks about and whose condition holds."""

    def find(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
        for each in sightings(view, state):
            if each.seen.question.rule == rule_id and each.gone_at is None:
                yield _finding(each)

    return find


def _finding(sighting: Sighting) -> Finding:
    about, seen = sighting.about, sighting.seen
    return Finding(
        about.kind,
        about.object_id,
        (Condition(sighting.kind.value, seen.words),),
        together(seen.evidence, seen.rests_on),
        opens_at=sighting.opened_at if sighting.waits else None,
        aspect=seen.question.aspect,
    )


def _rule(rule_id: str, asks_about: tuple[tuple[QueryObject, str], ...]) -> Rule:
    return Rule(rule_id, "1", asks_about, _asking(rule_id))


RADAR_RULES: tuple[Rule, ...] = (
    _rule("RAD-01", _EVENT),
    _rule("RAD-02", _EVENT),
    _rule("RAD-03", (*_DONE, *_ROWS)),
    _rule("RAD-04", tuple((QueryObject.ADVERSE_EVENT, f":{grade}") for grade in GRADES)),
    _rule("RAD-05", _ROWS),
    _rule("RAD-06", _EVENT),
    _rule("RAD-07", _EVENT),
    _rule("RAD-08", _ROWS),
)
"""In the order of their numbers. The version of a rule is that of its detector."""
