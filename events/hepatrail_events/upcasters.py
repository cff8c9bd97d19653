"""Old shapes to new ones: pure functions from the payload of version v to that of v + 1, never rewritten.

No event has a second version yet; the first entry looks like `("SessionStarted", 1): session_started_2`.
"""

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
