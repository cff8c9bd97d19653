"""Scalars: exact numbers as text, instants, positions.

A Decimal, an instant or a date that cannot be read passes as the text that it is, so that a command is refused in
the union with its field and rule, by the one place that knows both; arguments of queries are checked where used.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.measurements import Comparator as ComparatorSign
from hepatrail_events.streams import Position as StreamPosition
from hepatrail_events.types import (
    format_instant,
    format_instant_or_date,
    instant_or_date,
    parse_instant,
)

Decimal = NewType("Decimal", str)
Position = NewType("Position", str)
Version = NewType("Version", int)
BigInt = NewType("BigInt", int)
DateTimeOrDate = NewType("DateTimeOrDate", str)
Comparator = NewType("Comparator", str)
Json = NewType("Json", object)

_LARGEST = 2**53 - 1


def _refused(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def _parse_decimal(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise _refused(f"{value!r} is no Decimal: write the number as text, exactly as it was reported.")
    return text


def _parse_position(value: Any) -> str:
    try:
        return str(StreamPosition.parse(value if isinstance(value, str) else ""))
    except InvalidEnvelope:
        raise _refused(f"{str(value)[:80]!r} is no Position: <stream>@<version>.") from None


def _integer(name: str, least: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _LARGEST:
            raise _refused(f"{value!r} is no {name}: a whole number of at least {least}.")
        return value

    return parse


def _parse_instant(value: Any) -> datetime | str:
    try:
        return parse_instant(value)
    except ValueError:
        return _text(value, "DateTime")


def _parse_instant_or_date(value: Any) -> str:
    try:
        return format_instant_or_date(instant_or_date(value))
    except ValueError:
        return _text(value, "DateTimeOrDate")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _refused(f"{value!r} is no {name}: it must be text.")
    return value


def _parse_comparator(value: Any) -> str:
    try:
        return ComparatorSign(value).value
    except ValueError:
        raise _refused(f"{str(value)[:80]!r} is no Comparator: one of <, <=, >, >=.") from None


def _out_instant_or_date(value: Any) -> str:
    return format_instant_or_date(value) if isinstance(value, date) else str(value)


def _out_instant(value: datetime) -> str:
    # A course has thousands of them: `isoformat` takes a fifth of the time of `strftime`.
    text = value.isoformat(timespec="milliseconds")
    return f"{text[:-6]}Z" if text.endswith("+00:00") else format_instant(value.astimezone(UTC))


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal number as text, never rounded: `12.40`; its unit is beside it or in its name.",
        serialize=str,
        parse_value=_parse_decimal,
    ),
    Position: strawberry.scalar(
        name="Position",
        description="A place in a stream, `<stream>@<version>`: give it as `minPosition` to read your own writes.",
        serialize=str,
        parse_value=_parse_position,
    ),
    Version: strawberry.scalar(
        name="Version",
        description="The number of events in a stream; every event raises it by one.",
        serialize=int,
        parse_value=_integer("Version", 0),
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number up to 2^53 - 1, such as a count of cells.",
        serialize=int,
        parse_value=_integer("BigInt", -_LARGEST),
    ),
    DateTimeOrDate: strawberry.scalar(
        name="DateTimeOrDate",
        description="An instant (RFC 3339) or, when only the day is known, a civil date of the site (`2026-03-10`).",
        serialize=_out_instant_or_date,
        parse_value=_parse_instant_or_date,
    ),
    Comparator: strawberry.scalar(
        name="Comparator",
        description='The sign of a value that the laboratory could only bound: "<", "<=", ">" or ">=".',
        serialize=str,
        parse_value=_parse_comparator,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="A JSON value as it stands in the log.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant: RFC 3339 with zone; answered in UTC with milliseconds.",
        serialize=_out_instant,
        parse_value=_parse_instant,
    ),
}
"""Which Python type is which scalar of the schema."""


def decimal(text: str | None) -> Decimal | None:
    """A number of a row, when there is one."""
    return None if text is None else Decimal(text)
