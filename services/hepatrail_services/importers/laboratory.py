"""LB: samples. Every readable row goes in as reported; whether it is accepted is for the trial to decide."""

import re
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_events.types import DECIMAL_PATTERN
from hepatrail_services.importers.mapping import LbMapping
from hepatrail_services.importers.plan import Draft, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.reported import ROWS_A_COMMAND, Measuring
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, instant_or_day

_DECIMAL = re.compile(DECIMAL_PATTERN)


def plan_laboratory(rows: tuple[SourceRow, ...], mapping: LbMapping, zone: ZoneInfo) -> Draft:
    """One unit a sample (subject, collection time, visit); a very large sample is cut into commands of 200 rows."""
    draft = Draft()
    columns = (mapping.test, mapping.category, mapping.value, mapping.status, mapping.unit)
    measuring = Measuring(*columns, mapping.tests, mapping.units)
    samples: dict[tuple[str, str, str], list[tuple[RowRef, dict[str, Any]]]] = {}
    for row, ref in readable(rows, draft, mapping.subject, mapping.sequence):
        try:
            result = measuring.result(row, ref, draft) | _range(row, ref, mapping, draft)
            instant_or_day(row[mapping.collected_at], zone)
        except RowRefused as error:
            draft.refuse(ref, error.code, error.sentence)
        except UnreadableTime as error:
            draft.refuse(ref, "LAB-01", str(error))
        else:
            sample = (row[mapping.subject], row[mapping.collected_at], row[mapping.visit])
            samples.setdefault(sample, []).append((ref, result))
    for sample, results in samples.items():
        for start in range(0, len(results), ROWS_A_COMMAND):
            key = "|".join((*sample, str(start)) if start else sample)
            collected = instant_or_day(sample[1], zone)
            draft.units.append(_sample(key, sample[0], collected, results[start : start + ROWS_A_COMMAND], mapping))
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
