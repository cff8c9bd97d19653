"""One adverse event over time: what was known of it, and what followed, after every commit that changed any of that."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.submissions import SponsorNotified, SubmissionRecorded
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.adverse_events.predicates import Predicates
from hepatrail_projections.corrections import Record


@dataclass(frozen=True, slots=True)
class Moment:
    """An adverse event right after a commit, or when a protocol version took effect (`of_protocol`).

    `at` is when that was recorded, or took effect; `event_ids` are the events that did it. `predicates` hold under
    the rules of the protocol version `version`; `device_assumed`: it counts as related to the device only because the
    investigator has not assessed that yet. Submissions that are void by now are left out.
    """

    commit_id: UUID
    event_ids: tuple[UUID, ...]
    at: datetime
    of_protocol: bool
    version: str
    rules: SafetyRules
    zone: ZoneInfo
    fact: AdverseEventFact
    predicates: Predicates
    device_assumed: bool
    notifications: tuple[Record[SponsorNotified], ...]
    submissions: tuple[Record[SubmissionRecorded], ...]

    @property
    def voided(self) -> bool:
        """Whether the adverse event is void."""
        return self.fact.voided is not None

    @property
    def is_serious_to_site(self) -> bool:
        """Whether the investigator finds it serious, whatever the sponsor finds."""
        return not self.voided and bool(self.fact.of_investigator)

    @property
    def is_susar(self) -> bool:
        """Whether it is to be reported as a SUSAR, provisional ones included."""
        return "CN_DRUG" in self.rules.regimes and self.predicates.susar

    @property
    def is_device_sae(self) -> bool:
        """Whether it is to be reported as an SAE related to the device."""
        return "CN_DEVICE" in self.rules.regimes and self.predicates.dev_sae

    @property
    def is_fatal_or_threatening(self) -> bool:
        """Whether DEATH or LIFE_THREATENING is in force."""
        return self.predicates.fatal_lt


def runs(flags: Iterable[bool]) -> tuple[tuple[int, int], ...]:
    """The stretches in which something holds, as [first, behind the last); the last may still go on."""
    found: list[tuple[int, int]] = []
    begun, number = None, -1
    for number, flag in enumerate(flags):
        if flag and begun is None:
            begun = number
        elif not flag and begun is not None:
            found.append((begun, number))
            begun = None
    return (*found, (begun, number + 1)) if begun is not None else tuple(found)
