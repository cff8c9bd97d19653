"""What a notice says: enough to make somebody look, nothing about a participant (`safety.md` 6.2, PRV-01).

Decided here, because the reference leaves room:

- No pseudonym, no adverse event, no grade, no text: mail travels and is kept where nobody watches over it. Alert and
  command ids stay out too: some are derived from a pseudonym, and whoever guesses that could confirm it.
- The id of a notice is derived from that of the alert's event in the log, so that it is the same for every repeat and
  never that of another trial.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.streams import SAFETY_DESK, Position
from hepatrail_events.types import format_instant
from hepatrail_projections.desk_view import AlertFact


class Audience(StrEnum):
    """Who is told (`safety.md` 6.3, escalation)."""

    ALERT = "ALERT"
    """Of a new alert: safety officers."""
    LEVEL_1 = "LEVEL_1"
    """All safety officers and the principal investigator."""
    LEVEL_2 = "LEVEL_2"
    """The sponsor's medical monitor."""
    LEVEL_3 = "LEVEL_3"
    """The DSMB's chair and the institution's office."""
    OUTAGE = "OUTAGE"
    """Safety itself does not work: safety officers and those who run it."""


_OF_LEVEL = {None: Audience.ALERT, 1: Audience.LEVEL_1, 2: Audience.LEVEL_2, 3: Audience.LEVEL_3}


@dataclass(frozen=True, slots=True)
class Notice:
    """One message, the same on every channel. `data` is JSON, what a program needs of it."""

    id: UUID
    kind: str
    audience: Audience
    at: datetime
    """When that came about of which it tells."""
    title: str
    lines: tuple[str, ...]
    data: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The message for people."""
        return "\n".join(self.lines) + "\n"


def audience_of(level: int | None) -> Audience:
    """Who is told of a level of escalation; None: of the alert itself."""
    return _OF_LEVEL[level]


def alert_notice(alert: AlertFact, level: int | None, link: str | None) -> Notice:
    """The notice of an alert, or of a level of it that fired. `link` is where people look, such as the API."""
    raised = alert.raised
    cursor = str(Position(SAFETY_DESK, alert.envelope.streamseq - 1))
    title = f"[{raised.priority}] Safety alert {raised.alert_seq}: {raised.type}"
    fired_at = next((each.recorded_at for each in alert.escalations if each.event.level == level), None)
    site = "" if raised.site_id is None else f", site {raised.site_id}"
    told = () if level is None else (f"Nobody has acknowledged it in time: this is level {level} of its escalation.",)
    return Notice(
        id=derived_id(alert.envelope.id, "notice", level or 0),
        kind="safety.alert.raised" if level is None else "safety.alert.escalated",
        audience=audience_of(level),
        at=fired_at or raised.raised_at,
        title=title if level is None else f"{title}, level {level}: not acknowledged",
        lines=(
            f"Safety alert {raised.alert_seq}: {raised.type}, priority {raised.priority}{site}, "
            f"raised at {format_instant(raised.raised_at)}.",
            *told,
            f"Read and acknowledge it in the safety desk{_at(link)}; it follows the cursor {cursor}.",
            _NO_NAMES,
        ),
        data={
            "alertSeq": raised.alert_seq,
            "type": raised.type.value,
            "priority": raised.priority.value,
            "siteId": raised.site_id,
            "level": level,
            "raisedAt": format_instant(raised.raised_at),
            "after": cursor,
            "link": link,
        },
    )


_NO_NAMES = "This message names no participant on purpose."


def _at(link: str | None) -> str:
    return "" if link is None else f" at {link}"
