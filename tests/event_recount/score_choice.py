"""Which observations of a point one score takes: a whole draw, the nearest, all within the spread (`scores.md` 9)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeAlias

from event_recount.dates import DAY
from event_recount.laboratory import Row
from event_recount.visits import POST, Place, Placed, chosen

DRAW = ("creatinine", "tbil", "inr")
"""What one blood draw should give to MELD."""
Pool: TypeAlias = dict[str, list[Placed]]
"""The usable rows of a point by code."""


def whole_draw(pool: Pool) -> dict[str, Placed]:
    """The sample nearest to the target that has creatinine, bilirubin and INR."""
    draws = []
    for first in pool[DRAW[0]]:
        sample = first.row.data.get("sampleId")
        same = {code: [each for each in pool[code] if each.row.data.get("sampleId") == sample] for code in DRAW}
        if sample is not None and all(same.values()):
            draws.append({code: chosen(each) for code, each in same.items()})
    return min(reversed(draws), key=lambda draw: draw[DRAW[0]].place.rank, default={})


def within(
    codes: list[str], pool: Pool, preferred: dict[str, Placed], limit: timedelta
) -> tuple[dict[str, Placed], dict[str, Placed]]:
    """The rows to use, and those that lie too far apart from them."""
    nearest = {code: preferred.get(code) or chosen(pool[code]) for code in codes}
    if _spread(list(nearest.values())) <= limit:
        return nearest, {}
    drawn = set(preferred) & set(DRAW)
    open_to = {code: [nearest[code]] if code in drawn else pool[code] for code in codes}
    sets = [_from(start, open_to, limit) for rows in open_to.values() for start in rows]
    kept = min(sets, key=_preference)
    return kept, {code: each for code, each in nearest.items() if code not in kept}


def _from(start: Placed, open_to: Mapping[str, list[Placed]], limit: timedelta) -> dict[str, Placed]:
    """The best row of each code that lies at or within the limit after one of them."""
    found = {}
    for code, rows in open_to.items():
        fitting = [each for each in rows if each is start or _fits(each, start, limit)]
        if fitting:
            found[code] = chosen(fitting)
    return found


def _fits(each: Placed, start: Placed, limit: timedelta) -> bool:
    sample = start.row.data.get("sampleId")
    if sample is not None and each.row.data.get("sampleId") == sample:
        return True
    return each.row.first >= start.row.first and max(_last(each), _last(start)) - start.row.first <= limit


def _preference(found: Mapping[str, Placed]) -> tuple[int, int, timedelta]:
    places: list[Place] = [each.place for each in found.values()]
    away = sum((each.rank[1] for each in places), timedelta(0))
    return -len(places), sum(not each.in_window for each in places), away


def _spread(found: list[Placed]) -> timedelta:
    """Rows of one sample lie no time apart; a date alone spans its day."""
    samples = {each.row.data.get("sampleId") for each in found}
    if not found or (len(samples) == 1 and None not in samples):
        return timedelta(0)
    return max(map(_last, found)) - min(each.row.first for each in found)


def _last(each: Placed) -> datetime:
    return each.row.first if isinstance(each.row.collected, datetime) else each.row.first + DAY


def mean_pressures(placed: dict[tuple[str, str], list[Placed]]) -> dict[str, list[Placed]]:
    """(sbp + 2 dbp) / 3 of each moment, by point."""
    found: dict[str, list[Placed]] = {}
    for point in ("BL", *POST):
        lower = {each.row.collected: each.row for each in placed.get(("dbp", point), [])}
        for upper in placed.get(("sbp", point), []):
            low = lower.get(upper.row.collected)
            if low is None or low.comparator or upper.row.comparator:
                continue
            high_value, low_value = upper.row.value, low.value
            assert isinstance(high_value, Fraction) and isinstance(low_value, Fraction)
            mean = Row(upper.row.id, {**upper.row.data, "code": "map"}, True, [*upper.row.event_ids, *low.event_ids])
            mean.value = (high_value + 2 * low_value) / 3
            found.setdefault(point, []).append(Placed(mean, upper.place))
    return found
