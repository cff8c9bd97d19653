"""The kinds of value that a fact is made of: instants, partial dates, decimals, sealed text."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.types import (
    DecimalText,
    Fact,
    InstantOrDate,
    PartialDate,
    Precision,
    SealedText,
    format_instant,
    format_instant_or_date,
    parse_instant,
    read_fact,
)

DECIMAL: TypeAdapter[str] = TypeAdapter(DecimalText)
MOMENT: TypeAdapter[Any] = TypeAdapter(InstantOrDate)


@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_is_kept_to_the_millisecond(moment: datetime) -> None:
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert parse_instant(format_instant(parse_instant(moment))) == cut


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-10T08:30:00Z", "2026-03-10T08:30:00.000Z"),
        ("2026-03-10T16:30:00.1239+08:00", "2026-03-10T08:30:00.123Z"),
        ("2026-03-10t08:30:00z", "2026-03-10T08:30:00.000Z"),
        ("2026-03-10 08:30:00-00:00", "2026-03-10T08:30:00.000Z"),
    ],
)
def test_an_instant_is_written_in_one_way(text: str, written: str) -> None:
    assert format_instant(parse_instant(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-10",
        "2026-03-10T08:30:00",
        "2026-03-10T08:30Z",
        "10.03.2026 08:30",
        "2026-13-01T00:00:00Z",
        "0999-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "2026-0３-10T08:30:00Z",
        "2026-03-10T08:30:00Z\n",
        1,
        None,
    ],
)
def test_what_is_no_instant_with_a_zone_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text)
    with pytest.raises(ValueError, match="zone"):
        parse_instant(datetime(2026, 3, 10))  # noqa: DTZ001


def test_an_instant_of_another_zone_becomes_utc() -> None:
    beijing = timezone(timedelta(hours=8))
    assert format_instant(parse_instant(datetime(2026, 3, 10, 0, 30, tzinfo=beijing))) == "2026-03-09T16:30:00.000Z"


def test_a_bare_date_stays_a_date() -> None:
    assert MOMENT.validate_python("2026-03-10") == date(2026, 3, 10)
    assert MOMENT.dump_python(MOMENT.validate_python("2026-03-10"), mode="json") == "2026-03-10"
    assert format_instant_or_date(MOMENT.validate_python("2026-03-10T08:30:00Z")) == "2026-03-10T08:30:00.000Z"
    with pytest.raises(ValidationError):
        MOMENT.validate_python("2026-02-30")


@pytest.mark.parametrize(
    ("precision", "value"),
    [("MINUTE", "2026-03-10T08:30Z"), ("DAY", "2026-03-10"), ("MONTH", "2026-03"), ("YEAR", "2026"), ("UNKNOWN", None)],
)
def test_a_partial_date_has_the_parts_of_its_precision(precision: str, value: str | None) -> None:
    known = PartialDate(value=value, precision=Precision(precision))
    assert known.payload() == ({"value": value} if value else {}) | {"precision": precision}
    assert (known.instant is not None) == (precision == "MINUTE")
    assert (known.day is not None) == (precision == "DAY")
    for other in set(Precision) - {precision}:
        with pytest.raises(ValidationError):
            PartialDate(value=value, precision=other)


@pytest.mark.parametrize(
    ("precision", "value"),
    [
        ("DAY", "2026-02-30"),
        ("MONTH", "2026-13"),
        ("MINUTE", "2026-03-10T24:00Z"),
        ("YEAR", "0999"),
        ("YEAR", "9999"),
        ("YEAR", "202６"),
        ("DAY", None),
    ],
)
def test_a_partial_date_that_no_calendar_has_is_refused(precision: str, value: str | None) -> None:
    with pytest.raises(ValidationError):
        PartialDate(value=value, precision=Precision(precision))


def test_a_partial_date_is_an_instant_or_a_civil_day() -> None:
    minute = PartialDate(value="2026-03-10T08:30Z", precision=Precision.MINUTE)
    assert minute.instant == datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
    assert PartialDate(value="2026-03-10", precision=Precision.DAY).day == date(2026, 3, 10)


@pytest.mark.parametrize("text", ["0", "-1.50", "12345678901234567890.12345678901234567890", "0.0"])
def test_a_decimal_stays_the_text_that_was_reported(text: str) -> None:
    assert DECIMAL.validate_python(text) == text


@pytest.mark.parametrize("text", ["", "1,5", "1e3", "01", ".5", "5.", "+1", "NaN", "1" * 21, "1 ", "1\n", "1１"])
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        DECIMAL.validate_python(text)


def test_a_fact_cannot_be_changed_and_takes_no_unknown_field() -> None:
    text = SealedText(kid="k", cid="c", path="reason", ct="AA==")
    with pytest.raises(ValidationError):
        text.ct = "BB=="  # type: ignore[misc]
    with pytest.raises(ValidationError):
        SealedText.model_validate(text.payload() | {"clear": "text"})


class Note(Fact):
    """A record that is no event."""

    written_by: str
    page: int | None = None


def test_a_record_of_the_log_names_its_first_fault() -> None:
    assert read_fact(Note, {"writtenBy": "u-1"}).payload() == {"writtenBy": "u-1"}
    with pytest.raises(InvalidEnvelope, match="Note: writtenBy"):
        read_fact(Note, {})
