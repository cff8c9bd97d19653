"""TEAEs by system organ class, preferred term and highest grade (`endpoints.md` section 2).

Decided here, because the reference leaves room:

- A participant whose events of a term have grades and gaps counts at the highest grade known; missing means none known.
- A preferred term lies in one class: the one that most of its events name, of equal ones the first by alphabet.
- Classes and terms stand in the order of their participants, most first, then by alphabet; the unknown class is last.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from hepatrail_projections.clinical.endpoints.cells import Column, Row, Table
from hepatrail_projections.endpoints.safety_cells import EVENTS, SafetySet, Who, events_of
from hepatrail_projections.endpoints.safety_facts import CountedEvent
from hepatrail_projections.endpoints.safety_terms import upper_snake

UNCODED = "UNCODED"
"""Flags a term that is the trial's own code, because no coder has coded the event in MedDRA."""

_GRADES = (1, 2, 3, 4, 5, None)
_MISSING = Column("MISSING", "Grade missing, n (%)")
_ANY = Column("ANY", "Any grade, n (%)")
_COLUMNS = (*(Column(f"GRADE_{grade}", f"Grade {grade}, n (%)") for grade in _GRADES if grade), _MISSING, _ANY, EVENTS)

Held: TypeAlias = Mapping[str, Sequence[CountedEvent]]
"""The events of a line by participant."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with its events; `system` None: the class is not known."""

    code: str
    label: str
    level: int
    held: Held
    system: str | None = None
    flags: tuple[str, ...] = ()


def term_table(saf: SafetySet) -> Table:
    """The table: all TEAEs, then each class with its terms."""
    terms = [_term_line(code, held) for code, held in _by_term(saf).items()]
    lines = [_Line("TOTAL", "Any TEAE", 0, _together(terms))]
    for system in sorted(_systems(terms), key=lambda each: (each.system is None, *_frequency(each))):
        lines += [system, *sorted((each for each in terms if each.system == system.system), key=_frequency)]
    return Table(
        code="TEAE_BY_TERM_AND_GRADE",
        title="Treatment-emergent adverse events by system organ class, preferred term and highest grade",
        section="2",
        columns=_COLUMNS,
        rows=tuple(_row(line, saf) for line in lines),
        notes=(
            f"N = {saf.n} participants of the safety set. A participant counts once in a line, at the highest grade "
            "of the treatment-emergent window.",
            "System organ classes are those of CTCAE v5.0. Terms flagged as uncoded are the trial's own codes.",
        ),
    )


def _by_term(saf: SafetySet) -> Mapping[str, Held]:
    found: dict[str, dict[str, list[CountedEvent]]] = defaultdict(lambda: defaultdict(list))
    for each in saf.members:
        for event in each.events:
            if event.teae:
                found[event.term.code][each.subject_id].append(event)
    return found


def _term_line(code: str, held: Held) -> _Line:
    events = [event for of_one in held.values() for event in of_one]
    systems = Counter(event.system for event in events if event.system is not None)
    return _Line(
        code=code,
        # Of several labels the last by alphabet: a name, not the bare number that stands where a coder gave none.
        label=max(event.term.label for event in events),
        level=1,
        held=held,
        system=min(systems, key=lambda system: (-systems[system], system), default=None),
        flags=() if events[0].term.coded else (UNCODED,),
    )


def _systems(terms: Iterable[_Line]) -> list[_Line]:
    grouped: dict[str | None, list[_Line]] = defaultdict(list)
    for term in terms:
        grouped[term.system].append(term)
    return [
        _Line(
            code="SOC_UNKNOWN" if system is None else f"SOC_{upper_snake(system)}",
            label=system or "System organ class not known",
            level=0,
            held=_together(within),
            system=system,
        )
        for system, within in grouped.items()
    ]


def _together(lines: Iterable[_Line]) -> Held:
    held: dict[str, list[CountedEvent]] = defaultdict(list)
    for line in lines:
        for subject_id, events in line.held.items():
            held[subject_id] += events
    return held


def _frequency(line: _Line) -> tuple[int, str, str]:
    return -len(line.held), line.label, line.code


def _row(line: _Line, saf: SafetySet) -> Row:
    found: dict[int | None, Who] = {grade: [] for grade in _GRADES}
    for subject_id, events in line.held.items():
        highest = max((event.grade for event in events if event.grade is not None), default=None)
        found[highest].append((subject_id, _ids(event for event in events if event.grade == highest)))
    everybody: Who = [(subject_id, _ids(events)) for subject_id, events in line.held.items()]
    graded = zip((column.code for column in _COLUMNS), _GRADES, strict=False)
    total = saf.share(_ANY.code, everybody, line.flags)
    cells = (
        *(saf.share(column, found[grade], line.flags) for column, grade in graded),
        total,
        events_of(total, EVENTS.code, sum(map(len, line.held.values()))),
    )
    return Row(line.code, line.label, cells, line.level)


def _ids(events: Iterable[CountedEvent]) -> list[UUID]:
    return [event_id for event in events for event_id in event.event_ids]
