"""Dates of SDTM: nothing is filled in, and a civil day of the source stays that day."""

from zoneinfo import ZoneInfo

import pytest

from hepatrail_events.types import PartialDate
from hepatrail_services.importers.times import UnreadableTime, civil, instant_or_day, is_partial, partial

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


def test_a_collection_date_of_ten_characters_stays_a_date() -> None:
    assert instant_or_day("2013-12-26", SHANGHAI) == "2013-12-26"


def test_a_collection_minute_is_civil_time_of_the_zone() -> None:
    assert instant_or_day("2013-12-26T14:45", SHANGHAI) == "2013-12-26T06:45:00.000Z"
    assert instant_or_day("2013-12-26T14:45:30", NEW_YORK) == "2013-12-26T19:45:30.000Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2003", {"value": "2003", "precision": "YEAR"}),
        ("2012-02", {"value": "2012-02", "precision": "MONTH"}),
        ("2012-02-29", {"value": "2012-02-29", "precision": "DAY"}),
        ("2012-02-29T07:30", {"value": "2012-02-28T23:30Z", "precision": "MINUTE"}),
        ("", {"precision": "UNKNOWN"}),
    ],
)
def test_a_partial_date_stays_as_far_as_it_is_known(text: str, expected: dict[str, str]) -> None:
    assert partial(text, SHANGHAI) == expected
    assert PartialDate.model_validate(expected).payload() == expected


@pytest.mark.parametrize(
    "text", ["2013-13-01", "2013-02-30", "2013-02-30T10:00", "26DEC2013", "2013-12-26T25:00", "--12"]
)
def test_what_is_no_date_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnreadableTime, match=r"^'"):
        instant_or_day(text, SHANGHAI)
    with pytest.raises(UnreadableTime, match=r"^'"):
        partial(text, SHANGHAI)


def test_a_time_that_the_clocks_skipped_does_not_exist() -> None:
    with pytest.raises(UnreadableTime, match="put forward"):
        instant_or_day("2013-03-10T02:30", NEW_YORK)


def test_a_date_and_a_stand_in_time_make_an_instant() -> None:
    assert civil("2014-01-02", "12:00", SHANGHAI).isoformat() == "2014-01-02T04:00:00+00:00"
    with pytest.raises(UnreadableTime):
        civil("2014-01", "12:00", SHANGHAI)


def test_less_than_a_day_is_partial() -> None:
    assert is_partial("2012-02")
    assert not is_partial("2012-02-29")
