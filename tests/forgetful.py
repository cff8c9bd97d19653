"""Forgets between tests what functions of the projections remember, so that a mutated function is asked again.

A plugin of pytest for `make mutate`: `-p tests.forgetful`.
"""

import sys
from collections.abc import Iterator

PACKAGE = "hepatrail_projections"


def pytest_runtest_setup() -> None:
    """Before each test: every cache of the projections is emptied."""
    for remembering in _remembering():
        remembering.cache_clear()  # type: ignore[attr-defined]  # of functools' wrapper, which has no public type


def _remembering() -> Iterator[object]:
    for name, module in list(sys.modules.items()):
        if name.startswith(PACKAGE):
            yield from (each for each in vars(module).values() if hasattr(each, "cache_clear"))
