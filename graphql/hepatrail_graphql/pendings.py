"""Commands of this process that were sent and not answered yet: for `command`, and for readiness."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from hepatrail_projections.decision import DecisionRow

KEPT_SECONDS = 60.0
"""How long an unanswered command speaks against this process; one that never reached Kafka is never decided."""
KEPT = 10_000

Key = tuple[str, UUID]


class Pendings:
    """Unanswered commands by stream and id, with the time since when (seconds of any steady clock)."""

    def __init__(self) -> None:
        self._since: dict[Key, float] = {}

    def add(self, stream: str, command_id: UUID, now: float) -> None:
        """A command was answered `PENDING`; the first time counts."""
        self._since.setdefault((stream, command_id), now)
        while len(self._since) > KEPT:
            del self._since[next(iter(self._since))]

    def settle(self, stream: str, command_id: UUID) -> None:
        """A command was decided."""
        self._since.pop((stream, command_id), None)

    def includes(self, stream: str, command_id: UUID) -> bool:
        """Whether this process sent the command and has no answer."""
        return (stream, command_id) in self._since

    async def undecided(
        self, now: float, older_than: float, decision: Callable[[str, UUID], Awaitable[DecisionRow | None]]
    ) -> tuple[str, ...]:
        """The streams of commands undecided for longer than `older_than` seconds."""
        self._since = {key: since for key, since in self._since.items() if now - since <= KEPT_SECONDS + older_than}
        late = [key for key, since in self._since.items() if now - since > older_than]
        for stream, command_id in late[:50]:
            if await decision(stream, command_id) is not None:
                self.settle(stream, command_id)
        return tuple(sorted({stream for stream, command_id in late if (stream, command_id) in self._since}))
