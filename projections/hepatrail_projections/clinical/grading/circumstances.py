"""What held when a sample was collected: therapeutic anticoagulation, renal replacement, a going adverse event.

Decided here, because the reference leaves room:

- On anticoagulation is who has a therapeutic anticoagulant that covers the collection; else what was observed
  (`on_anticoagulation`) nearest to it, not further away than the look-back of the baseline; else nobody. The circuit's
  heparin or citrate is neither. Not to be on it gives the higher grade, which errs on the safe side.
- Partial dates cover what they may cover: a civil day begins and ends at the site, a month or a year is taken whole,
  an unknown begin lies before and an unknown end behind everything.
- Renal replacement: a dialysis or filtration within the 7 days up to the collection (the span of the MELD rule), or a
  count or hours of dialysis above 0 observed nearest to it, within the same look-back.
- A date alone stands at noon of the site where it is compared with instants.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hepatrail_events.concomitant import ProcedureKind
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.grading.reported import ABSENT, Circumstance
from hepatrail_projections.clinical.inputs import Collected, Observation, Period
from hepatrail_projections.partial_dates import civil_minute, known_parts, order_key

ANTICOAGULATION = "ANTICOAGULATION"
"""Kind of the period of a therapeutic anticoagulant."""

RENAL_REPLACEMENT = frozenset({ProcedureKind.HD, ProcedureKind.CVVHD, ProcedureKind.CVVHDF, ProcedureKind.CVVH})
_RENAL_SPAN = timedelta(days=7)
_NOON = time(12)


def moment(collected: Collected, zone: ZoneInfo) -> datetime:
    """The instant; of a date alone, noon of that day at the site."""
    if collected.instant is not None:
        return collected.instant
    assert collected.local_date is not None, "a collection time is an instant or a date"
    return datetime.combine(collected.local_date, _NOON, zone).astimezone(UTC)


def covers(started: PartialDate | None, ended: PartialDate | None, collected: Collected, zone: ZoneInfo) -> bool:
    """Whether a collection may lie between two partial dates, both ends included; no end goes on."""
    at = _civil(collected, zone)
    return _not_after(_parts(started, zone), at) and (ended is None or _not_after(at, _parts(ended, zone)))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The medications, procedures and statements of one participant that grading looks at."""

    zone: ZoneInfo
    lookback: timedelta
    anticoagulants: Sequence[Period]
    dialyses: Sequence[Period]
    anticoagulation_stated: "Statements"
    dialysis_stated: Sequence["Statements"]

    @classmethod
    def of(
        cls, periods: Iterable[Period], statements: Iterable[Observation], zone: ZoneInfo, lookback: timedelta
    ) -> "Circumstances":
        """From the participant's periods and the usable observations of the codes in `STATED`, in the log's order."""
        known = list(periods)
        stated: dict[str, list[Observation]] = {code: [] for code in STATED}
        for each in statements:
            stated[each.code].append(each)
        return cls(
            zone,
            lookback,
            [each for each in known if each.kind == ANTICOAGULATION],
            [each for each in known if each.kind in RENAL_REPLACEMENT],
            Statements.of(stated[_ANTICOAGULATED], zone),
            [Statements.of(stated[code], zone) for code in _DIALYSED],
        )

    def anticoagulated(self, collected: Collected) -> Circumstance:
        """Whether the participant was on therapeutic anticoagulation."""
        covering = [each for each in self.anticoagulants if covers(each.started, each.ended, collected, self.zone)]
        if covering:
            return Circumstance(True, _ids(covering))
        nearest = self.anticoagulation_stated.nearest(moment(collected, self.zone), self.lookback)
        return ABSENT if nearest is None else Circumstance(nearest.value == "true", _ids([nearest]))

    def renal_replacement(self, collected: Collected) -> Circumstance:
        """Whether the value reflects dialysis or filtration."""
        if not self.dialyses and not any(each.moments for each in self.dialysis_stated):
            return ABSENT
        at = moment(collected, self.zone)
        since = Collected(at - _RENAL_SPAN)
        reaching: list[Period | Observation] = [
            each
            for each in self.dialyses
            if covers(each.started, None, collected, self.zone)
            and (each.ended is None or covers(None, each.ended, since, self.zone))
        ]
        for stated in self.dialysis_stated:
            nearest = stated.nearest(at, self.lookback)
            if nearest is not None and nearest.value not in (None, 0):
                reaching.append(nearest)
        return Circumstance(True, _ids(reaching)) if reaching else ABSENT


@dataclass(frozen=True, slots=True)
class Statements:
    """The observations of one code by their moments; of two at the same moment the later recorded stands."""

    moments: Sequence[datetime]
    observations: Sequence[Observation]

    @classmethod
    def of(cls, observations: Iterable[Observation], zone: ZoneInfo) -> "Statements":
        """From observations in the log's order."""
        by_moment = {moment(each.collected, zone): each for each in observations}
        ordered = sorted(by_moment)
        return cls(ordered, [by_moment[at] for at in ordered])

    def nearest(self, at: datetime, within: timedelta) -> Observation | None:
        """The one nearest to a moment, not further away than `within`; the earlier of two as near."""
        place = bisect_left(self.moments, at)
        around = [number for number in (place - 1, place) if 0 <= number < len(self.moments)]
        near = [number for number in around if abs(self.moments[number] - at) <= within]
        return self.observations[min(near, key=lambda number: abs(self.moments[number] - at))] if near else None


_ANTICOAGULATED = "on_anticoagulation"
_DIALYSED = ("dialysis_sessions_7d", "cvvhd_hours_7d")
STATED = frozenset({_ANTICOAGULATED, *_DIALYSED})
"""Codes whose observations state a circumstance."""


def _ids(found: Iterable[Period | Observation]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(event_id) for each in found for event_id in each.event_ids))


def _civil(collected: Collected, zone: ZoneInfo) -> tuple[int, ...]:
    if collected.instant is not None:
        return civil_minute(collected.instant, zone)
    day = collected.local_date
    assert day is not None, "a collection time is an instant or a date"
    return (day.year, day.month, day.day)


def _parts(when: PartialDate | None, zone: ZoneInfo) -> tuple[int, ...]:
    return () if when is None else order_key(when, zone)[: known_parts(when)]


def _not_after(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """By the parts that both have."""
    common = min(len(first), len(second))
    return first[:common] <= second[:common]
