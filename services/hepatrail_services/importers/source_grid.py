"""What every format of a dataset comes down to: column names and rows of text, as a CSV file would hold them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_LEAST, _GREATEST = -324, 308
"""Powers of ten between which a double lies: what lies beyond is no number of a dataset."""


class FileBroken(ValueError):
    """A file that is not what its ending says; the message is a sentence without its full stop.

    It names the row or the variable and the rule; who catches it names the file.
    """


@dataclass(frozen=True, slots=True)
class Grid:
    """A dataset: `name` as the file states it (CSV states none), and its rows, each with one text a column.

    Only rows of CSV may have more or fewer texts than there are columns.
    """

    name: str | None
    columns: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]


def decimal_text(number: Decimal) -> str:
    """A number in plain decimals: 64.0 is `64`, 1E+3 is `1000`, -0 is `0`; FileBroken where it is none of a double."""
    if not number:
        return "0"
    if not number.is_finite() or not _LEAST <= number.adjusted() <= _GREATEST:
        raise FileBroken(f"{number} is no number of a dataset")
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_columns_of(names: Iterable[str]) -> tuple[str, ...]:
    """The column names; FileBroken when one is empty or stands twice."""
    columns = tuple(names)
    if not all(columns) or len(set(columns)) != len(columns):
        raise FileBroken("the header has an empty or a repeated column name")
    return columns
