"""A stretch of the safety desk's stream as it was read, and what subscribers see of it, made once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from hepatrail_graphql.shared_answers import Shared
from hepatrail_projections.desk_reading import DeskEntry

SHOWN_SECONDS = 5.0
"""How long what was made is used: free text stands open in it, and its key may be destroyed at any time."""

Make: TypeAlias = Callable[[Sequence[DeskEntry]], Awaitable[Sequence[Any]]]
"""Makes what a subscriber sees of entries, one of each."""


class DeskPage:
    """Everything behind `after` and up to `until` (streamseqs of the desk) that concerns an alert.

    Entries may be left out that the reader of this page is not to see.
    """

    def __init__(self, after: int, until: int, entries: Sequence[DeskEntry]) -> None:
        self.after = after
        self.until = until
        self.entries = tuple(entry for entry in entries if entry.alert is not None)
        self._shown: dict[bool, asyncio.Task[Shared]] = {}

    async def shown(self, make: Make, *, may_read: bool) -> Shared:
        """What those see of the entries who may, or may not, read free text; whoever asks first has it made."""
        task = self._shown.get(may_read)
        if task is None:
            task = self._shown[may_read] = asyncio.create_task(self._made(make))
            asyncio.get_running_loop().call_later(SHOWN_SECONDS, self._shown.pop, may_read, None)
        # The one who asked first may leave, the others still wait for it.
        return task.result() if task.done() else await asyncio.shield(task)

    async def _made(self, make: Make) -> Shared:
        return Shared(await make(self.entries))
