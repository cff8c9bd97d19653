"""Inputs that belong to another one: a blood gas with its oxygen, an infusion with its statement (rules 4 and 7).

Decided here, because the reference leaves room:

- FiO2 and respiratory support are looked for among all observations, whatever point they belong to, because what is
  in force at a sample is a matter of the hour before it. The latest one counts; a row of the same sample, or of the
  same stated time, is in force. FiO2 is not, when the support changed after it. Without any blood gas the point's own
  values stand.
- A value that the point has, but that is not in force or of another sample, is missing with `spread_exceeded`.
- Doses are those stated within an hour of `vasoactive_given`, a duration that of the same moment as its dose.
- Site of the temperature, sedation and source of FiO2 are those of the same moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from hepatrail_events.catalogue import NOT_TESTABLE
from hepatrail_projections.clinical.assignment import Assigned
from hepatrail_projections.clinical.inputs import Collected, Observation
from hepatrail_projections.clinical.scores.common import ScoreInput, observed
from hepatrail_projections.clinical.scores.feed import Pool, ScoreContext
from hepatrail_projections.clinical.scores.gcs import BEFORE_TUBE, COMPONENTS, SEDATED, TOTAL, VERBAL
from hepatrail_projections.clinical.scores.sofa import AGENTS

PAO2, FIO2, SUPPORT, SOURCE = "pao2", "fio2", "respiratory_support", "fio2_source"
OF_THE_GAS = ("ph_arterial", "paco2")
GIVEN, OTHER = "vasoactive_given", "other_vasoactive"
DOSES = tuple(f"{agent}_dose" for agent in AGENTS)
_DURATION = {f"{agent}_dose": f"{agent}_duration_min" for agent in AGENTS}
FOLLOWERS = frozenset(
    {FIO2, SUPPORT, SOURCE, *OF_THE_GAS, OTHER, *DOSES, *_DURATION.values()}
    | {"temperature_site", SEDATED, BEFORE_TUBE}
)
"""Codes that never choose for themselves; pH does where no PaO2 is."""

LOOKED_BACK = frozenset({FIO2, SUPPORT, SOURCE, VERBAL, SEDATED, "temperature_site"})
"""Codes of which `ScoreContext.history` is read."""

_IN_FORCE = timedelta(minutes=60)


def same_moment(one: Observation, other: Observation) -> bool:
    """Whether two observations are of one sample or of one stated time."""
    if one.sample_id is not None and one.sample_id == other.sample_id:
        return True
    return one.collected == other.collected


def companions(
    codes: Iterable[str], chosen: Mapping[str, Observation], pool: Pool, context: ScoreContext
) -> dict[str, ScoreInput]:
    """The inputs that follow from those chosen, by code, as far as the score reads them."""
    found: dict[str, ScoreInput] = {}
    gas = chosen.get(PAO2)
    if gas is None:
        found |= {code: observed(pool.used[code].observation) for code in (FIO2, SUPPORT) if code in pool.used}
    else:
        found |= _of_gas(gas, pool, context)
    found |= _infusions(chosen.get(GIVEN), pool)
    oxygen = context.history.get(FIO2, ())
    fio2 = next((row for row in oxygen if FIO2 in found and row.event_ids == found[FIO2].event_ids), None)
    found |= _beside(SOURCE, (fio2,), context)
    found |= _beside("temperature_site", (chosen.get("temperature"),), context)
    found |= _beside(SEDATED, [chosen.get(code) for code in (*COMPONENTS, TOTAL)], context)
    if context.rules.options.verbal_nt_policy == "pre_intubation":
        found |= _before_tube(chosen.get(VERBAL), context)
    return {code: each for code, each in found.items() if code in codes}


def best_gas(pool: Pool, context: ScoreContext) -> dict[str, Assigned]:
    """The blood gas to prefer: in the window, then with the most of FiO2, support, pH and PaCO2, then the nearest."""
    gases = pool.candidates.get(PAO2, ())
    if len(gases) < 2:
        return {}

    def order(gas: Assigned) -> tuple[bool, int, timedelta]:
        beside = [each for each in _of_gas(gas.observation, pool, context).values() if each.problem is None]
        return (not gas.placement.in_window, -len(beside), gas.placement.rank[1])

    return {PAO2: min(reversed(gases), key=order)}


def in_force(code: str, sample: Observation, history: Mapping[str, Sequence[Observation]]) -> Observation | None:
    """The latest row at a sample or at most 60 min before it, usable or not."""
    found: Observation | None = None
    for row in history.get(code, ()):
        if _is_near(row, sample) and (found is None or not _is_later(found, row, sample)):
            found = row
    return found


def _is_near(row: Observation, sample: Observation) -> bool:
    if same_moment(row, sample):
        return True
    at, taken = row.collected.instant, sample.collected.instant
    return at is not None and taken is not None and timedelta(0) <= taken - at <= _IN_FORCE


def _is_later(one: Observation, other: Observation, sample: Observation) -> bool:
    """Whether `one` was recorded for a later time; what belongs to the sample itself is the latest."""
    if same_moment(one, sample) or same_moment(other, sample):
        return same_moment(one, sample) and not same_moment(other, sample)
    first, second = one.collected.instant, other.collected.instant
    return first is not None and second is not None and first > second


def _of_gas(gas: Observation, pool: Pool, context: ScoreContext) -> dict[str, ScoreInput]:
    found: dict[str, ScoreInput] = {}
    for code in OF_THE_GAS:
        rows = [each.observation for each in pool.candidates.get(code, ()) if same_moment(each.observation, gas)]
        if rows:
            found[code] = observed(rows[-1])
        elif code in pool.used:
            found[code] = observed(pool.used[code].observation, "spread_exceeded")
    fio2, support = (in_force(code, gas, context.history) for code in (FIO2, SUPPORT))
    if fio2 is not None and support is not None and _changed_since(fio2, support, context):
        found[FIO2] = observed(fio2, "spread_exceeded")
        fio2 = None
    for code, row in ((FIO2, fio2), (SUPPORT, support)):
        if row is not None and row.unusable is None:
            found[code] = observed(row)
        elif row is not None and row.unusable == "NOT_ACCEPTED":
            found[code] = ScoreInput(code, None, problem="not_accepted")
        elif row is None and code not in found and code in pool.used:
            found[code] = observed(pool.used[code].observation, "spread_exceeded")
    return found


def _changed_since(fio2: Observation, support: Observation, context: ScoreContext) -> bool:
    """Whether the support in force is another one than when FiO2 was recorded."""
    then, now = fio2.collected.instant, support.collected.instant
    if then is None or now is None or now <= then:
        return False
    before = in_force(SUPPORT, fio2, context.history)
    return before is not None and before.value != support.value


def _infusions(given: Observation | None, pool: Pool) -> dict[str, ScoreInput]:
    if given is None or given.value != "yes":
        return {}
    found: dict[str, ScoreInput] = {}
    for code in (*DOSES, OTHER):
        row = _nearest(given, pool.candidates.get(code, ()))
        if row is None:
            continue
        found[code] = observed(row)
        duration = _DURATION.get(code, "")
        for each in pool.candidates.get(duration, ()):
            if same_moment(each.observation, row):
                found[duration] = observed(each.observation)
    return found


def _nearest(given: Observation, rows: Iterable[Assigned]) -> Observation | None:
    near = [
        (distance, -number, each.observation)
        for number, each in enumerate(rows)
        if (distance := _distance(given.collected, each.observation.collected)) is not None and distance <= _IN_FORCE
    ]
    return min(near, key=lambda each: each[:2])[2] if near else None


def _distance(one: Collected, other: Collected) -> timedelta | None:
    if one == other:
        return timedelta(0)
    if one.instant is None or other.instant is None:
        return None
    return abs(one.instant - other.instant)


def _beside(code: str, rows: Iterable[Observation | None], context: ScoreContext) -> dict[str, ScoreInput]:
    """The latest usable row of a code at the moment of one of `rows`."""
    leaders = [row for row in rows if row is not None]
    beside = [
        row
        for row in context.history.get(code, ())
        if row.unusable is None and any(same_moment(row, leader) for leader in leaders)
    ]
    return {code: observed(beside[-1])} if beside else {}


def _before_tube(verbal: Observation | None, context: ScoreContext) -> dict[str, ScoreInput]:
    """The last verbal response that was tested before this one could not be."""
    if verbal is None or verbal.value != NOT_TESTABLE:
        return {}
    earlier = [
        row
        for row in context.history.get(VERBAL, ())
        if row.unusable is None and row.value != NOT_TESTABLE and _is_before(row.collected, verbal.collected)
    ]
    if not earlier:
        return {}
    last = earlier[0]
    for row in earlier[1:]:
        if not _is_before(row.collected, last.collected):
            last = row
    made = observed(last)
    return {BEFORE_TUBE: ScoreInput(BEFORE_TUBE, made.value, None, None, made.collected, made.event_ids)}


def _is_before(one: Collected, other: Collected) -> bool:
    if one.instant is not None and other.instant is not None:
        return one.instant < other.instant
    return one.local_date is not None and other.local_date is not None and one.local_date < other.local_date
