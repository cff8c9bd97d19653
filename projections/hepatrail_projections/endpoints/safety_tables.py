"""The tables of adverse events (`endpoints.md` section 2), from what all participants contribute."""

from collections.abc import Sequence
from datetime import datetime

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.endpoints.safety_by_point import point_tables
from hepatrail_projections.endpoints.safety_by_term import term_table
from hepatrail_projections.endpoints.safety_cells import safety_set
from hepatrail_projections.endpoints.safety_facts import SafetyFacts
from hepatrail_projections.endpoints.safety_lines import groups_table, overview_table
from hepatrail_projections.endpoints.safety_rates import rate_table


def safety_tables(
    facts: Sequence[SafetyFacts], protocol: Protocol, as_of: datetime, memory: Memory | None = None
) -> tuple[Table, ...]:
    """Every table of section 2; `facts` in any order, derived as of the data cut `as_of` (aware)."""
    saf = safety_set(facts, protocol, memory or Memory())
    events = saf.confidence, [(each.subject_id, each.events) for each in saf.members]
    untreated = sorted((each for each in facts if not each.treated), key=lambda each: each.subject_id)
    return (
        overview_table(saf, untreated),
        groups_table(saf),
        saf.memory.made("terms", events, lambda: term_table(saf)),
        *point_tables(saf, protocol),
        rate_table(saf, local_date(as_of, site_zone(protocol.site_zone))),
    )
