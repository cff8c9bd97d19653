"""Every layout covers each partition once, and a take-over reaches every producer that could write to it."""

import pytest

from hepatrail_services.decider.lanes import LAYOUTS, Lane, lanes_of, sharing


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_covers_every_partition_exactly_once(layout: int) -> None:
    covered = [partition for lane in lanes_of(layout) for partition in lane.partitions]
    assert sorted(covered) == list(range(12))
    assert all(partition % layout == lane.number for lane in lanes_of(layout) for partition in lane.partitions)


@pytest.mark.parametrize("layout", [0, 5, 7, 24])
def test_twelve_partitions_cannot_be_divided_otherwise(layout: int) -> None:
    with pytest.raises(ValueError, match="lanes must be one of 1, 2, 3, 4, 6, 12"):
        lanes_of(layout)


def test_the_transactional_id_names_lane_and_layout() -> None:
    assert Lane(2, 6).transactional_id == "hepatrail-decider-2-of-6"


def test_the_only_lane_shares_partitions_with_all_28() -> None:
    assert len(sharing(Lane(0, 1))) == sum(LAYOUTS)


def test_a_lane_of_twelve_shares_with_one_lane_of_each_layout() -> None:
    assert sharing(Lane(7, 12)) == (Lane(0, 1), Lane(1, 2), Lane(1, 3), Lane(3, 4), Lane(1, 6), Lane(7, 12))


@pytest.mark.parametrize("lane", [lane for layout in LAYOUTS for lane in lanes_of(layout)])
def test_sharing_is_what_two_sets_of_partitions_have_in_common(lane: Lane) -> None:
    shared = set(sharing(lane))
    assert lane in shared
    for layout in LAYOUTS:
        for other in lanes_of(layout):
            assert (other in shared) == bool(set(lane.partitions) & set(other.partitions))
