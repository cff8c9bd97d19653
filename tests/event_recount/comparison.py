"""Where the product's tables differ from a recount of every one of their cells."""

from collections.abc import Iterable, Mapping
from math import isclose

from event_recount.expected import Expected, Key, Number
from hepatrail_projections.clinical.endpoints.cells import Cell, Table

EXACT, INTERVAL = 1e-9, 1e-6
"""Tolerances: of a number, and of a limit that is found by another way."""


def differences(tables: Iterable[Table], expected: Mapping[Key, Expected]) -> list[str]:
    """Every cell that differs, that nobody recounts, or that is not there."""
    found = {(table.code, row.code, cell.column): cell for table in tables for row, cell in table.cells()}
    said = [f"{'/'.join(key)}: is not there" for key in expected if key not in found]
    said += [f"{'/'.join(key)}: nobody recounts it" for key in found if key not in expected]
    for key, cell in found.items():
        if key in expected:
            said += [f"{'/'.join(key)}: {what}" for what in _unlike(cell, expected[key])]
    return said


def _unlike(cell: Cell, wanted: Expected) -> Iterable[str]:
    value = None if cell.value is None else float(cell.value)
    if not _same(value, wanted.value, EXACT):
        yield f"value {cell.value}, recounted {wanted.value}"
    if cell.display != wanted.shown:
        yield f"shown {cell.display!r}, recounted {wanted.shown!r}"
    if (cell.n, cell.of) != (wanted.n, wanted.of):
        yield f"{cell.n} of {cell.of}, recounted {wanted.n} of {wanted.of}"
    limits = None if cell.interval is None else (cell.interval.lower, cell.interval.upper)
    if not _same_limits(limits, wanted.limits):
        yield f"interval {limits}, recounted {wanted.limits}"
    if frozenset(cell.flags) != wanted.flags:
        yield f"flags {cell.flags}, recounted {sorted(wanted.flags)}"
    behind = {each.subject_id: set(each.event_ids) for each in cell.contributions}
    recounted = {subject: set(ids) for subject, ids in wanted.behind.items()}
    if behind.keys() != recounted.keys():
        yield f"participants {sorted(behind)}, recounted {sorted(recounted)}"
    elif behind != recounted:
        yield f"the events of {[each for each in behind if behind[each] != recounted[each]]}"


def _same(one: Number | None, other: Number | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return isclose(float(one), float(other), rel_tol=tolerance, abs_tol=tolerance)


def _same_limits(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return all(_same(a, b, INTERVAL) for a, b in zip(one, other, strict=True))
