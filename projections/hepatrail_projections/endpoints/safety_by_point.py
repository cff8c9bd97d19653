"""TEAEs and treatment-emergent SAEs by assessment time point (`endpoints.md` section 2).

Decided here, because the reference leaves room:

- An onset of which only a part is known counts in a cumulative line from the first day on that it can be; it is new in
  an interval only where all days that it can be lie in that one. The others are listed as unknown.
- Onsets behind the last target date, which a later session makes possible, have a line of their own, so that the
  intervals with the unknown ones make up all events.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Row, Table
from hepatrail_projections.clinical.endpoints.proportion import count_cell
from hepatrail_projections.endpoints.change_parameters import point_label
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.endpoints.safety_cells import Falls, SafetySet, empty
from hepatrail_projections.endpoints.safety_facts import CountedEvent, SafetyFacts
from hepatrail_projections.endpoints.safety_lines import TEAE, TESAE, Line

AFTER, UNKNOWN, TOTAL = "AFTER", "UNKNOWN", "TOTAL"
_COLUMNS = (
    Column("TEAE", "Participants with a TEAE, n (%)"),
    Column("TEAE_EVENTS", "TEAEs"),
    Column("TESAE", "Participants with a treatment-emergent SAE, n (%)"),
    Column("TESAE_EVENTS", "Treatment-emergent SAEs"),
    Column("FOLLOWED", "Followed to this point"),
)


def point_tables(saf: SafetySet, protocol: Protocol) -> tuple[Table, Table]:
    """The cumulative table and that of the intervals."""
    points = [point.code for point in protocol.points if point.ae and point.kind == "date"]
    return _cumulative(saf, points), _intervals(saf, points)


def interval_of(facts: SafetyFacts, event: CountedEvent) -> str:
    """The point in whose interval an onset lies for certain, AFTER behind the last one, UNKNOWN where it is not."""
    began, ended = event.onset_from, event.onset_to
    if began is None or ended is None:
        return UNKNOWN
    first, last = _place(facts, began), _place(facts, ended)
    return first if first == last else UNKNOWN


def _place(facts: SafetyFacts, day: date) -> str:
    return next((point for point, target in facts.targets if day <= target), AFTER)


def _by(point: str, facts: SafetyFacts, event: CountedEvent) -> bool:
    target = dict(facts.targets)[point]
    return event.onset_from is not None and event.onset_from <= target


def _lies_in(place: str, memory: Memory, facts: SafetyFacts, event: CountedEvent) -> bool:
    def places() -> Mapping[UUID, str]:
        return {each.ae_id: interval_of(facts, each) for each in facts.events}

    known = memory.made(("intervals", facts.subject_id), (facts.events, facts.targets), places)
    return known[event.ae_id] == place


def _whenever(_facts: SafetyFacts, _event: CountedEvent) -> bool:
    return True


def _cumulative(saf: SafetySet, points: list[str]) -> Table:
    rows = [
        _row(saf, (point, f"To {point_label(point)}"), f"TO_{point}", partial(_by, point), followed=True)
        for point in points
    ]
    rows.append(_row(saf, (TOTAL, "Whole treatment-emergent window"), TOTAL, _whenever, followed=False))
    return Table(
        code="TEAE_CUMULATIVE",
        title="Treatment-emergent adverse events up to each assessment time point",
        section="2",
        columns=_COLUMNS,
        rows=tuple(rows),
        notes=(*_notes(saf), "An event of unknown onset counts from the first time point on."),
    )


def _intervals(saf: SafetySet, points: list[str]) -> Table:
    def row(place: str, label: str, *, followed: bool) -> Row:
        return _row(saf, (place, label), f"IN_{place}", partial(_lies_in, place, saf.memory), followed=followed)

    rows, reaches = [], "To"
    for point in points:
        rows.append(row(point, f"{reaches} {point_label(point)}", followed=True))
        reaches = f"After {point_label(point)}, to"
    last = f"After {point_label(points[-1])}" if points else "Whole treatment-emergent window"
    rows.append(row(AFTER, last, followed=False))
    rows.append(row(UNKNOWN, "Onset unknown", followed=False))
    return Table(
        code="TEAE_BY_INTERVAL",
        title="Treatment-emergent adverse events new between assessment time points",
        section="2",
        columns=_COLUMNS,
        rows=tuple(rows),
        notes=(*_notes(saf), "An event is listed as unknown where its onset is not known to lie in one interval."),
    )


def _notes(saf: SafetySet) -> tuple[str, ...]:
    return (
        f"N = {saf.n} participants of the safety set, also of those who were not followed to a point; beside it stands "
        "how many were.",
    )


def _row(saf: SafetySet, named: tuple[str, str], counts: str, falls: Falls, *, followed: bool) -> Row:
    """The row of a code and label; `counts` names what falls into it, apart from every other row."""
    (code, label), cells = named, list[Cell]()
    for line in (TEAE, TESAE):
        counted = saf.counted(f"{line.code}_{counts}", partial(_both, line, falls))
        cells += saf.cells(line.code, f"{line.code}_EVENTS", counted)
    cells.append(_followed(code, saf) if followed else empty("FOLLOWED"))
    return Row(code, label, tuple(cells))


def _both(line: Line, falls: Falls, facts: SafetyFacts, event: CountedEvent) -> bool:
    return line.holds(event) and falls(facts, event)


def _followed(point: str, saf: SafetySet) -> Cell:
    reached = [each for each in saf.members if each.followed_to(point, dict(each.targets)[point])]
    cell = count_cell("FOLLOWED", len(reached), [(each.subject_id, each.contact_ids) for each in reached])
    return replace(cell, of=saf.n)
