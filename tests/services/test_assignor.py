"""Whole lanes, each once, where they are if that is fair; and never to a zombie or to another layout."""

import pytest

from hepatrail_services.decider.assignor import Assigned, Claim, LaneAssignor, share_out
from hepatrail_services.decider.lanes import LAYOUTS, Lane


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("members", range(1, 8))
def test_every_lane_goes_to_exactly_one_member_and_evenly(layout: int, members: int) -> None:
    given = share_out({f"m{number}": Claim(layout) for number in range(members)})
    lanes = sorted(lane for assigned in given.values() for lane in assigned.lanes)
    sizes = [len(assigned.lanes) for assigned in given.values()]
    assert lanes == list(range(layout))
    assert max(sizes) - min(sizes) <= 1


def test_a_newcomer_takes_no_more_than_its_share() -> None:
    given = share_out({"a": Claim(4, (0, 1), 3), "b": Claim(4, (2, 3), 3), "c": Claim(4)})
    assert set(given["a"].lanes) == {0, 1}
    assert set(given["b"].lanes) == {2, 3}
    assert given["c"].lanes == ()
    given = share_out({"a": Claim(4, (0, 1, 2, 3), 3), "c": Claim(4)})
    assert given["a"].lanes == (0, 1)
    assert given["c"].lanes == (2, 3)


def test_of_two_who_hold_a_lane_the_later_term_is_right() -> None:
    given = share_out({"zombie": Claim(1, (0,), 4), "successor": Claim(1, (0,), 5)})
    assert given["successor"].lanes == (0,)
    assert given["zombie"].lanes == ()


def test_the_layout_in_service_stays_until_its_last_member_is_gone() -> None:
    claims = {"old": Claim(1, (0,), 7), "new-a": Claim(3), "new-b": Claim(3)}
    given = share_out(claims)
    assert given["old"] == Assigned(1, (0,), 8)
    assert given["new-a"].lanes == given["new-b"].lanes == ()
    del claims["old"]
    given = share_out(claims)
    assert sorted(given["new-a"].lanes + given["new-b"].lanes) == [0, 1, 2]


def test_a_zombie_of_an_old_layout_takes_nothing_from_the_new_one() -> None:
    given = share_out({"zombie": Claim(1, (0,), 7), "new": Claim(3, (0, 1, 2), 8)})
    assert given["new"].lanes == (0, 1, 2)
    assert given["zombie"].lanes == ()


def test_the_order_of_members_does_not_matter() -> None:
    claims = {"a": Claim(12, (3,), 2), "b": Claim(12, (3, 4), 2), "c": Claim(12)}
    assert share_out(claims) == share_out(dict(reversed(list(claims.items()))))


def test_user_data_that_cannot_be_read_gets_nothing() -> None:
    assert Claim.decode(b"\xff") == Claim(0)
    assert Claim.decode(b"[]") == Claim(0)
    given = share_out({"odd": Claim.decode(b""), "good": Claim(1)})
    assert given["odd"].lanes == ()
    assert given["good"].lanes == (0,)


def test_members_speak_through_kafkas_group_protocol() -> None:
    leader, other = LaneAssignor(2), LaneAssignor(2)
    members = {"a": leader.metadata({"hepatrail.commands"}), "b": other.metadata({"hepatrail.commands"})}
    answers = leader.assign(None, members)
    leader.on_assignment(answers["a"])
    other.on_assignment(answers["b"])
    assert leader.lanes() == (Lane(0, 2),)
    assert other.lanes() == (Lane(1, 2),)
    assert [tp.partition for tp in answers["b"].partitions()] == [1, 3, 5, 7, 9, 11]
    assert Claim.decode(leader.metadata(()).user_data) == Claim(2, (0,), 1)


def test_an_assignment_left_over_from_another_layout_is_known_as_such() -> None:
    old, restarted = LaneAssignor(1), LaneAssignor(3)
    answers = old.assign(None, {"a": old.metadata(())})
    restarted.on_assignment(answers["a"])
    assert restarted.lanes() == ()
    assert restarted.for_another_layout()
    before = LaneAssignor(3).metadata(()).user_data
    assert restarted.metadata(()).user_data != before, "the broker rebalances only when the claim has changed"
