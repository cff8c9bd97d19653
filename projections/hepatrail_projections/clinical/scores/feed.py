"""What feeds the scores of one participant (`scores.md` section 9): facts, rules of the protocol, observations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.assignment import Assigned, Assignment, best
from hepatrail_projections.clinical.inputs import Observation, Period, Session, Statics, Stop
from hepatrail_projections.clinical.scores.catalogue import options_of
from hepatrail_projections.clinical.scores.common import STRICT, Options, ScoreResult
from hepatrail_projections.clinical.visits import BASELINE, TimePoint, VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window

MOMENT = "AT"
"""In place of a point's code: a moment that somebody asked for."""

URINE = "urine_output_24h"
_DAY_MINUTES = 24 * 60
_SHIPPED_CRRT = frozenset({"CVVHD", "CVVHDF", "CVVH"})


@dataclass(frozen=True, slots=True)
class FeedRules:
    """The part of a protocol version that the feed depends on.

    `assume_normal_points`: the only points at which `missing_policy` holds; empty: all. `worst` holds the pairs of
    score and point that take the worst value of 24 h instead of the closest.
    """

    options: Options = STRICT
    assume_normal_points: frozenset[str] = frozenset()
    crrt_kinds: frozenset[str] = _SHIPPED_CRRT
    worst: frozenset[tuple[str, str]] = frozenset()
    lookback: timedelta = timedelta(hours=24)

    @classmethod
    def of(cls, protocol: Protocol) -> "FeedRules":
        """The rules of a protocol version."""
        rules = protocol.scores
        return cls(
            options=options_of(protocol),
            assume_normal_points=frozenset(rules.assume_normal_points),
            crrt_kinds=frozenset(kind.value for kind in rules.crrt_modalities_counting_as_cvvhd),
            worst=frozenset((feed.score, feed.point) for feed in rules.feeds if feed.selection == "worst_24h"),
            lookback=timedelta(hours=rules.moment_lookback_hours),
        )


DEFAULT_RULES = FeedRules()


@dataclass(frozen=True, slots=True)
class ScoreContext:
    """What the scores of one participant depend on beside the definition of the score.

    `history` has the observations that are not void by code, in the log's order, whatever point they belong to:
    rules that look back (oxygen in force, the verbal response before a tube, the worst of a day) read it.
    `procedures` and `medications` are periods with their kinds, see `periods.py`.
    """

    assignment: Assignment
    anchored: Anchor | None
    windows: Sequence[Window]
    plan: VisitPlan
    sessions: Sequence[Session] = ()
    stops: Sequence[Stop] = ()
    statics: Statics | None = None
    procedures: Sequence[Period] = ()
    medications: Sequence[Period] = ()
    history: Mapping[str, Sequence[Observation]] = field(default_factory=dict)
    rules: FeedRules = DEFAULT_RULES

    def window(self, point: str) -> Window | None:
        """The window of a point, None while it is not defined."""
        return next((window for window in self.windows if window.code == point), None)


@dataclass(frozen=True, slots=True)
class PointScore:
    """One score at one time point.

    `during_session`: an input was sampled while a circuit ran (rule 5). `provisional`: a baseline before T0.
    `post_transplant`: after a liver transplantation, where the MELD family is no measure of severity.
    `confounders` are treatments of the 24 h before the sample that move what the MELD family reads, with the events
    that recorded them.
    """

    point: str
    result: ScoreResult
    during_session: bool = False
    provisional: bool = False
    post_transplant: bool = False
    confounders: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pool:
    """The observations in question at one point, by code: all, the one that counts, and why there is none.

    `derived` are the ids of those that were computed: a mean pressure from a cuff has the id of its systolic row.
    """

    candidates: Mapping[str, Sequence[Assigned]]
    used: Mapping[str, Assigned]
    unusable: Mapping[str, str]
    derived: frozenset[UUID] = frozenset()


def pool_of(point: str, context: ScoreContext) -> Pool:
    """What the assignment gives to a point, with the pressure derived and the urine judged (rules 1, 6)."""
    assigned = context.assignment.points[point]
    candidates = {code: list(rows) for code, rows in assigned.candidates.items()}
    used = dict(assigned.used)
    derived = derive_pressure(candidates)
    if derived:
        used["map"] = best(candidates["map"])
    if point == BASELINE:
        used = {code: found for code, found in used.items() if found.placement.in_window}
        candidates = {code: [found] for code, found in used.items()}
    time_point = context.plan.by_code[point]
    if URINE in used and (_spans_the_session(time_point) or not used[URINE].placement.in_window):
        del used[URINE], candidates[URINE]
    return Pool(candidates, used, assigned.unusable, derived)


def _spans_the_session(point: TimePoint) -> bool:
    """Whether a collection of 24 h that ends at this point would have begun before the session's end."""
    return point.kind == "instant" and (point.target_minutes or 0) < _DAY_MINUTES


def derive_pressure(candidates: dict[str, list[Assigned]]) -> frozenset[UUID]:
    """Adds (sbp + 2 dbp) / 3 of each moment where no mean pressure is (`labs.csv`, note of `map`); the ids of them."""
    if "map" in candidates:
        return frozenset()
    lower = {each.observation.collected: each.observation for each in candidates.get("dbp", ())}
    pairs = [
        Assigned(made, upper.placement)
        for upper in candidates.get("sbp", ())
        if (made := _mean_pressure(upper.observation, lower.get(upper.observation.collected))) is not None
    ]
    if pairs:
        candidates["map"] = pairs
    return frozenset(each.observation.result_id for each in pairs)


def _mean_pressure(upper: Observation, lower: Observation | None) -> Observation | None:
    """The mean pressure of two cuff values of one moment; None when one is lacking or censored."""
    if lower is None or upper.comparator is not None or lower.comparator is not None:
        return None
    high, low = upper.value, lower.value
    if not isinstance(high, Fraction) or not isinstance(low, Fraction):
        return None
    ids = tuple(dict.fromkeys((*upper.event_ids, *lower.event_ids)))
    return Observation(
        result_id=upper.result_id,
        event_id=ids[0],
        sample_id=upper.sample_id,
        code="map",
        value=(high + 2 * low) / 3,
        comparator=None,
        unit=upper.unit,
        collected=upper.collected,
        visit_code=upper.visit_code,
        pre_session=upper.pre_session,
        not_done=None,
        accepted=True,
        further_event_ids=ids[1:],
    )
