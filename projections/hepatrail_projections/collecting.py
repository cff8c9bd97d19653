"""When the cyclic garbage collector has no work: while thousands of facts are made, which hold no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_gc() -> Iterator[None]:
    """Keeps the cyclic collector away from a large batch: it would look at every fact again and again, for nothing.

    Facts and rows hold no cycles; what else came into being meanwhile is collected afterwards.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
