"""What the site owes: the sponsor, the ethics committee and the institution within 24 hours (`safety.md` 5.2).

The recording is the report to the sponsor, so that this clock is met with the commit that opens it, or was met by an
earlier notification. Both run from the investigator's own finding only, one each time that finding is made.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from hepatrail_events.submissions import Recipient
from hepatrail_projections.clinical.reporting.awareness import site_aware_at, site_finding
from hepatrail_projections.clinical.reporting.clock import ClockType
from hepatrail_projections.clinical.reporting.deadlines import Term, within_24_hours
from hepatrail_projections.clinical.reporting.duties import Duty, Met
from hepatrail_projections.clinical.reporting.handing_over import REPORT, Handed, both, handed_over
from hepatrail_projections.clinical.reporting.moments import Moment, runs


def site_duties(moments: Sequence[Moment]) -> Iterator[Duty]:
    """All that the site owed and owes."""
    for first, behind in runs(each.is_serious_to_site for each in moments):
        yield _to_sponsor(moments, first, behind)
    for first, behind in runs(each.is_serious_to_site and each.rules.ec_sae_24h for each in moments):
        yield _to_committee(moments, first, behind)


def _to_sponsor(moments: Sequence[Moment], first: int, behind: int) -> Duty:
    begun = moments[first]

    def met(number: int, _until: datetime | None) -> Handed | None:
        now = moments[number]
        found = site_finding(begun, now)
        recorded = Handed(begun.at if found is None else found.received_at, (), begun.event_ids)
        known_since = site_aware_at(begun, now)
        notified = [
            Handed(each.fact.notified_at, (), each.event_ids)
            for each in now.notifications
            if first == 0 or each.fact.notified_at >= known_since
        ]
        return min((recorded, *notified), key=lambda each: each.at)

    return _duty(ClockType.INV_SAE_24H, moments, first, behind, met)


def _to_committee(moments: Sequence[Moment], first: int, behind: int) -> Duty:
    begun = moments[first]

    def met(number: int, until: datetime | None) -> Handed | None:
        now = moments[number]
        since = None if first == 0 else site_aware_at(begun, now)
        return both(
            handed_over(now, Recipient.EC, REPORT, since, until),
            handed_over(now, Recipient.INSTITUTION, REPORT, since, until),
        )

    return _duty(ClockType.EC_SAE_24H, moments, first, behind, met)


def _duty(kind: ClockType, moments: Sequence[Moment], first: int, behind: int, met: Met) -> Duty:
    begun = moments[first]

    def term(number: int) -> Term:
        return within_24_hours(site_aware_at(begun, moments[number]), begun.rules)

    return Duty(kind, first, first, lambda number: number < behind, term, met)
