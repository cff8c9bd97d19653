"""What `hepatrail watch` shows: lines of the desk's messages, what was caught up, the clocks that count down. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rich.text import Text

from hepatrail_events.types import parse_instant

_STYLES = {"P1": "bold white on red", "P2": "bold red", "P3": "yellow"}
_WORDS = {"SaeAlert": "alert", "AlertAcknowledged": "acknowledgement", "AlertEscalated": "escalation"}
_SHOWN_CLOCKS = 3
_HOUR = 3600
_MINUTE = 60


@dataclass(slots=True)
class Known:
    """The alerts that were shown: their number by id, and which of them wait for an acknowledgement."""

    numbers: dict[str, int] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)

    def take(self, message: Mapping[str, Any]) -> None:
        """Notes what a message says of an alert."""
        match message["__typename"]:
            case "SaeAlert":
                number = int(message["alertSeq"])
                self.numbers[message["alertId"]] = number
                (self.open.discard if message["acknowledgedAt"] else self.open.add)(number)
            case "AlertAcknowledged" if message["stopping"]:
                self.open.discard(self.numbers.get(message["alertId"], 0))

    def alert_id(self, number: int) -> str | None:
        """The alert of a number, None when it was not shown."""
        return next((alert_id for alert_id, known in self.numbers.items() if known == number), None)

    def name(self, alert_id: str) -> str:
        """How a line names an alert: by its number, by its id when it was not shown."""
        number = self.numbers.get(alert_id)
        return alert_id if number is None else f"#{number}"


def is_healthy(message: Mapping[str, Any], before: bool) -> bool:
    """What the last heartbeat said; other messages leave it."""
    if message["__typename"] != "Heartbeat":
        return before
    return bool(message["safetyHealthy"] and message["schedulerHealthy"])


def lines(message: Mapping[str, Any], was_healthy: bool, known: Known) -> list[Text]:
    """What the terminal shows of a message; of heartbeats only a change of health."""
    match message["__typename"]:
        case "SaeAlert":
            return [_alert(message)]
        case "AlertAcknowledged":
            who, what = message["by"], known.name(message["alertId"])
            ending = "" if message["stopping"] else ", which does not stop escalation: it is the reporter's own"
            return [Text(f"  {what} acknowledged by {who} {message['recordedAt']}{ending}", "green")]
        case "AlertEscalated":
            late = ", late" if message["late"] else ""
            what = f"  {known.name(message['alertId'])} escalated to level {message['level']}{late}"
            return [Text(f"{what} {message['recordedAt']}", "bold magenta")]
    now = is_healthy(message, was_healthy)
    if now == was_healthy:
        return []
    if now:
        return [Text(f"healthy again, alerts up to #{message['lastSeq']}", "green")]
    return [Text("UNHEALTHY: alerts may be missing, find out why (hepatrail status)", "bold white on red")]


def caught_up(messages: Counter[str], last_seq: int, away: timedelta | None) -> Text:
    """What a connection brought until it was live; `away` is how long there was none, None at the start."""
    counts = [f"{messages[kind]} {word}{'' if messages[kind] == 1 else 's'}" for kind, word in _WORDS.items()]
    since = "" if away is None else f" after {countdown(away)} without connection"
    return Text(f"caught up{since}: {', '.join(counts)}; the desk has {last_seq} alerts; now live", "green")


def status_line(
    clocks: Sequence[Mapping[str, Any]], now: datetime, known: Known, *, healthy: bool, connected: bool
) -> str:
    """One line for the foot of the terminal: health, open alerts, the clocks that are due first."""
    state = "live" if healthy else "UNHEALTHY"
    parts = [state if connected else "NOT CONNECTED", f"{len(known.open)} open"]
    parts += [clock_text(each, now) for each in clocks[:_SHOWN_CLOCKS]]
    if len(clocks) > _SHOWN_CLOCKS:
        parts.append(f"{len(clocks) - _SHOWN_CLOCKS} more clocks")
    return " | ".join(parts)


def clock_text(clock: Mapping[str, Any], now: datetime) -> str:
    """A running clock with the time that is left, or by how much it is late."""
    left = parse_instant(clock["dueAt"]) - now
    time = f"{countdown(left)} left" if left >= timedelta() else f"{countdown(-left)} LATE"
    return f"{clock['type']} {clock['subjectId']} {time}"


def countdown(span: timedelta) -> str:
    """A span as days and `h:mm:ss`."""
    seconds = int(span.total_seconds())
    clock = f"{seconds // _HOUR % 24}:{seconds // _MINUTE % 60:02}:{seconds % 60:02}"
    return f"{span.days} d {clock}" if span.days else clock


def _alert(message: Mapping[str, Any]) -> Text:
    verbatim = message["verbatim"] or {}
    text = verbatim.get("value") or verbatim.get("state") or message["detail"] or ""
    priority, who = message["priority"], message["subjectId"] or "trial"
    late = " LATE" if message["late"] else ""
    seen = " (acknowledged)" if message["acknowledgedAt"] else ""
    what = f" #{message['alertSeq']} {message['type']}{late} {who} {text} {message['recordedAt']}{seen}"
    return Text.assemble((f" {priority} ", _STYLES.get(priority, "")), what)
