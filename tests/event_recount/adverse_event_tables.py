"""Every cell of the tables of adverse events (`endpoints.md` section 2)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import partial
from uuid import UUID

from event_recount.adverse_event_terms import GROUPS, group, system, term
from event_recount.adverse_events import Emergent, emergent, window
from event_recount.dates import DAY, civil, instant
from event_recount.expected import EMPTY, Cells, Expected
from event_recount.statistics import count, proportion, shown
from event_recount.survival import Followed
from event_recount.treated import Participant, ids
from event_recount.visits import SAFETY, Schedule, target_date

Holds = Callable[[Emergent], bool]
STOPPED, DISCONTINUED = "SESSION_STOPPED_EARLY", "TREATMENT_DISCONTINUED"


@dataclass(frozen=True, slots=True)
class Safe:
    """A participant with all adverse events that are not void; `followed` None: not in the safety set."""

    participant: Participant
    followed: Followed | None
    schedule: Schedule | None
    events: list[Emergent]

    @property
    def subject_id(self) -> str:
        """The pseudonym."""
        return self.participant.subject_id


def safe(each: Participant, followed: Followed | None, schedule: Schedule | None) -> Safe:
    """What a participant contributes."""
    return Safe(each, followed, schedule, emergent(each))


LINES: dict[str, Holds] = {
    "TEAE": lambda each: each.teae,
    "TESAE": lambda each: each.tesae,
    "ANY_SAE": lambda each: each.ae.serious,
    "RELATED": lambda each: each.teae and each.related,
    "RELATED_NOT_ASSESSED": lambda each: each.teae and each.not_assessed,
    "AESI": lambda each: each.teae and group(each.ae) is not None,
    "GRADE_3": lambda each: each.teae and (each.grade or 0) >= 3,
    "FATAL": lambda each: each.teae and each.ae.data["outcome"] == "FATAL",
    "SUSAR": lambda each: each.teae and each.unexpected and each.related,
    "SUSAR_PROVISIONAL": lambda each: each.teae and each.unexpected and each.not_assessed,
    "ACTION_ENDED": lambda each: each.teae and each.ae.data["actionTaken"] in (STOPPED, DISCONTINUED),
    "ACTION_STOPPED": lambda each: each.teae and each.ae.data["actionTaken"] == STOPPED,
    "ACTION_DISCONTINUED": lambda each: each.teae and each.ae.data["actionTaken"] == DISCONTINUED,
}


def safety_cells(everybody: list[Safe], cut: date) -> Cells:
    """All tables of section 2."""
    saf = [each for each in everybody if each.followed is not None]
    untreated = [each for each in everybody if each.followed is None]
    cells = _line("TEAE_OVERVIEW", "ANY_SAE_UNTREATED", untreated, LINES["ANY_SAE"])
    for code, holds in LINES.items():
        cells |= _line("TEAE_OVERVIEW", code, saf, holds)
    cells |= _line("TEAE_BY_AESI_GROUP", "AESI", saf, LINES["AESI"])
    for code in GROUPS:
        cells |= _line("TEAE_BY_AESI_GROUP", code, saf, _of_group(code))
    return cells | _terms(saf) | _cumulative(saf) | _intervals(saf) | _rates(saf, cut)


def _of_group(code: str) -> Holds:
    return lambda each: each.teae and group(each.ae) == code


def _held(among: list[Safe], holds: Holds) -> tuple[dict[str, list[UUID]], int]:
    """The participants with the events of the log that tell their adverse events, and how many of these there are."""
    behind: dict[str, list[UUID]] = {}
    number = 0
    for each in among:
        for event in filter(holds, each.events):
            behind.setdefault(each.subject_id, []).extend(event.ae.event_ids)
            number += 1
    return behind, number


def _line(table: str, row: str, among: list[Safe], holds: Holds, flags: frozenset[str] = frozenset()) -> Cells:
    behind, number = _held(among, holds)
    return {
        (table, row, "PARTICIPANTS"): proportion(behind, len(among), flags),
        (table, row, "EVENTS"): Expected(number, str(number), number, behind=behind, flags=flags),
    }


def _terms(saf: list[Safe]) -> Cells:
    """A participant counts once in a line, at the highest grade; a term lies in the class of most of its events."""
    every = [(each.subject_id, event) for each in saf for event in each.events if event.teae]
    classes: dict[str, list[str]] = {}
    for _, event in every:
        named = system(event.ae)
        classes.setdefault(term(event.ae), []).extend([named] if named else [])
    lines: dict[str, list[tuple[str, Emergent]]] = {"TOTAL": every}
    for subject, event in every:
        row = term(event.ae)
        named_so = classes[row]
        soc = min(named_so, key=lambda each: (-named_so.count(each), each), default="UNKNOWN")
        lines.setdefault(row, []).append((subject, event))
        lines.setdefault(f"SOC_{soc}", []).append((subject, event))
    cells: Cells = {}
    for row, held in lines.items():
        flags = frozenset({"UNCODED"} if row.startswith("CODE_") else ())
        cells |= _grades(row, held, len(saf), flags)
    return cells


def _grades(row: str, held: list[tuple[str, Emergent]], n: int, flags: frozenset[str]) -> Cells:
    worst: dict[str, int] = {}
    for subject, event in held:
        worst[subject] = max(worst.get(subject, 0), event.grade or 0)
    columns = {"MISSING": 0, "GRADE_1": 1, "GRADE_2": 2, "GRADE_3": 3, "GRADE_4": 4, "GRADE_5": 5}
    table, cells, everybody = "TEAE_BY_TERM_AND_GRADE", Cells(), dict[str, list[UUID]]()
    for subject, event in held:
        everybody.setdefault(subject, []).extend(event.ae.event_ids)
    for column, grade in columns.items():
        behind: dict[str, list[UUID]] = {}
        for subject, event in held:
            if worst[subject] == grade == (event.grade or 0):
                behind.setdefault(subject, []).extend(event.ae.event_ids)
        cells[table, row, column] = proportion(behind, n, flags)
    cells[table, row, "ANY"] = proportion(everybody, n, flags)
    cells[table, row, "EVENTS"] = Expected(len(held), str(len(held)), len(held), behind=everybody, flags=flags)
    return cells


def _target(each: Safe, point: str) -> date:
    """Counted from the anchor's civil date; while the first session runs, from that of T0."""
    assert each.schedule is not None
    return target_date(point, civil(each.schedule.anchor or each.schedule.t0))


