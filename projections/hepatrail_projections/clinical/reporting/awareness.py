"""Since when site and sponsor are held to know what must be reported (`safety.md` 5.2, rule Day 0).

Decided here, because the reference leaves room:

- A notification of the sponsor counts for what it can have been about: for an adverse event that was to be reported
  from its first commit on, each; for criteria that came later, one from the awareness of these on.
- Judgements of causality and expectedness and what moves T0 carry no time of awareness: they are known when they are
  recorded, and so is what a protocol version brings, when it takes effect.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from hepatrail_events.adverse_events import Assessor
from hepatrail_projections.ae_facts import CriteriaChange
from hepatrail_projections.clinical.reporting.moments import Moment


def sponsor_aware_at(moments: Sequence[Moment], start: int, now: Moment) -> datetime:
    """When the sponsor knew of what began to hold with moment `start`, by what is known `now`."""
    begun = moments[start]
    stated = _stated(begun, now)
    known = [begun.at]
    if begun.rules.sponsor_is_site and stated is not None:
        known.append(stated)
    if start == 0:
        known += [each.fact.notified_at for each in now.notifications]
    elif stated is not None:
        known += [each.fact.notified_at for each in now.notifications if each.fact.notified_at >= stated]
    return min(known)


def site_finding(begun: Moment, now: Moment) -> CriteriaChange | None:
    """The investigator's finding in a commit that the event is serious, in its latest version; None: not there."""
    own = (each for each in _changes(begun, now) if each.assessor is Assessor.INVESTIGATOR and each.criteria)
    return next(own, None)


def site_aware_at(begun: Moment, now: Moment) -> datetime:
    """When the site knew that the event is serious, which it found in a commit."""
    found = site_finding(begun, now)
    return begun.at if found is None or found.aware_at is None else found.aware_at


def change_aware_at(begun: Moment, now: Moment) -> datetime:
    """When somebody knew of what a commit says of the criteria; where it says nothing, when it was recorded."""
    return _stated(begun, now) or begun.at


def _stated(begun: Moment, now: Moment) -> datetime | None:
    return min((each.aware_at for each in _changes(begun, now) if each.aware_at is not None), default=None)


def _changes(begun: Moment, now: Moment) -> Iterator[CriteriaChange]:
    return (each for each in now.fact.criteria_history if each.commit_id == begun.commit_id)
