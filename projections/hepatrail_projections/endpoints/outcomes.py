"""All outcomes of the trial, from what each participant contributes (`endpoints.md`)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as package_version

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.endpoints.change_facts import ChangeFacts, change_facts
from hepatrail_projections.endpoints.change_tables import change_tables
from hepatrail_projections.endpoints.exposure_facts import ExposureFacts, exposure_facts
from hepatrail_projections.endpoints.exposure_tables import exposure_tables
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


def facts_of(rows: SubjectRows, protocol: Protocol) -> Facts:
    """A participant's part, from the rows as of the data cut."""
    return Facts(
        rows.subject.subject_id,
        safety_facts(rows, protocol),
        survival_facts(rows, protocol),
        change_facts(rows, protocol),
        exposure_facts(rows, protocol),
    )


class TableMemory:
    """The tables made last of each family: an event changes few of them, and an unchanged one is not made again."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, tuple[Table, ...]]] = {}

    def tables(self, family: str, made_of: object, make: Callable[[], tuple[Table, ...]]) -> tuple[Table, ...]:
        """Those of before where they were made of the same, else what `make` makes."""
        known = self._made.get(family)
        if known is None or known[0] != made_of:
            known = self._made[family] = (made_of, make())
        return known[1]


def outcomes(
    facts: Iterable[Facts], published: PublishedProtocol | None, as_of: datetime, memory: TableMemory | None = None
) -> Outcomes:
    """Every table, in the order of `endpoints.md`; the same facts in any order give the same tables.

    `memory` changes nothing but the time that this takes.
    """
    known = sorted(facts, key=lambda each: each.subject_id)
    if published is None:
        return Outcomes(as_of, None, CODE_VERSION, 0, ())
    protocol, kept = published.protocol, memory or TableMemory()
    safety, change = [each.safety for each in known], [each.change for each in known]
    survival, exposure = [each.survival for each in known], [each.exposure for each in known]
    # Of the data cut the tables use the civil day at the sites.
    under = published.version, local_date(as_of, site_zone(protocol.site_zone))
    tables = (
        *kept.tables("sets", (under, safety, change), lambda: sets_tables(safety, change, protocol, as_of)),
        *kept.tables("safety", (under, safety), lambda: safety_tables(safety, protocol, as_of)),
        *kept.tables("survival", (under, survival), lambda: survival_tables(survival, protocol, as_of)),
        *kept.tables("change", (under, change), lambda: change_tables(change, protocol, as_of)),
        *kept.tables("exposure", (under, exposure), lambda: exposure_tables(exposure, protocol, as_of)),
    )
    return Outcomes(as_of, published.version, CODE_VERSION, sum(each.treated for each in safety), tables)
