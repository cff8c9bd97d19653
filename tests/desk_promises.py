"""What a safety officer is promised, checked from the outside: the desk in Kafka beside what each client was told.

`broken` must be empty at any moment, whatever has just been killed; `lacking` must become empty once the stack is
left in peace. Both look at the log with their own eyes: nothing of the product's decides here what is due.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, zip_longest

from desk_log import DeskFact, DeskLog
from hepatrail_events.types import parse_instant
from officers import Seen

LIFECYCLE = frozenset(
    {"SAE_NEW", "SAE_UPGRADED", "SAE_FATAL", "SAE_LIFE_THREATENING", "SAE_CHANGED", "SAE_DOWNGRADED", "SAE_VOIDED"}
)
"""Alerts of which a commit raises one at most for an adverse event (`safety.md` 6.1)."""
PASSING = frozenset({"UNAVAILABLE", "INTERNAL", None})
"""Codes that a client may be told while a part is away; it subscribes again."""
GRACE = timedelta(seconds=10)
"""How long after its time a level may come once all is well."""
CLOCK_HOURS = timedelta(hours=24)

Escalation = Mapping[str, Sequence[int]]
"""Minutes to the levels by priority, as in the protocol."""


@dataclass(frozen=True)
class Level:
    """A level of an alert's escalation and the instant of it."""

    alert_id: str
    level: int
    at: datetime


def broken(desk: DeskLog, clients: Mapping[str, Seen], escalation: Escalation) -> list[str]:
    """Promises that can never be kept again; empty when all are kept."""
    return [
        *_numbering(desk),
        *_twice(desk),
        *_escalated_wrongly(desk, escalation),
        *(f"{name}: {what}" for name, seen in clients.items() for what in _told_wrongly(desk, seen)),
    ]


def lacking(
    desk: DeskLog, clients: Mapping[str, Seen], escalation: Escalation, commits: Collection[str], now: datetime
) -> list[str]:
    """What must still come; `commits` are the accepted commands that each raise a lifecycle alert."""
    alerts = desk.of_kind("SaeAlert")
    told = {alert.data["commitId"] for alert in alerts if alert.data["type"] in LIFECYCLE}
    fired = {(fact.data["alertId"], fact.data["level"]) for fact in desk.of_kind("AlertEscalated")}
    return [
        *(f"no alert of the commit {commit}" for commit in commits if commit not in told),
        *(
            f"level {due.level} of {due.alert_id} has not fired"
            for due in levels(desk, escalation)
            if due.at + GRACE <= now and (due.alert_id, due.level) not in fired
        ),
        *_unbreached(alerts, now),
        *(
            f"{name} holds {len(seen.items)} of {len(desk.facts)}"
            for name, seen in clients.items()
            if len(seen.items) < len(desk.facts)
        ),
    ]


def levels(desk: DeskLog, escalation: Escalation) -> Iterator[Level]:
    """Every level that no acknowledgement recorded at or before its time has stopped."""
    stopped = _stopped(desk)
    for alert in desk.of_kind("SaeAlert"):
        raised_at, alert_id = parse_instant(alert.data["raisedAt"]), alert.data["alertId"]
        for number, minutes in enumerate(escalation[alert.data["priority"]], start=1):
            at = raised_at + timedelta(minutes=minutes)
            if alert_id not in stopped or stopped[alert_id] > at:
                yield Level(alert_id, number, at)


def _stopped(desk: DeskLog) -> dict[str, datetime]:
    reporters = {alert.data["alertId"]: alert.data["reporterId"] for alert in desk.of_kind("SaeAlert")}
    stopped: dict[str, datetime] = {}
    for fact in desk.of_kind("AlertAcknowledged"):
        if fact.data["by"] != reporters[fact.data["alertId"]]:
            stopped.setdefault(fact.data["alertId"], fact.recorded_at)
    return stopped


def _numbering(desk: DeskLog) -> Iterator[str]:
    if desk.numbers != list(range(1, len(desk.numbers) + 1)):
        gap = next((one, other) for one, other in pairwise([0, *desk.numbers]) if other != one + 1)
        yield f"alert numbers have a gap: {gap[1]} after {gap[0]}"


def _twice(desk: DeskLog) -> Iterator[str]:
    alerts = desk.of_kind("SaeAlert")
    yield from _repeated("raised", [alert.data["alertId"] for alert in alerts])
    lifecycle = [alert.data for alert in alerts if alert.data["type"] in LIFECYCLE]
    yield from _repeated("lifecycle alert", [f"{data['aeId']} at commit {data['commitId']}" for data in lifecycle])
    timed = [alert.data for alert in alerts if alert.data["type"] in ("CLOCK_WARNING", "CLOCK_BREACH")]
    yield from _repeated("clock alert", [f"{data['type']} of {data['aeId']}" for data in timed])
    fired = [f"level {fact.data['level']} of {fact.data['alertId']}" for fact in desk.of_kind("AlertEscalated")]
    yield from _repeated("escalated", fired)


def _repeated(what: str, keys: Sequence[str]) -> Iterator[str]:
    return (f"{what} {count} times: {key}" for key, count in Counter(keys).items() if count > 1)


def _escalated_wrongly(desk: DeskLog, escalation: Escalation) -> Iterator[str]:
    may = {(each.alert_id, each.level): each.at for each in levels(desk, escalation)}
    last: dict[str, int] = {}
    for fact in desk.of_kind("AlertEscalated"):
        alert_id, level = fact.data["alertId"], fact.data["level"]
        if (alert_id, level) not in may:
            yield f"level {level} of {alert_id} fired though it was acknowledged in time"
        elif fact.recorded_at < may[alert_id, level]:
            yield f"level {level} of {alert_id} fired before its time"
        if level != last.get(alert_id, 0) + 1:
            yield f"level {level} of {alert_id} fired after level {last.get(alert_id, 0)}"
        last[alert_id] = level


def _told_wrongly(desk: DeskLog, seen: Seen) -> Iterator[str]:
    held = desk.cursors[: len(seen.items)]
    if seen.cursors != held:
        told, stands = next(pair for pair in zip_longest(seen.cursors, held) if pair[0] != pair[1])
        yield f"was told {told} where the desk has {stands}"
    if seen.numbers != desk.numbers[: len(seen.numbers)]:
        yield "holds other alert numbers than the desk"
    yield from (f"was refused: {error}" for error in seen.errors if error.get("code") not in PASSING)


def _unbreached(alerts: Sequence[DeskFact], now: datetime) -> Iterator[str]:
    # Nothing is submitted, and nobody was treated: one clock runs for an event, the ethics committee's 24 hours.
    breached = {alert.data["aeId"] for alert in alerts if alert.data["type"] == "CLOCK_BREACH"}
    known = {alert.data["aeId"]: alert.data["awareAt"] for alert in alerts if alert.data["type"] == "SAE_NEW"}
    for ae_id, aware_at in known.items():
        if ae_id not in breached and parse_instant(aware_at) + CLOCK_HOURS + GRACE <= now:
            yield f"no breach of the 24 hours of {ae_id}"
