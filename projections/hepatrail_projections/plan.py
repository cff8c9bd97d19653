"""From a protocol version to the plan of visits that the clinical derivations read."""

from datetime import timedelta
from types import MappingProxyType

from hepatrail_events.errors import InvalidPayload
from hepatrail_events.protocol import Point, Protocol
from hepatrail_projections.clinical.visits import InvalidPlan, TimePoint, VisitPlan


def visit_plan(protocol: Protocol) -> VisitPlan:
    """The plan of a protocol version; InvalidPayload when it contradicts itself (deciders refuse such a one)."""
    rules = protocol.visits
    try:
        return VisitPlan(
            zone=protocol.site_zone,
            anchor_rule=protocol.anchor,
            baseline_lookback_days=protocol.baseline_lookback_days,
            baseline_spread_hours=protocol.baseline_spread_hours,
            points=tuple(_point(point) for point in protocol.points),
            score_max_spread=MappingProxyType(
                {point.code: timedelta(minutes=point.score_spread_minutes) for point in protocol.points}
            ),
            post_transplant=rules.post_transplant,
            items=rules.items,
            auxiliary_items=rules.auxiliary_items,
            no_abg_from=rules.no_abg_from,
            no_abg_inputs=frozenset(rules.no_abg_inputs),
            safety_follow_up_days=rules.safety_follow_up_days,
            entry_grace_hours=rules.entry_grace_hours,
            crrt_kinds=frozenset(kind.value for kind in protocol.scores.crrt_modalities_counting_as_cvvhd),
        )
    except InvalidPlan as error:
        raise InvalidPayload(f"protocol {protocol.trial}: {error}") from error


def _point(point: Point) -> TimePoint:
    return TimePoint(
        code=point.code,
        kind=point.kind,
        target_minutes=point.target_minutes,
        earliest_minutes=point.earliest_minutes,
        latest_minutes=point.latest_minutes,
        target_days=point.target_days,
        target_months=point.target_months,
        days_before=point.days_before,
        days_after=point.days_after,
        ae=point.ae,
        surv=point.surv,
    )
