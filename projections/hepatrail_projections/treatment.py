"""What every adverse event of a participant is held against: from the sessions and the transplant alone."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_projections.clinical.adverse_events.derived import Treatment
from hepatrail_projections.clinical.adverse_events.window import te_window
from hepatrail_projections.clinical.inputs import Stop
from hepatrail_projections.session_facts import SessionFact


def treatment_under(
    sessions: Mapping[UUID, SessionFact], transplant: Stop | None, rules: SafetyRules, zone: ZoneInfo
) -> Treatment:
    """The window under the rules of a protocol version; `transplant` is the first after T0. Void sessions are none."""
    given = sorted(
        (each for each in sessions.values() if each.voided is None), key=lambda each: each.started.started_at
    )
    if not given:
        return Treatment(None, None, rules, zone)
    first = given[0]
    closing = given[-1] if rules.safety_end_anchor == "LAST_SESSION_END" else first
    begun = first.started
    resting_on = (*first.event_ids, *closing.event_ids, *(() if transplant is None else transplant.event_ids))
    return Treatment(
        window=te_window(begun.started_at, begun.access_placed_at, closing.ended_at, rules, zone),
        transplant_at=None if transplant is None else transplant.time,
        rules=rules,
        zone=zone,
        event_ids=tuple(dict.fromkeys(resting_on)),
    )


def first_start(sessions: Mapping[UUID, SessionFact]) -> datetime | None:
    """T0: the start of the first session that is not void; None for one who was never treated."""
    return min((each.started.started_at for each in sessions.values() if each.voided is None), default=None)