def _by(each: Safe, event: Emergent, point: str) -> bool:
    """Cumulative: from the first day that the onset can be."""
    return event.onset is not None and event.onset[0] <= _target(each, point)


def _interval(each: Safe, event: Emergent) -> str:
    """The interval in which the onset lies for certain."""
    if event.onset is None or event.onset[1] is None:
        return "UNKNOWN"
    first, last = (
        next((point for point in SAFETY if day <= _target(each, point)), "AFTER")
        for day in (event.onset[0], event.onset[1])
    )
    return first if first == last else "UNKNOWN"


def _cumulative(saf: list[Safe]) -> Cells:
    cells = _placed("TEAE_CUMULATIVE", "TOTAL", saf, lambda each, event: True)
    for point in SAFETY:
        cells |= _placed("TEAE_CUMULATIVE", point, saf, partial(_by, point=point))
    return cells


def _intervals(saf: list[Safe]) -> Cells:
    cells: Cells = {}
    for place in (*SAFETY, "AFTER", "UNKNOWN"):
        cells |= _placed("TEAE_BY_INTERVAL", place, saf, partial(_lies_in, place=place))
    return cells


def _lies_in(each: Safe, event: Emergent, place: str) -> bool:
    return _interval(each, event) == place


def _placed(table: str, row: str, saf: list[Safe], falls: Callable[[Safe, Emergent], bool]) -> Cells:
    cells: Cells = {}
    for column in ("TEAE", "TESAE"):
        behind: dict[str, list[UUID]] = {}
        number = 0
        for each in saf:
            for event in each.events:
                if LINES[column](event) and falls(each, event):
                    behind.setdefault(each.subject_id, []).extend(event.ae.event_ids)
                    number += 1
        cells[table, row, column] = proportion(behind, len(saf))
        cells[table, row, f"{column}_EVENTS"] = Expected(number, str(number), number, behind=behind)
    reached = {each.subject_id: each.followed.alive.event_ids for each in saf if each.followed and _reaches(each, row)}
    cells[table, row, "FOLLOWED"] = count(reached, of=len(saf)) if row in SAFETY else EMPTY
    return cells


def _reaches(each: Safe, point: str) -> bool:
    """Last contact on or after the target date, or adverse events asked for inside the window."""
    if point not in SAFETY or each.followed is None or each.schedule is None:
        return False
    if each.followed.alive.day >= _target(each, point):
        return True
    for record in each.participant.standing("AEAssessmentDone"):
        place = each.schedule.place(instant(record.data["at"]), record.data.get("visitCode"))
        if place is not None and place.point == point and place.in_window:
            return True
    return False


def _rates(saf: list[Safe], cut: date) -> Cells:
    """Events by participant-years, each until the first of last contact, TE_END, death and the data cut."""
    days = 0
    behind: dict[str, list[UUID]] = {}
    for each in saf:
        assert each.followed is not None
        treated, during = each.followed, window(each.participant)
        ends = [treated.alive.day, cut]
        ends += [treated.death.day] if treated.death is not None else []
        ends += [civil(during.after) - DAY] if during is not None and during.after is not None else []
        days += max(0, (min(ends) - treated.t0.day).days)
        behind[each.subject_id] = [*ids(*each.participant.sessions), *treated.alive.event_ids]
    years = Fraction(days) / Fraction("365.25")
    cells: Cells = {}
    for code, holds in LINES.items():
        if code == "ANY_SAE":
            continue
        held, number = _held(saf, holds)
        rate = number / years if years else None
        row = "TEAE_EXPOSURE_ADJUSTED", code
        cells[(*row, "EVENTS")] = Expected(number, str(number), number, behind=held)
        cells[(*row, "YEARS")] = Expected(years, shown(years, 2), len(saf), behind=behind)
        both = {who: [*behind[who], *held.get(who, ())] for who in behind}
        cells[(*row, "RATE")] = Expected(rate, shown(rate, 2), number, behind=both)
    return cells
