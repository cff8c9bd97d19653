"""LB: samples. Every readable row goes in as reported; whether it is accepted is for the trial to decide."""

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_events.measurements import Comparator, NotDone
from hepatrail_events.types import DECIMAL_PATTERN
from hepatrail_services.importers.mapping import LbMapping
from hepatrail_services.importers.plan import Draft, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, instant_or_day

_CENSORED = re.compile(r"^(<=|>=|<|>)\s*(\S.*)$")
_CODE = re.compile(r"^[A-Za-z0-9_.\-]{1,60}$")
_DECIMAL = re.compile(DECIMAL_PATTERN)
_ROWS_A_COMMAND = 200


def plan_laboratory(rows: tuple[SourceRow, ...], mapping: LbMapping, zone: ZoneInfo) -> Draft:
    """One unit a sample (subject, collection time, visit); a very large sample is cut into commands of 200 rows."""
    draft = Draft()
    samples: dict[tuple[str, str, str], list[tuple[RowRef, dict[str, Any]]]] = {}
    for row, ref in readable(rows, draft, mapping.subject, mapping.sequence):
        try:
            result = _result(row, ref, mapping, draft)
            instant_or_day(row[mapping.collected_at], zone)
        except RowRefused as error:
            draft.refuse(ref, error.code, error.sentence)
        except UnreadableTime as error:
            draft.refuse(ref, "LAB-01", str(error))
        else:
            sample = (row[mapping.subject], row[mapping.collected_at], row[mapping.visit])
            samples.setdefault(sample, []).append((ref, result))
    for sample, results in samples.items():
        for start in range(0, len(results), _ROWS_A_COMMAND):
            key = "|".join((*sample, str(start)) if start else sample)
            collected = instant_or_day(sample[1], zone)
            draft.units.append(_sample(key, sample[0], collected, results[start : start + _ROWS_A_COMMAND], mapping))
    return draft


def _sample(
    key: str, subject: str, collected: str, results: list[tuple[RowRef, dict[str, Any]]], mapping: LbMapping
) -> Unit:
    sample = {
        "subjectId": subject,
        "collectedAt": collected,
        "laboratory": mapping.stand_in.laboratory,
        "sourceMessageId": f"LB|{key}",
        "results": [result for _, result in results],
    }
    refs = tuple(ref for ref, _ in results)
    return Unit(key, subject, Phase.LABORATORY, refs, (Step("recordLabResults", sample),))


def _result(row: SourceRow, ref: RowRef, mapping: LbMapping, draft: Draft) -> dict[str, Any]:
    test, text = row[mapping.test], row[mapping.value]
    if not _CODE.match(test):
        raise RowRefused("LAB-01", f"{mapping.test} {test!r} is no code.")
    known = mapping.tests.get(test)
    if known is not None and known.category not in (None, row[mapping.category]):
        known = None
    result: dict[str, Any] = {"code": known.code if known else test}
    if text:
        result |= _value(text, ref, draft)
    elif row[mapping.status] == "NOT DONE":
        result["notDone"] = NotDone.NOT_DONE.value
    else:
        raise RowRefused("LAB-01", "The row has neither a result nor the statement that it was not done.")
    if unit := row[mapping.unit]:
        result["unit"] = _unit(unit, known.units if known else {}, mapping.units)
    return result | _range(row, ref, mapping, draft)


def _value(text: str, ref: RowRef, draft: Draft) -> dict[str, str]:
    if len(text) > 200:
        raise RowRefused("LAB-01", f"The result is {len(text)} characters long, 200 are possible.")
    censored = _CENSORED.match(text)
    if censored is None:
        return {"value": text}
    draft.find(ref, "CENSORED", f"{text} is a limit, not a number: it goes in with its sign.")
    return {"value": censored[2], "comparator": Comparator(censored[1]).value}


def _unit(unit: str, of_the_test: Mapping[str, str], of_all: Mapping[str, str]) -> str:
    return of_the_test.get(unit) or of_all.get(unit) or unit


def _range(row: SourceRow, ref: RowRef, mapping: LbMapping, draft: Draft) -> dict[str, str]:
    limits: dict[str, str] = {}
    for name, column in (("low", mapping.low), ("high", mapping.high)):
        text = row[column]
        if not text:
            continue
        plain = f"0{text}" if text.startswith(".") else text
        if _DECIMAL.match(plain):
            limits[name] = plain
        else:
            draft.find(ref, "RANGE_NOT_A_NUMBER", f"{column} {text!r} is no decimal and was left out.")
    return limits
