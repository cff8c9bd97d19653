"""What an auditor keeps of the records of a participant and of the study."""

from dataclasses import dataclass, field
from typing import Any

from hepatrail_events.codec import Recorded

Json = dict[str, Any]
ENDED = {"RECOVERED", "RECOVERED_WITH_SEQUELAE", "FATAL"}
GRADES = {
    "FEVER": range(1, 6),
    "RASH": range(1, 4),
    "PALPITATIONS": range(1, 3),
    "SEPSIS": range(3, 6),
    "HEPATIC_FAILURE_WORSENING": range(3, 6),
    "DEATH_NOS": range(5, 6),
    "OTHER": range(1, 6),
}
"""Grades that exist for the terms that the histories use (`safety.md` 2.1)."""


@dataclass
class Kept:
    """A record in its latest version."""

    kind: str
    body: Json
    voided: bool = False


@dataclass
class Session(Kept):
    """A session with its pauses."""

    pauses: list[list[Any]] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it runs."""
        return not self.voided and "endedAt" not in self.body


@dataclass
class Ae(Kept):
    """An adverse event: version, grade timeline by event id, criteria by assessor, request to void it."""

    version: int = 1
    points: dict[str, tuple[int, Any]] = field(default_factory=dict)
    criteria: dict[str, set[str]] = field(default_factory=lambda: {"INVESTIGATOR": set(), "SPONSOR": set()})
    since: dict[str, Any] = field(default_factory=dict)
    ever_serious: bool = False
    requester: str | None = None

    @property
    def fatal(self) -> bool:
        """Whether it led to death."""
        return not self.voided and self.body["outcome"] == "FATAL"


@dataclass
class Study:
    """Active sites and holds in force, as the study's stream tells."""

    sites: set[str] = field(default_factory=set)
    holds: dict[str, Json] = field(default_factory=dict)

    def take(self, recorded: Recorded) -> None:
        """The next event of the study."""
        body = recorded.event.payload()
        match recorded.envelope.type:
            case "SiteActivated":
                self.sites.add(body["siteId"])
            case "SiteDeactivated":
                self.sites.discard(body["siteId"])
            case "HoldPlaced":
                self.holds[body["holdId"]] = body
            case "HoldReleased":
                del self.holds[body["holdId"]]

    def held(self, action: str, subject_id: str) -> bool:
        """Whether a hold stops this action for the participant."""
        return any(
            hold["action"] == action and hold.get("subjectId", subject_id) == subject_id for hold in self.holds.values()
        )


def text(value: Any) -> str | None:
    """A JSON value as a correction writes it."""
    if isinstance(value, dict):
        return str(value.get("value", "UNKNOWN"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
