"""Which observations feed a score at a time point (`scores.md` section 9).

Decided here: a date alone spans its whole day when spreads are measured, because its time is unknown; rows of one
sample lie no time apart. Where no choice of observations lies within the limit, the largest set that does is kept
and what lies outside it is missing with reason `spread_exceeded`. The stated dialysis count is an input like the
laboratory values, so the limit holds for it too. Before T0 the baseline score is provisional: from the latest values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hepatrail_projections.clinical.assignment import Assigned, Assignment, PointAssignment, best
from hepatrail_projections.clinical.calendar import end_of_day, site_zone, start_of_day
from hepatrail_projections.clinical.inputs import Session, Stop
from hepatrail_projections.clinical.scores.common import Options, Score, ScoreInput, ScoreResult, observed
from hepatrail_projections.clinical.visits import BASELINE, VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window, during_session

_NO_OPTIONS: Options = {}


@dataclass(frozen=True, slots=True)
class PointScore:
    """One score at one time point; `during_session`: an input was sampled while a circuit ran (rule 5)."""

    point: str
    result: ScoreResult
    during_session: bool = False
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class ScoreContext:
    """What the scores of one participant depend on beside the definition of the score."""

    assignment: Assignment
    anchored: Anchor | None
    windows: Sequence[Window]
    plan: VisitPlan
    sessions: Sequence[Session] = ()
    stops: Sequence[Stop] = ()


def score_at_point(score: Score, point: str, context: ScoreContext, options: Options = _NO_OPTIONS) -> PointScore:
    """The one score of this id at this time point; `not_applicable` after death or withdrawal (rule 11)."""
    if _is_over(point, context):
        return PointScore(point, ScoreResult(score.score_id, "not_applicable", options=options))
    assigned = context.assignment.points[point]
    chosen, outlying = _choose(score, point, assigned, context.plan)
    inputs: dict[str, ScoreInput] = {}
    for code in score.inputs:
        if code in chosen:
            inputs[code] = observed(chosen[code].observation)
        elif code in outlying:
            inputs[code] = observed(outlying[code].observation, "spread_exceeded")
        elif assigned.unusable.get(code) == "NOT_ACCEPTED":
            inputs[code] = ScoreInput(code, None, problem="not_accepted")
    running = any(during_session(each.observation.collected, context.sessions) for each in chosen.values())
    return PointScore(point, score.compute(inputs, options), running, provisional=context.anchored is None)


def _is_over(point: str, context: ScoreContext) -> bool:
    full = [stop for stop in context.stops if stop.cause in ("DEATH", "WITHDRAWAL")]
    if context.anchored is None:
        return bool(full)
    if point == BASELINE:
        return False
    window = next((window for window in context.windows if window.code == point), None)
    return window is not None and any(stop.time < window.earliest for stop in full)


def _choose(
    score: Score, point: str, assigned: PointAssignment, plan: VisitPlan
) -> tuple[Mapping[str, Assigned], Mapping[str, Assigned]]:
    """The observations to use, by code, and those left out because they lie too far apart."""
    zone, limit = site_zone(plan.zone), plan.max_spread(point)
    used = {code: assigned.used[code] for code in score.inputs if code in assigned.used}
    if point == BASELINE:
        used = {code: found for code, found in used.items() if found.placement.in_window}
        pool = {code: [found] for code, found in used.items()}
    else:
        draw = _best_draw(score.one_draw, assigned)
        used |= draw
        pool = {code: [draw[code]] if code in draw else list(assigned.candidates[code]) for code in used}
    if _spread(used.values(), zone) <= limit:
        return used, {}
    chosen = _closest(pool, limit, zone)
    return chosen, {code: found for code, found in used.items() if code not in chosen}


def _best_draw(codes: tuple[str, ...], assigned: PointAssignment) -> dict[str, Assigned]:
    """The blood draw that has all of `codes` and is nearest to the target; empty when no draw has."""
    if not codes or any(code not in assigned.used for code in codes):
        return {}
    draws: list[dict[str, Assigned]] = []
    for first in assigned.candidates[codes[0]]:
        sample = first.observation.sample_id
        rows = {
            code: best(same)
            for code in codes
            if (same := [each for each in assigned.candidates[code] if each.observation.sample_id == sample])
        }
        if sample is not None and len(rows) == len(codes):
            draws.append(rows)
    return min(reversed(draws), key=lambda rows: rows[codes[0]].placement.rank, default={})


def _closest(pool: Mapping[str, Sequence[Assigned]], limit: timedelta, zone: ZoneInfo) -> dict[str, Assigned]:
    """The largest set within the limit, then in the window before out of it, then nearest to the target.

    Each candidate in turn is taken as the earliest of the set, and every code gives its best one after it.
    """
    spans = {id(each): (each, _span(each, zone)) for candidates in pool.values() for each in candidates}
    sets: list[dict[str, Assigned]] = []
    for start, (begin, end) in spans.values():
        fitting: dict[str, Assigned] = {}
        for code, candidates in pool.items():
            near = [
                each
                for each in candidates
                if _same_draw(each, start) or _fits(spans[id(each)][1], (begin, end), limit) or each is start
            ]
            if near:
                fitting[code] = best(near)
        sets.append(fitting)
    return min(sets, key=_preference)


def _preference(chosen: Mapping[str, Assigned]) -> tuple[int, int, timedelta]:
    ranks = [each.placement.rank for each in chosen.values()]
    return (-len(ranks), sum(rank[0] for rank in ranks), sum((rank[1] for rank in ranks), timedelta(0)))


def _fits(span: tuple[datetime, datetime], start: tuple[datetime, datetime], limit: timedelta) -> bool:
    return span[0] >= start[0] and max(span[1], start[1]) - start[0] <= limit


def _same_draw(one: Assigned, other: Assigned) -> bool:
    sample = one.observation.sample_id
    return sample is not None and sample == other.observation.sample_id


def _spread(chosen: Iterable[Assigned], zone: ZoneInfo) -> timedelta:
    """How far apart the observations can lie at most; rows of one draw lie no time apart."""
    each = list(chosen)
    if not each or all(_same_draw(each[0], other) for other in each):
        return timedelta(0)
    spans = [_span(one, zone) for one in each]
    return max(end for _, end in spans) - min(begin for begin, _ in spans)


def _span(assigned: Assigned, zone: ZoneInfo) -> tuple[datetime, datetime]:
    collected = assigned.observation.collected
    if collected.instant is not None:
        return collected.instant, collected.instant
    assert collected.local_date is not None, "a collection time is an instant or a date"
    return start_of_day(collected.local_date, zone), end_of_day(collected.local_date, zone)
