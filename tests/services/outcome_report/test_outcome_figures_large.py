"""The figures of a trial of hundreds: on pages that can be read."""

from outcome_report_builders import figures


def test_three_hundred_participants_have_a_lane_each_on_pages_of_thirty() -> None:
    drawn = figures(300, terms=60)
    lanes = [each for each in drawn if each.code.startswith("SWIMMER_")]
    assert len(lanes) == 10
    assert sum(each.description.count(" sessions, ") for each in lanes) == 300
    assert max(len(each.svg) for each in drawn) < 1_500_000
