"""All outcomes of the trial, from what each participant contributes (`endpoints.md`)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version as package_version

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.derive import OutcomeRows
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.endpoints.change_facts import ChangeFacts, change_facts
from hepatrail_projections.endpoints.change_tables import change_tables
from hepatrail_projections.endpoints.exposure_facts import ExposureFacts, exposure_facts
from hepatrail_projections.endpoints.exposure_tables import exposure_tables
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.endpoints.safety_facts import SafetyFacts, safety_facts
from hepatrail_projections.endpoints.safety_tables import safety_tables
from hepatrail_projections.endpoints.sets_tables import sets_tables
from hepatrail_projections.endpoints.survival_facts import SurvivalFacts, survival_facts
from hepatrail_projections.endpoints.survival_tables import survival_tables
from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.version import PROJECTION_VERSION

CODE_VERSION = f"hepatrail {package_version('hepatrail')}, projections {PROJECTION_VERSION}"
"""What computed a number; it changes with everything that could change one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one participant contributes to every table."""

    subject_id: str
    safety: SafetyFacts
    survival: SurvivalFacts
    change: ChangeFacts
    exposure: ExposureFacts


def facts_of(rows: OutcomeRows, protocol: Protocol, before: Facts | None = None) -> Facts:
    """A participant's part, from the rows as of the data cut.

    `before` is an earlier part of the same participant under the same protocol: what is equal is the same object then,
    so that tables see at once what they need not make again.
    """
    survival = survival_facts(rows, protocol)
    facts = Facts(
        rows.subject.subject_id,
        safety_facts(rows, protocol, survival.follow_up),
        survival,
        change_facts(rows, protocol, None if before is None else before.change),
        exposure_facts(rows, protocol),
    )
    return facts if before is None else unchanged(facts, before)


def unchanged(facts: Facts, other: Facts) -> Facts:
    """The facts, with the objects of another part of the same participant in place of those that are equal."""
    change, safety, known = facts.change, facts.safety, other.change.entries
    entries = {place: known[place] if known.get(place) == each else each for place, each in change.entries.items()}
    return Facts(
        facts.subject_id,
        replace(safety, events=other.safety.events) if safety.events == other.safety.events else safety,
        other.survival if facts.survival == other.survival else facts.survival,
        replace(change, entries=entries),
        other.exposure if facts.exposure == other.exposure else facts.exposure,
    )


def outcomes(
    facts: Iterable[Facts], published: PublishedProtocol | None, as_of: datetime, memory: Memory | None = None
) -> Outcomes:
    """Every table, in the order of `endpoints.md`; the same facts in any order give the same tables.

    `memory` is of one trial under one version of its protocol, and changes nothing but the time that this takes.
    """
    known = sorted(facts, key=lambda each: each.subject_id)
    if published is None:
        return Outcomes(as_of, None, CODE_VERSION, 0, ())
    protocol, kept = published.protocol, memory or Memory()
    safety, change = [each.safety for each in known], [each.change for each in known]
    survival, exposure = [each.survival for each in known], [each.exposure for each in known]
    # Of the data cut the tables use the civil day at the sites.
    under = published.version, local_date(as_of, site_zone(protocol.site_zone))
    tables = (
        *sets_tables(safety, change, protocol, as_of, kept),
        *safety_tables(safety, protocol, as_of, kept),
        *kept.made("survival", (under, survival), lambda: survival_tables(survival, protocol, as_of)),
        *change_tables(change, protocol, as_of, kept),
        *kept.made("exposure", (under, exposure), lambda: exposure_tables(exposure, protocol, as_of, kept)),
    )
    return Outcomes(as_of, published.version, CODE_VERSION, sum(each.treated for each in safety), tables)
