"""When the log is sealed, and why. Pure: moments are seconds of a monotonic clock."""

from dataclasses import dataclass, field

from hepatrail_events.transparency.seal import SealReason

TOGETHER = 0.5
"""Seconds for which a seal waits for further alerts after one: several share it."""
MOST_ASKED = 100
"""How many requests one seal names; the others are named by the next."""


@dataclass(slots=True)
class Triggers:
    """What has happened since the last seal. `every` are the seconds between two seals of a log that grows."""

    every: float
    sealed_at: float = 0.0
    first: bool = True
    alert_at: float | None = None
    asked: list[tuple[int, str]] = field(default_factory=list)
    """Offset and name `<instance>/<seq>` of the access records that asked."""

    def alert(self, at: float) -> None:
        """An alert was raised."""
        if self.alert_at is None:
            self.alert_at = at

    def named(self) -> tuple[str, ...]:
        """The requests that the next seal answers."""
        return tuple(name for _, name in self.asked[:MOST_ASKED])

    def due(self, at: float, *, grew: bool, rotates: bool) -> SealReason | None:
        """The reason to seal now, None to wait; of several the most important."""
        if self.first:
            return SealReason.START
        if rotates:
            return SealReason.ROTATION
        waited = self.alert_at is not None and at - self.alert_at >= TOGETHER
        interval = grew and at - self.sealed_at >= self.every
        if not (waited or self.asked or interval):
            return None
        if self.alert_at is not None:
            return SealReason.ALERT
        return SealReason.DEMAND if self.asked else SealReason.INTERVAL

    def sealed(self, at: float) -> None:
        """A seal was made for all that has happened until now."""
        self.first, self.sealed_at, self.alert_at = False, at, None
        del self.asked[:MOST_ASKED]
