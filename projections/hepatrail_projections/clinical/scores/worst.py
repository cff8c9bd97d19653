"""The worst value of 24 hours, the labelled alternative to the closest one (`scores.md` section 9, rules 2 and 7).

Decided here, because the reference leaves room: it exists for GCS, SOFA and APACHE II, whose bands say what is worse;
a score of the MELD family takes the closest values whatever the protocol says. Every component takes its own worst
moment, so that pH and PaO2 may be of different samples, but PaO2 with its FiO2, an infusion with its duration and the
three answers of the coma scale stay together. Of equally bad values the latest counts. Any statement of acute renal
failure in the 24 h holds. A date alone counts only when its whole day lies inside.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from hepatrail_projections.clinical.assignment import Assigned, Placement, before_t0, best
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.inputs import Collected, Observation
from hepatrail_projections.clinical.scores.common import Options, Score, ScoreInput, observed
from hepatrail_projections.clinical.scores.companions import GIVEN, PAO2, companions
from hepatrail_projections.clinical.scores.feed import Pool, ScoreContext, derive_pressure
from hepatrail_projections.clinical.scores.gcs import COMPONENTS, TOTAL
from hepatrail_projections.clinical.scores.periods import collected_range

DAY = timedelta(hours=24)

_FULL_COMA = 15
_MAP, _URINE, _FAILURE = "map", "urine_output_24h", "acute_renal_failure"
_COMPONENT: Mapping[str, Mapping[str, str]] = {
    "gcs": {},
    "sofa_1996": {
        PAO2: "respiration",
        "platelets": "coagulation",
        "tbil": "liver",
        GIVEN: "cardiovascular",
        "creatinine": "renal",
        TOTAL: "cns",
    },
    "apache_ii_1985": {
        PAO2: "oxygenation",
        "ph_arterial": "acid_base",
        "hco3_serum": "acid_base",
        TOTAL: "gcs",
    },
}
_COMA = {"sofa_1996": "cns", "apache_ii_1985": "gcs"}
BY_WORST = frozenset(_COMPONENT)
"""Scores for which the worst value of 24 h is defined."""


def pool_between(after: datetime, until: datetime, context: ScoreContext) -> Pool:
    """All observations from `after` to `until`, both inclusive, the latest of each code as the one that counts."""
    candidates: dict[str, list[Assigned]] = {}
    unusable: dict[str, str] = {}
    for code, rows in context.history.items():
        for row in rows:
            if not _lies_between(row, after, until, context):
                continue
            if row.unusable is None:
                candidates.setdefault(code, []).append(Assigned(row, _placement(row.collected, until, context)))
            else:
                unusable[code] = row.unusable
    derived = derive_pressure(candidates)
    used = {code: best(rows) for code, rows in candidates.items()}
    return Pool(candidates, used, {code: why for code, why in unusable.items() if code not in used}, derived)


def worst_of(score: Score, pool: Pool, context: ScoreContext, options: Options) -> Pool:
    """The pool with the worst observation of each code as the one that counts."""
    rules = replace(options, missing_policy="strict")
    used = dict(pool.used)
    for code in (_MAP, _URINE) if score.score_id == "sofa_1996" else ():
        if code in used:
            used[code] = max(pool.candidates[code], key=lambda each: (-_number(each.observation), _recency(each)))
    if _FAILURE in used:
        rows = pool.candidates[_FAILURE]
        used[_FAILURE] = max(rows, key=lambda each: (each.observation.value == "true", _recency(each)))
    used |= _worst_coma(score, pool, context, rules)
    beside = {code: observed(used[code].observation) for code in (_MAP, _FAILURE) if code in used}
    component = _COMPONENT[score.score_id]
    for code in used.keys() & set(score.inputs):
        name = component.get(code, code if score.score_id == "apache_ii_1985" else None)
        if name is None or code in (*COMPONENTS, _FAILURE):
            continue

        def badness(each: Assigned, code: str = code, name: str = name) -> tuple[int, timedelta]:
            leader = {code: each.observation}
            inputs = {**beside, **companions(score.inputs, leader, pool, context), code: observed(each.observation)}
            return _points(score, inputs, name, rules), _recency(each)

        used[code] = max(pool.candidates[code], key=badness)
    return replace(pool, used=used)


def _worst_coma(score: Score, pool: Pool, context: ScoreContext, options: Options) -> dict[str, Assigned]:
    moments: dict[Collected, dict[str, Assigned]] = {}
    for code in COMPONENTS:
        for each in pool.candidates.get(code, ()):
            moments.setdefault(each.observation.collected, {})[code] = each

    def badness(rows: Mapping[str, Assigned]) -> tuple[int, timedelta]:
        leaders = {code: each.observation for code, each in rows.items()}
        inputs = {code: observed(row) for code, row in leaders.items()}
        inputs |= companions(score.inputs, leaders, pool, context)
        recency = max(_recency(each) for each in rows.values())
        if score.score_id == "gcs":
            total = score.of(inputs, options).score
            return (-1 if total is None else _FULL_COMA - total), recency
        return _points(score, inputs, _COMA[score.score_id], options), recency

    return max(moments.values(), key=badness, default={})


def _points(score: Score, inputs: Mapping[str, ScoreInput], component: str, options: Options) -> int:
    points = score.of(inputs, options).components.get(component)
    return points if isinstance(points, int) else -1


def _number(row: Observation) -> Fraction:
    return row.value if isinstance(row.value, Fraction) else Fraction(0)


def _recency(each: Assigned) -> timedelta:
    return -each.placement.rank[1]


def _lies_between(row: Observation, after: datetime, until: datetime, context: ScoreContext) -> bool:
    instant, anchored = row.collected.instant, context.anchored
    if anchored is not None and instant == until == anchored.t0:
        return before_t0(row.collected, row.pre_session, anchored)
    if instant is not None:
        return after <= instant <= until
    whole = collected_range(row.collected, site_zone(context.plan.zone))
    return after <= whole.first and whole.last <= until


def _placement(collected: Collected, until: datetime, context: ScoreContext) -> Placement:
    last = collected_range(collected, site_zone(context.plan.zone)).last
    return Placement(None, True, None, (False, until - last, last), False)
