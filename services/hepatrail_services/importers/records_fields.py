"""The value of a field of a command, read from the column that the mapping names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_services.importers.plan import Made, RowRef, RowRefused
from hepatrail_services.importers.records_mapping import As, Fields, Stated
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import instant_or_day, partial

_JOINED = "; "
_SAID: Mapping[str, bool] = {"Y": True, "N": False}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads fields: `subject` is the column of the participant, `single` (domain, participant) a row of theirs."""

    subject: str
    zone: ZoneInfo
    values: Mapping[str, Mapping[str, Any]]
    single: Mapping[tuple[str, str], SourceRow]

    def fields(self, fields: Fields, row: SourceRow, unit: RowRef) -> dict[str, Any]:
        """The fields that the row states; RowRefused and UnreadableTime where one cannot be read.

        `unit` names the row whose unit the command is of, which a child row's is not.
        """
        read = {name: self.value(stated, row, unit) for name, stated in fields.items()}
        return {name: value for name, value in read.items() if value is not None}

    def value(self, stated: Stated, row: SourceRow, unit: RowRef) -> Any:
        """One field, None where it is absent."""
        if stated.always is not None:
            return stated.always
        if stated.unless is not None and row[stated.unless]:
            return None
        if stated.made is not None and not stated.column:
            return Made(unit.domain, unit.key, stated.made)
        text = self._row(stated, row)[stated.column]
        if stated.refers is not None:
            return Made(stated.refers, f"{row[self.subject]}|{text}", stated.made or "") if text else None
        if stated.values is not None:
            return self._looked_up(stated, stated.values, text)
        return read_text(text, stated.read, stated.column, self.zone)

    def _row(self, stated: Stated, row: SourceRow) -> SourceRow:
        if stated.of is None:
            return row
        found = self.single.get((stated.of, row[self.subject]))
        if found is None:
            raise RowRefused(f"NOT_IN_{stated.of}", f"{stated.of} has no row of the participant.")
        return found

    def _looked_up(self, stated: Stated, table: str, text: str) -> Any:
        if not text:
            return None
        known = self.values.get(table, {})
        if text not in known:
            raise RowRefused("UNMAPPED_VALUE", f"{stated.column} {text!r} is not in the mapping.")
        return known[text]


def read_text(text: str, read: As, column: str, zone: ZoneInfo) -> Any:
    """A text as the mapping has it read, None where it is empty; RowRefused and UnreadableTime where it cannot be."""
    match read:
        case As.FLAG:
            return text == "Y"
        case As.KNOWN:
            return partial(text, zone)
        case _ if not text:
            return None
        case As.TEXT:
            return text
        case As.INTEGER:
            return _integer(text, column)
        case As.YES_NO:
            if text not in _SAID:
                raise RowRefused("UNMAPPED_VALUE", f"{column} {text!r} is neither Y nor N.")
            return _SAID[text]
        case As.INSTANT | As.DAY:
            if read is As.INSTANT and len(text) <= 10:
                raise RowRefused("UNREADABLE_TIME", f"{column} {text!r} has no time of the day.")
            return instant_or_day(text, zone)
        case As.PARTIAL:
            return partial(text, zone)
        case As.LIST:
            return text.split(_JOINED)


def _integer(text: str, column: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise RowRefused("UNREADABLE_NUMBER", f"{column} {text!r} is no whole number.") from None
