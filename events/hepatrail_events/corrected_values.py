"""Values as a correction writes them, and the fact with the new value worked in (`events.md` section 1, +cv).

`oldValue` and `newValue` are text: a boolean is `true` or `false`, a whole number its digits, an instant RFC 3339.
A partial date is its value alone, whose shape tells its precision (`2026-03`), or `UNKNOWN`. Decided here, because
the reference leaves room.
"""

from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from hepatrail_events.event import Event
from hepatrail_events.types import PartialDate, Precision, SealedText

UNKNOWN_DATE = "UNKNOWN"
"""The text of a partial date of which nothing is known."""

EventType = TypeVar("EventType", bound=Event)

_PRECISION_OF_LENGTH = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY, 17: Precision.MINUTE}
_DATE_SHAPE = "must look like 2026-03-10T08:30Z, 2026-03-10, 2026-03 or 2026, or be UNKNOWN"


def as_text(value: Any) -> str | None:
    """A JSON value as a correction writes it: `true`, `10020000000`, `2026-03-10T08:30:00.000Z`, `2026-03`."""
    if value is None:
        return None
    if isinstance(value, dict):
        return as_text(value.get("value") or UNKNOWN_DATE)
    return str(value).lower() if isinstance(value, bool) else str(value)


def partial_date(text: str) -> PartialDate:
    """The partial date in the text of a correction; ValueError says how it must look."""
    if text == UNKNOWN_DATE:
        return PartialDate(precision=Precision.UNKNOWN)
    precision = _PRECISION_OF_LENGTH.get(len(text))
    if precision is None:
        raise ValueError(_DATE_SHAPE)
    try:
        return PartialDate(value=text, precision=precision)
    except ValidationError:
        raise ValueError(_DATE_SHAPE) from None


def worked_in(fact: EventType, field: str, new_value: str | None, new_text: SealedText | None = None) -> EventType:
    """The fact with one field (camelCase) in its corrected form; InvalidPayload when the text does not fit it."""
    value: Any = new_value if new_text is None else new_text.payload()
    if new_value is not None and _is_partial_date(type(fact), field):
        value = _date_payload(new_value)
    payload = {name: part for name, part in fact.payload().items() if name != field}
    return type(fact).from_payload(payload if value is None else payload | {field: value})


def _is_partial_date(model: type[Event], field: str) -> bool:
    info = next((info for info in model.model_fields.values() if info.alias == field), None)
    return info is not None and PartialDate in (info.annotation, *get_args(info.annotation))


def _date_payload(text: str) -> Any:
    """The JSON of the date; text that is none stays as it is, and the fact refuses it."""
    try:
        return partial_date(text).payload()
    except ValueError:
        return text
