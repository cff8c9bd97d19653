"""TEAEs and treatment-emergent SAEs by assessment time point (`endpoints.md` section 2).

Decided here, because the reference leaves room:

- An onset of which only a part is known counts in a cumulative line from the first day on that it can be; it is new in
  an interval only where all days that it can be lie in that one. The others are listed as unknown.
- Onsets behind the last target date, which a later session makes possible, have a line of their own, so that the
  intervals with the unknown ones make up all events.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TypeAlias
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Row, Table
from hepatrail_projections.clinical.endpoints.proportion import count_cell
from hepatrail_projections.endpoints.change_parameters import point_label
from hepatrail_projections.endpoints.safety_cells import Holds, SafetySet, Who, empty, events_of
from hepatrail_projections.endpoints.safety_facts import CountedEvent, SafetyFacts
from hepatrail_projections.endpoints.safety_lines import TEAE, TESAE

Falls: TypeAlias = Callable[[SafetyFacts, CountedEvent], bool]
_Places: TypeAlias = Mapping[tuple[str, UUID], str]

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


def _lies_in(place: str, places: _Places, facts: SafetyFacts, event: CountedEvent) -> bool:
    return places[facts.subject_id, event.ae_id] == place


def _whenever(_facts: SafetyFacts, _event: CountedEvent) -> bool:
    return True


def _cumulative(saf: SafetySet, points: list[str]) -> Table:
    rows = [_row(point, f"To {point_label(point)}", partial(_by, point), saf, followed=True) for point in points]
    rows.append(_row(TOTAL, "Whole treatment-emergent window", _whenever, saf, followed=False))
    return Table(
        code="TEAE_CUMULATIVE",
        title="Treatment-emergent adverse events up to each assessment time point",
        section="2",
        columns=_COLUMNS,
        rows=tuple(rows),
        notes=(*_notes(saf), "An event of unknown onset counts from the first time point on."),
    )


def _intervals(saf: SafetySet, points: list[str]) -> Table:
    places = {(each.subject_id, event.ae_id): interval_of(each, event) for each in saf.members for event in each.events}
    rows, reaches = [], "To"
    for point in points:
        label = f"{reaches} {point_label(point)}"
        rows.append(_row(point, label, partial(_lies_in, point, places), saf, followed=True))
        reaches = f"After {point_label(point)}, to"
    last = f"After {point_label(points[-1])}" if points else "Whole treatment-emergent window"
    rows.append(_row(AFTER, last, partial(_lies_in, AFTER, places), saf, followed=False))
    rows.append(_row(UNKNOWN, "Onset unknown", partial(_lies_in, UNKNOWN, places), saf, followed=False))
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


def _row(code: str, label: str, falls: Falls, saf: SafetySet, *, followed: bool) -> Row:
    cells: list[Cell] = []
    for line, column in ((TEAE, "TEAE"), (TESAE, "TESAE")):
        found, count = _found(saf.members, line.holds, falls)
        participants = saf.share(column, found)
        cells += [participants, events_of(participants, f"{column}_EVENTS", count)]
    cells.append(_followed(code, saf) if followed else empty("FOLLOWED"))
    return Row(code, label, tuple(cells))


def _found(facts: Iterable[SafetyFacts], holds: Holds, falls: Falls) -> tuple[Who, int]:
    found: Who = []
    count = 0
    for each in facts:
        held = [event for event in each.events if holds(event) and falls(each, event)]
        count += len(held)
        if held:
            found.append((each.subject_id, [event_id for event in held for event_id in event.event_ids]))
    return found, count


def _followed(point: str, saf: SafetySet) -> Cell:
    reached = [each for each in saf.members if each.followed_to(point, dict(each.targets)[point])]
    cell = count_cell("FOLLOWED", len(reached), [(each.subject_id, each.contact_ids) for each in reached])
    return replace(cell, of=saf.n)
