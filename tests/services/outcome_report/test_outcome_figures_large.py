"""The figures of a trial of a thousand: on pages that can be read, in seconds."""

from time import process_time

from outcome_report_builders import figures


def test_a_thousand_participants_take_seconds() -> None:
    begun = process_time()
    drawn = figures(1000, terms=60)
    # 7 s of a core, most of it for the 34 pages of lanes.
    assert process_time() - begun < 25
    lanes = [each for each in drawn if each.code.startswith("SWIMMER_")]
    assert len(lanes) == 34
    assert sum(each.description.count(" sessions, ") for each in lanes) == 1000
    assert max(len(each.svg) for each in drawn) < 1_500_000
