"""One score at one time point, or at a moment asked for, from the observations that may feed it (section 9).

Decided here, because the reference leaves room: before T0 the baseline score is provisional, from the latest values.
At a moment of no time point each input is the latest accepted value at or before it, at most
`moment_lookback_hours` old; nothing else is to be near to anything, so no spread is measured and no blood draw
preferred. All other rules hold as at a time point.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from hepatrail_projections.clinical.assignment import Assigned
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.inputs import Collected, Statics
from hepatrail_projections.clinical.scores.choice import choose, choose_last
from hepatrail_projections.clinical.scores.common import Options, Score, ScoreInput, ScoreResult, observed
from hepatrail_projections.clinical.scores.companions import FOLLOWERS, PAO2, best_gas, companions
from hepatrail_projections.clinical.scores.feed import MOMENT, FeedRules, PointScore, Pool, ScoreContext, pool_of
from hepatrail_projections.clinical.scores.gcs import COMPONENTS, TOTAL
from hepatrail_projections.clinical.scores.meld_common import HOURS, SESSIONS
from hepatrail_projections.clinical.scores.periods import collected_range, confounders, dialysis_counts
from hepatrail_projections.clinical.scores.worst import BY_WORST, DAY, pool_between, worst_of
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.clinical.windows import during_session

__all__ = ["PointScore", "ScoreContext", "score_at_moment", "score_at_point"]

STATIC_CODES = frozenset({"sex", "age", "chronic_health", "admission_type"})
_PH = "ph_arterial"
_COUNTS = frozenset({SESSIONS, HOURS})


def score_at_point(score: Score, point: str, context: ScoreContext) -> PointScore:
    """The one score of this id at this time point; `not_applicable` after death or withdrawal (rule 11)."""
    options = _options_at(point, context.rules)
    window = context.window(point)
    worst = score.score_id in BY_WORST and (score.score_id, point) in context.rules.worst and window is not None
    selection = "worst_24h" if worst else "closest"
    if _is_over(point, context):
        return _not_applicable(score, point, options, selection)
    provisional = context.anchored is None
    if worst and window is not None:
        pool = worst_of(score, pool_between(window.target - DAY, window.target, context), context, options)
        result = _Feed(score, pool, context, options, by_worst=True).result(limit=None)
    else:
        feed = _Feed(score, pool_of(point, context), context, options, free=point != BASELINE)
        result = feed.result(context.plan.max_spread(point))
    reference = None if window is None else window.target
    return _point_score(point, _labelled(result, selection), context, reference, provisional=provisional)


def score_at_moment(score: Score, at: datetime, context: ScoreContext) -> PointScore:
    """The score at any aware instant; `not_applicable` after death or withdrawal."""
    options = _options_at(MOMENT, context.rules)
    if any(stop.time < at for stop in context.stops if stop.cause in ("DEATH", "WITHDRAWAL")):
        return _not_applicable(score, MOMENT, options, "closest")
    pool = pool_between(at - context.rules.lookback, at, context)
    result = _Feed(score, pool, context, options).result(limit=None)
    return _point_score(MOMENT, _labelled(result, "closest"), context, at, provisional=False)


class _Feed:
    """The inputs of one score from one pool of observations.

    `free`: a whole blood draw and a whole blood gas come before nearer single values; not so at the baseline, where
    each input is its own last value. `by_worst`: pH is chosen for itself.
    """

    def __init__(
        self,
        score: Score,
        pool: Pool,
        context: ScoreContext,
        options: Options,
        *,
        free: bool = False,
        by_worst: bool = False,
    ) -> None:
        self._score = score
        self._pool = pool
        self._context = context
        self._options = options
        self._free = free
        self._counts = _COUNTS & set(score.inputs) if _reads_counts(score, options) else frozenset[str]()
        self._leaders = tuple(code for code in score.inputs if self._leads(code, by_worst=by_worst))

    def result(self, limit: timedelta | None) -> ScoreResult:
        """The score under the maximal spread, None for no limit."""
        inputs = self._inputs(limit)
        for code in self._score.inputs:
            if code not in inputs and self._pool.unusable.get(code) == "NOT_ACCEPTED":
                inputs[code] = ScoreInput(code, None, problem="not_accepted")
        return self._score.of(inputs, self._options)

    def _inputs(self, limit: timedelta | None) -> dict[str, ScoreInput]:
        chosen, outlying = self._choose(self._leaders, limit)
        counts = self._recorded_counts(chosen)
        if self._counts and not counts:
            chosen, outlying = self._choose((*self._leaders, *sorted(self._counts)), limit)
        observations = {code: each.observation for code, each in chosen.items()}
        inputs = companions(self._score.inputs, observations, self._pool, self._context)
        inputs |= {code: self._observed(each) for code, each in chosen.items()}
        inputs |= {code: observed(each.observation, "spread_exceeded") for code, each in outlying.items()}
        return inputs | counts | _static_inputs(self._score, self._context.statics)

    def _choose(
        self, codes: tuple[str, ...], limit: timedelta | None
    ) -> tuple[dict[str, Assigned], dict[str, Assigned]]:
        zone = site_zone(self._context.plan.zone)
        if not self._free:
            return choose_last(codes, self._pool, limit, zone)
        gas = best_gas(self._pool, self._context) if PAO2 in codes else {}
        return choose(codes, self._score.one_draw, self._pool, gas, limit, zone)

    def _leads(self, code: str, *, by_worst: bool) -> bool:
        if code == _PH:
            return by_worst or PAO2 not in self._pool.used
        if code == TOTAL:
            return not any(component in self._pool.used for component in COMPONENTS)
        return code not in FOLLOWERS and code not in STATIC_CODES and code not in _COUNTS

    def _recorded_counts(self, chosen: Mapping[str, Assigned]) -> dict[str, ScoreInput]:
        """Dialysis as recorded, before the creatinine sample, or before another one where there is none."""
        sample = _sample_of(chosen)
        context = self._context
        if not self._counts or sample is None or not context.procedures:
            return {}
        zone = site_zone(context.plan.zone)
        counts = dialysis_counts(context.procedures, sample, context.rules.crrt_kinds, zone)
        return {} if counts is None else {each.code: each for each in counts if each.code in self._counts}

    def _observed(self, each: Assigned) -> ScoreInput:
        derived = each.observation.code == "map" and each.observation.result_id in self._pool.derived
        return observed(each.observation, derived=derived)


def _reads_counts(score: Score, options: Options) -> bool:
    return score.score_id != "sofa_1996" or options.rrt_scores_4


def _sample_of(chosen: Mapping[str, Assigned]) -> Collected | None:
    for code in ("creatinine", "inr", "tbil"):
        if code in chosen:
            return chosen[code].observation.collected
    return None


def _static_inputs(score: Score, statics: Statics | None) -> dict[str, ScoreInput]:
    """Sex, age at enrolment, chronic health and admission: of the enrolment at every point (rule 1)."""
    if statics is None:
        return {}
    values: dict[str, Fraction | str] = {
        "sex": statics.sex,
        "age": Fraction(statics.age_years),
        "chronic_health": "true" if statics.chronic_health else "false",
        "admission_type": statics.admission_type,
    }
    return {
        code: ScoreInput(code, value, event_ids=statics.event_ids)
        for code, value in values.items()
        if code in score.inputs
    }


def _options_at(point: str, rules: FeedRules) -> Options:
    if rules.assume_normal_points and point not in rules.assume_normal_points:
        return replace(rules.options, missing_policy="strict")
    return rules.options


def _is_over(point: str, context: ScoreContext) -> bool:
    full = [stop for stop in context.stops if stop.cause in ("DEATH", "WITHDRAWAL")]
    if context.anchored is None:
        return bool(full)
    if point == BASELINE:
        return False
    window = context.window(point)
    return window is not None and any(stop.time < window.earliest for stop in full)


def _not_applicable(score: Score, point: str, options: Options, selection: str) -> PointScore:
    result = ScoreResult(score.score_id, "not_applicable", options=score.recorded(options))
    return PointScore(point, _labelled(result, selection))


def _labelled(result: ScoreResult, selection: str) -> ScoreResult:
    return replace(result, options={**result.options, "selection": selection})


def _point_score(
    point: str, result: ScoreResult, context: ScoreContext, reference: datetime | None, *, provisional: bool
) -> PointScore:
    zone = site_zone(context.plan.zone)
    times = {each.code: each.collected for each in result.inputs if each.problem is None and each.collected is not None}
    latest = max((collected_range(each, zone).last for each in times.values()), default=reference)
    transplant = min((stop.time for stop in context.stops if stop.cause == "TRANSPLANT"), default=None)
    sample = times.get("inr") or times.get("creatinine") or times.get("tbil")
    of_meld = result.score_id.startswith("meld")
    return PointScore(
        point,
        result,
        during_session=any(during_session(each, context.sessions) for each in times.values()),
        provisional=provisional,
        post_transplant=transplant is not None and latest is not None and transplant < latest,
        confounders=confounders((*context.procedures, *context.medications), sample, zone) if of_meld else {},
    )
