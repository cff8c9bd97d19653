"""When the cyclic garbage collector has no work: while thousands of facts are made, which hold no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 500_000
"""Objects that were made and stayed: looking at them takes a tenth of a second and more."""


@contextmanager
def without_gc() -> Iterator[None]:
    """Keeps the cyclic collector away from a large batch: it would look at every fact again and again, for nothing.

    Facts and rows hold no cycles; what else came into being meanwhile is collected afterwards. Where so many of them
    stay that looking at them once would take longer than all else, they are kept from it for good: they still go when
    nobody holds them any more.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _MANY:
            gc.freeze()
        if enabled:
            gc.enable()
