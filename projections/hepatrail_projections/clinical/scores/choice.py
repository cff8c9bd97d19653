"""The observations that one score takes at a point: closest, and within the maximal spread (rules 1 to 3).

Decided here, because the reference leaves room: a date alone spans its whole day when spreads are measured, because
its time is unknown; rows of one sample lie no time apart. Where no choice of observations lies within the limit, the
largest set that does is kept and what lies outside it is missing with reason `spread_exceeded`; at the baseline, where
there is no choice, all of them are. The stated dialysis count is an input like the laboratory values, so the limit
holds for it too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from hepatrail_projections.clinical.assignment import Assigned, best
from hepatrail_projections.clinical.scores.feed import Pool
from hepatrail_projections.clinical.scores.periods import Range, collected_range

Chosen = dict[str, Assigned]


def choose(
    codes: Sequence[str],
    one_draw: tuple[str, ...],
    pool: Pool,
    preferred: Mapping[str, Assigned],
    limit: timedelta | None,
    zone: ZoneInfo,
) -> tuple[Chosen, Chosen]:
    """The observations to use, by code, and those left out because they lie too far apart.

    `preferred` come before the nearest of their code; without `limit` nothing lies too far apart.
    """
    draw = _best_draw(one_draw, pool)
    used = {code: pool.used[code] for code in codes if code in pool.used}
    used |= {code: each for code, each in {**preferred, **draw}.items() if code in used}
    if limit is None or _spread(used.values(), zone) <= limit:
        return used, {}
    candidates = {code: [draw[code]] if code in draw else list(pool.candidates[code]) for code in used}
    chosen = _closest(candidates, limit, zone)
    return chosen, {code: found for code, found in used.items() if code not in chosen}


def choose_last(codes: Sequence[str], pool: Pool, limit: timedelta | None, zone: ZoneInfo) -> tuple[Chosen, Chosen]:
    """As `choose`, at the baseline: each input is its own last value, and none may serve where they lie too far apart.

    Source: rule 1, "the baseline score is missing", whichever input it is and whether the formula would need it or not.
    """
    used = {code: pool.used[code] for code in codes if code in pool.used}
    return (used, {}) if limit is None or _spread(used.values(), zone) <= limit else ({}, used)


def _best_draw(codes: tuple[str, ...], pool: Pool) -> Chosen:
    """The blood draw that has all of `codes` and is nearest to the target; empty when no draw has."""
    if not codes or any(code not in pool.used for code in codes):
        return {}
    draws: list[Chosen] = []
    for first in pool.candidates[codes[0]]:
        sample = first.observation.sample_id
        rows = {
            code: best(same)
            for code in codes
            if (same := [each for each in pool.candidates[code] if each.observation.sample_id == sample])
        }
        if sample is not None and len(rows) == len(codes):
            draws.append(rows)
    return min(reversed(draws), key=lambda rows: rows[codes[0]].placement.rank, default={})


def _closest(pool: Mapping[str, Sequence[Assigned]], limit: timedelta, zone: ZoneInfo) -> Chosen:
    """The largest set within the limit, then in the window before out of it, then nearest to the target.

    Each candidate in turn is taken as the earliest of the set, and every code gives its best one after it.
    """
    spans = {id(each): (each, _span(each, zone)) for candidates in pool.values() for each in candidates}
    sets: list[Chosen] = []
    for start, begin in spans.values():
        fitting: Chosen = {}
        for code, candidates in pool.items():
            near = [
                each
                for each in candidates
                if _same_draw(each, start) or _fits(spans[id(each)][1], begin, limit) or each is start
            ]
            if near:
                fitting[code] = best(near)
        sets.append(fitting)
    return min(sets, key=_preference)


def _preference(chosen: Mapping[str, Assigned]) -> tuple[int, int, timedelta]:
    ranks = [each.placement.rank for each in chosen.values()]
    return (-len(ranks), sum(rank[0] for rank in ranks), sum((rank[1] for rank in ranks), timedelta(0)))


def _fits(span: Range, start: Range, limit: timedelta) -> bool:
    return span.first >= start.first and max(span.last, start.last) - start.first <= limit


def _same_draw(one: Assigned, other: Assigned) -> bool:
    sample = one.observation.sample_id
    return sample is not None and sample == other.observation.sample_id


def _spread(chosen: Iterable[Assigned], zone: ZoneInfo) -> timedelta:
    """How far apart the observations can lie at most; rows of one draw lie no time apart."""
    each = list(chosen)
    if not each or all(_same_draw(each[0], other) for other in each):
        return timedelta(0)
    spans = [_span(one, zone) for one in each]
    return max(span.last for span in spans) - min(span.first for span in spans)


def _span(assigned: Assigned, zone: ZoneInfo) -> Range:
    return collected_range(assigned.observation.collected, zone)
