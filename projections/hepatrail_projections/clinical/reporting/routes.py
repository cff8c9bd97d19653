"""The two routes of expedited reporting: of a SUSAR to the drug authority, of a device SAE to those of devices.

Decided here, because the reference leaves room:

- Where DEATH or LIFE_THREATENING falls away before the report, the clock of 7 days is cancelled and one of 15 days
  takes its place, if none runs: with the old Day 0, because what must be reported held throughout.
- An adverse event that qualifies once more, or grows worse once it was reported, asks for a report handed over from
  then on; as the case is known to the authority, a follow-up does as well. Before that, what was handed over before
  the finding was recorded counts too, but nothing from before the state in which there was nothing to report.
- The authorities of devices take any report but a nullification. "Other serious safety risk" has no event of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from hepatrail_events.submissions import Recipient
from hepatrail_projections.clinical.reporting.awareness import sponsor_aware_at
from hepatrail_projections.clinical.reporting.clock import ClockType
from hepatrail_projections.clinical.reporting.deadlines import FIFTEEN_DAYS, SEVEN_DAYS, Term, within_days
from hepatrail_projections.clinical.reporting.duties import Duty
from hepatrail_projections.clinical.reporting.handing_over import INITIAL, REPORT, Handed, handed_over
from hepatrail_projections.clinical.reporting.moments import Moment, runs


@dataclass(frozen=True, slots=True)
class Route:
    """What is reported to whom; `provisional`: it would not be but for a missing assessment."""

    seven: ClockType
    fifteen: ClockType
    to: Recipient
    applies: Callable[[Moment], bool]
    provisional: Callable[[Moment], bool]


DRUG = Route(
    ClockType.SUSAR_7D,
    ClockType.SUSAR_15D,
    Recipient.NMPA,
    attrgetter("is_susar"),
    attrgetter("predicates.provisional"),
)
DEVICE = Route(
    ClockType.DEV_7D,
    ClockType.DEV_15D,
    Recipient.DEVICE_AUTHORITIES,
    attrgetter("is_device_sae"),
    attrgetter("device_assumed"),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch [first, behind) of moments in which the event is to be reported by a route, and its first reports."""

    first: int
    behind: int
    duties: tuple[Duty, ...]


def episodes(route: Route, moments: Sequence[Moment]) -> tuple[Episode, ...]:
    """Every stretch, in their order."""
    return tuple(
        Episode(first, behind, tuple(_initial_duties(route, moments, first, behind, again=number > 0)))
        for number, (first, behind) in enumerate(runs(map(route.applies, moments)))
    )


def _initial_duties(route: Route, moments: Sequence[Moment], first: int, behind: int, *, again: bool) -> Iterator[Duty]:
    fatal = [each.is_fatal_or_threatening for each in moments[first:behind]]
    for begins, ends in runs(fatal):
        since = _since(moments, first + begins, again=again or begins > 0)
        yield _duty(route, route.seven, moments, (first + begins, first + begins, first + ends), since)
    if False in fatal:
        begins = first + fatal.index(False)
        since = _since(moments, first, again=again)
        known = moments[begins]
        if begins == first or handed_over(known, route.to, REPORT, since(begins), known.at) is None:
            yield _duty(route, route.fifteen, moments, (first, begins, behind), since)


def _since(moments: Sequence[Moment], aware: int, *, again: bool) -> Callable[[int], datetime | None]:
    """From when on a report counts, by what is known at a moment; None: whenever it was handed over."""
    if again:
        return lambda number: sponsor_aware_at(moments, aware, moments[number])
    before = None if aware == 0 else moments[aware - 1].at
    return lambda _: before


def _duty(
    route: Route,
    kind: ClockType,
    moments: Sequence[Moment],
    place: tuple[int, int, int],
    since: Callable[[int], datetime | None],
) -> Duty:
    aware, begins, behind = place
    rules, zone = moments[begins].rules, moments[begins].zone
    days = SEVEN_DAYS if kind is route.seven else FIFTEEN_DAYS

    def term(number: int) -> Term:
        return within_days(sponsor_aware_at(moments, aware, moments[number]), days, rules, zone)

    def met(number: int, until: datetime | None) -> Handed | None:
        now, earliest = moments[number], since(number)
        is_known = earliest is not None and handed_over(now, route.to, INITIAL, None, earliest) is not None
        return handed_over(now, route.to, REPORT if is_known or route is DEVICE else INITIAL, earliest, until)

    return Duty(
        kind,
        begins,
        begins,
        lambda number: number < behind,
        term,
        met,
        lambda number: route.provisional(moments[number]),
    )
