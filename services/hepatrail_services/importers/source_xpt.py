"""SAS XPORT transport files, version 5 (SAS Technical Support TS-140): one dataset a file, read by ReadStat.

ReadStat takes a file that was cut short for a shorter one, so the lengths that the file states are checked here.
"""

import io
import math
import struct
from decimal import Decimal
from pathlib import Path

from hepatrail_services.importers.source_grid import FileBroken, Grid, check_columns_of, decimal_text

_CARD = 80
"""Length of a record in bytes: headers, variables and observations are written in these."""
_LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_LIBRARY_8 = b"HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!"
_MEMBER = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
_NAMESTR = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
_OBS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
_MEMBER_AT, _NAMESTR_AT, _VARIABLES_AT = 3 * _CARD, 7 * _CARD, 8 * _CARD


def read_xpt(path: Path) -> Grid:
    """The rows of a file: numbers in plain decimals, missing ones empty, dates and times as the numbers they are.

    Raises FileBroken where the file is no XPORT version 5, cut short, or holds several datasets.
    """
    # It brings numpy along, for which every other command would wait too.
    import pyreadstat

    content = path.read_bytes()
    _check_lengths(content)
    try:
        data, about = pyreadstat.read_xport(
            io.BytesIO(content), output_format="dict", disable_datetime_conversion=True, encoding="UTF-8"
        )
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, ValueError) as error:
        raise FileBroken(str(error).rstrip(".")) from None
    columns = check_columns_of(about.column_names)
    values = (data[name] for name in columns)
    return Grid(about.table_name, columns, tuple(tuple(map(_text, row)) for row in zip(*values, strict=True)))


def _text(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else decimal_text(Decimal(repr(float(value))))


def _check_lengths(content: bytes) -> None:
    if content.startswith(_LIBRARY_8):
        raise FileBroken("it is of version 8, version 5 is read")
    if not content.startswith(_LIBRARY):
        raise FileBroken("it does not begin with the library header of XPORT version 5")
    if len(content) % _CARD:
        raise FileBroken(f"its {len(content)} bytes are no whole number of records of {_CARD} bytes: it is cut short")
    if content.count(_MEMBER) != 1 or not content.startswith(_MEMBER, _MEMBER_AT):
        raise FileBroken(f"it holds {content.count(_MEMBER)} datasets, one a file is read")
    if not content.startswith(_NAMESTR, _NAMESTR_AT):
        raise FileBroken("the header of its variables is missing")
    _check_observations(content)


def _check_observations(content: bytes) -> None:
    """An observation is as long as its variables together; after the last one come fewer blanks than a record has."""
    size = _number(content, _MEMBER_AT + 74, "length of a variable's description")
    count = _number(content, _NAMESTR_AT + 54, "number of variables")
    described = _CARD * math.ceil(size * count / _CARD)
    start = _VARIABLES_AT + described
    if size < 88 or not content.startswith(_OBS, start):
        raise FileBroken(f"the header of the observations does not follow its {count} variables")
    length = sum(struct.unpack_from(">h", content, _VARIABLES_AT + size * place + 4)[0] for place in range(count))
    left = len(content) - start - _CARD
    if not left:
        return
    rows, rest = divmod(left, length) if length > 0 else (0, left)
    if rest and (rest >= _CARD or content[-rest:].strip(b" ")):
        raise FileBroken(
            f"row {rows + 1} has {rest} bytes, an observation of its {count} variables has {length}: it is cut short"
        )


def _number(content: bytes, place: int, name: str) -> int:
    digits = content[place : place + 4]
    if not digits.isdigit():
        raise FileBroken(f"its header states no {name}")
    return int(digits)
