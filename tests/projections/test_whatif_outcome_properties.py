"""What holds of the outcomes of any trial under any two protocols: a patch that leads from one side to the other."""

from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_projections.clinical.endpoints.cells import Cell
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.whatif_counts import outcome_counts_of
from hepatrail_projections.whatif_outcomes import outcome_differences
from trial_history import history
from whatif_course import OutcomesAsked, other, outcomes_asked, with_point

OTHERS: tuple[Protocol, ...] = (
    shipped_protocol(),
    other(anchor="LAST_SESSION_END"),
    other(anchor="FIRST_SESSION_START", baseline_lookback_days=2),
    with_point("D7", days_before=0, days_after=3),
    other(points=[each.model_dump() for each in shipped_protocol().points if each.code != "D5"]),
    other(scores={"enabled": ("meld_3_0", "gcs")}, safety={"safety_end_months": 1}),
    other(endpoints={"landmark_days": (7, 14, 28), "confidence": "0.9"}),
    other(cells_per_kg=100_000_000, session_hours_high="5", endpoints={"dose_target_scope": "TOTAL"}),
)
Cells: TypeAlias = dict[tuple[str, str, str], Cell]


def cells(of: Outcomes) -> Cells:
    return {(table.code, row.code, cell.column): cell for table in of.tables for row, cell in table.cells()}


def patched(asked: OutcomesAsked) -> Cells:
    """The cells as they are, with those that differ put in and taken out."""
    found = cells(asked.now)
    for each in asked.found.listed:
        for row, column, now, then in each.cells:
            place = (each.table, row, column)
            assert found.pop(place, None) == now, "it says what is shown now"
            if then is not None:
                found[place] = then
    return found


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, len(OTHERS) - 1), st.booleans())
def test_putting_in_what_would_be_shown_gives_the_other_outcomes_and_what_is_not_named_is_equal(
    seed: int, number: int, always: bool
) -> None:
    asked = outcomes_asked(history(seed, subjects=3, steps=60), OTHERS[number], always=always)
    now, then = cells(asked.now), cells(asked.then)
    assert patched(asked) == then
    touched = [(each.table, pair.row, pair.column) for each in asked.found.listed for pair in each.cells]
    assert len(touched) == len(set(touched)), "each cell once"
    for place in (now.keys() | then.keys()) - set(touched):
        assert now[place] == then[place]
    for each in touched:
        assert now.get(each) != then.get(each)
    # Tables, rows and columns of one side are whole, and mirror themselves.
    back = {(each.table, each.row, each.column): each for each in outcome_differences(asked.then, asked.now)}
    assert len(back) == len(asked.found.listed)
    for one in asked.found.listed:
        mirrored = back[one.table, one.row, one.column]
        assert (mirrored.enter, mirrored.leave, mirrored.stay) == (one.leave, one.enter, one.stay)
        assert set(mirrored.event_ids) == set(one.event_ids)


@pytest.mark.parametrize("number", range(1, len(OTHERS)))
def test_who_and_what_is_named_is_in_the_cells(number: int) -> None:
    asked = outcomes_asked(history(640 + number, subjects=4, steps=140), OTHERS[number])
    assert asked.found.listed, "something differs"
    for side in (asked.now, asked.then):
        order = [table.code for table in side.tables]
        places = [order.index(each.table) for each in asked.found.listed if each.table in order]
        assert places == sorted(places), "in the order of the tables"
    events = {each.event_id: each for each in asked.found.events}
    assert len(events) == len(asked.found.events)
    assert events.keys() == {one for each in asked.found.listed for one in each.event_ids}
    for each in asked.found.listed:
        now, then = (
            {held.subject_id: held for cell in side if cell is not None for held in cell.contributions}
            for side in zip(*((pair.now, pair.then) for pair in each.cells), strict=True)
        )
        assert set(each.enter) == then.keys() - now.keys()
        assert set(each.leave) == now.keys() - then.keys()
        assert set(each.stay) <= now.keys() & then.keys()
        streams = [(events[one].stream, events[one].streamseq) for one in each.event_ids]
        assert streams == sorted(set(streams))
    counts = outcome_counts_of(asked.found.listed)
    assert counts.total.values == sum(count.values for count in counts.tables.values())
    assert counts.total.values == sum(len(each.cells) for each in asked.found.listed)
