"""How long things take in the API."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Times:
    """How long things take, in seconds; the values are those of DESIGN section 5 and `safety.md` 6.3."""

    read_wait: float = 2.0
    """`minPosition` and an `asOf` that is not complete yet."""
    page_anyway: float = 5.0
    heartbeat: float = 20.0
    keep_alive: float = 15.0
    """Silence on an event stream until a comment is sent, so that nothing between here and the client gives up."""
    slow_client: float = 10.0
    status_fresh: float = 10.0
    desk_behind: float = 5.0
    lag_unhealthy: float = 30.0
    undecided: float = 10.0
    connection_init: timedelta = timedelta(seconds=10)
