"""The collector is kept from large batches, and from what stays of the largest for good."""

import gc
import weakref

import pytest

from hepatrail_projections import collecting
from hepatrail_projections.collecting import without_gc


class Thing:
    """Something that the collector looks at."""


def test_it_is_away_within_and_back_behind_however_the_batch_ends() -> None:
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), without_gc():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()
    gc.disable()
    try:
        with without_gc():
            pass
        assert not gc.isenabled(), "who had it switched off keeps it so"
    finally:
        gc.enable()


def test_what_stays_of_few_is_looked_at_and_of_many_is_not_but_goes_when_nobody_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collecting, "_MANY", 1_000)
    frozen = gc.get_freeze_count()
    try:
        with without_gc():
            few = [Thing() for _ in range(10)]
        assert gc.get_freeze_count() == frozen
        with without_gc():
            many = [Thing() for _ in range(2_000)]
        assert gc.get_freeze_count() >= frozen + 2_000
        last = weakref.ref(many[-1])
        del many
        assert last() is None
        assert len(few) == 10
    finally:
        gc.unfreeze()
