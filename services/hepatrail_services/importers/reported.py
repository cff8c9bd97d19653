"""A measured row of the source as it was reported: value, sign and unit, for LB and VS alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hepatrail_events.measurements import Comparator, NotDone
from hepatrail_services.importers.mapping_base import MappedTest
from hepatrail_services.importers.plan import Draft, RowRef, RowRefused
from hepatrail_services.importers.source import SourceRow

ROWS_A_COMMAND = 200
_CENSORED = re.compile(r"^(<=|>=|<|>)\s*(\S.*)$")
_CODE = re.compile(r"^[A-Za-z0-9_.\-]{1,60}$")


@dataclass(frozen=True, slots=True)
class Measuring:
    """How a domain writes its results: the columns, the codes of the trial, the UCUM names of units."""

    test: str
    category: str | None
    value: str
    status: str
    unit: str
    tests: Mapping[str, MappedTest]
    units: Mapping[str, str]

    def result(self, row: SourceRow, ref: RowRef, draft: Draft) -> dict[str, Any]:
        """The row of a command; RowRefused (LAB-01) when it has no code or says nothing."""
        test, text = row[self.test], row[self.value]
        if not _CODE.match(test):
            raise RowRefused("LAB-01", f"{self.test} {test!r} is no code.")
        known = self.tests.get(test)
        if known is not None and self.category and known.category not in (None, row[self.category]):
            known = None
        result: dict[str, Any] = {"code": known.code if known else test}
        if text:
            result |= stated_value(text, ref, draft)
        elif row[self.status] == "NOT DONE":
            result["notDone"] = NotDone.NOT_DONE.value
        else:
            raise RowRefused("LAB-01", "The row has neither a result nor the statement that it was not done.")
        if unit := row[self.unit]:
            result["unit"] = (known and known.units.get(unit)) or self.units.get(unit) or unit
        return result


def stated_value(text: str, ref: RowRef, draft: Draft) -> dict[str, str]:
    """Value and sign of a text as reported; RowRefused (LAB-01) when it is too long to be one."""
    if len(text) > 200:
        raise RowRefused("LAB-01", f"The result is {len(text)} characters long, 200 are possible.")
    censored = _CENSORED.match(text)
    if censored is None:
        return {"value": text}
    draft.find(ref, "CENSORED", f"{text} is a limit, not a number: it goes in with its sign.")
    return {"value": censored[2], "comparator": Comparator(censored[1]).value}
