"""How the safety processor, the scheduler and the desk's projection are: silence must never look like peace."""

from dataclasses import dataclass
from datetime import datetime

from hepatrail_graphql.times import Times
from hepatrail_projections.desk_reading import DeskRead


@dataclass(frozen=True, slots=True)
class SafetyHealth:
    """What a heartbeat says; `processed_to` None before the safety process has ever written.

    `fresh`: the safety process wrote lately, so that the desk's end in Kafka is known.
    """

    last_seq: int
    desk_version: int
    processed_to: datetime | None
    lag_seconds: float
    safety_healthy: bool
    scheduler_healthy: bool
    fresh: bool = False

    @property
    def flags(self) -> tuple[bool, bool]:
        """What a change of is worth a heartbeat of its own."""
        return self.safety_healthy, self.scheduler_healthy


class DeskWatch:
    """Remembers since when the desk's rows are behind the desk in Kafka."""

    def __init__(self) -> None:
        self._target = 0
        self._since: float | None = None

    def behind(self, projected: int, head: int, now: float, allowed: float) -> bool:
        """Whether the rows have been behind one and the same head for longer than `allowed` seconds (steady clock)."""
        if projected >= head or (self._since is not None and projected >= self._target):
            self._since = None
        if projected < head and self._since is None:
            self._target, self._since = head, now
        return self._since is not None and now - self._since > allowed


def safety_health(status: DeskRead, watch: DeskWatch, times: Times, *, now: datetime, steady: float) -> SafetyHealth:
    """Health at `now` (aware); `steady` are seconds of a clock that never jumps."""
    safety = status.safety
    if safety is None:
        return SafetyHealth(status.desk_alert_seq, status.desk_version, None, 0.0, False, False)
    fresh = safety.age_seconds is not None and safety.age_seconds <= times.status_fresh
    lag = max(0.0, (now - safety.processed_to).total_seconds())
    behind = watch.behind(status.desk_version, safety.desk_version, steady, times.desk_behind)
    return SafetyHealth(
        last_seq=max(safety.desk_alert_seq, status.desk_alert_seq),
        desk_version=max(safety.desk_version, status.desk_version),
        processed_to=safety.processed_to,
        lag_seconds=lag,
        safety_healthy=fresh and safety.safety_healthy and not behind and lag <= times.lag_unhealthy,
        scheduler_healthy=fresh and safety.scheduler_healthy,
        fresh=fresh,
    )


def unknown(last: SafetyHealth | None, now: datetime) -> SafetyHealth:
    """Health while Postgres cannot be asked: what was known last, and nothing healthy about it."""
    if last is None:
        return SafetyHealth(0, 0, None, 0.0, False, False)
    lag = 0.0 if last.processed_to is None else max(0.0, (now - last.processed_to).total_seconds())
    return SafetyHealth(last.last_seq, last.desk_version, last.processed_to, lag, False, False)
