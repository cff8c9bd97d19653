"""A trial for the report, made of plain inputs: some participants, their courses, tables of every kind of cell."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Row, Table, rounded, text
from hepatrail_projections.clinical.endpoints.competing import Cause, FirstEvent, Incidence, incidence
from hepatrail_projections.clinical.endpoints.describe import summary
from hepatrail_projections.clinical.endpoints.proportion import count_cell, proportion_cell
from hepatrail_projections.clinical.endpoints.survival import Estimate, Followed, KaplanMeier, Step
from hepatrail_services.outcome_report.adverse_event_figure import TermCounts, adverse_events_by_grade
from hepatrail_services.outcome_report.change_figure import ChangeLine, change_from_baseline
from hepatrail_services.outcome_report.drawing import Drawn
from hepatrail_services.outcome_report.incidence_figure import cumulative_incidence
from hepatrail_services.outcome_report.survival_figure import kaplan_meier
from hepatrail_services.outcome_report.swimmer_figure import Lane, LaneEvent, swimmer

LANDMARKS = (7, 28, 84, 183, 365)
CONFIDENCE = Decimal("0.95")
POINTS = ("1h", "6h", "12h", "24h", "D2", "D3", "D7", "W2", "W4", "W8", "W12", "M6", "M12")
TERMS = ("Pyrexia", "Rash", "Haemorrhage intracranial", "Palpitations", "Infusion related reaction", "Sepsis", "Nausea")
# endpoints.md 3.3: days and whether the participant died.
VECTOR = ((3, 1), (9, 1), (20, 1), (20, 0), (45, 1), (84, 0), (150, 1), (183, 0), *((365, 0),) * 4)
EVENTS = tuple(UUID(int=number) for number in range(1, 40))


def subject_id(number: int) -> str:
    return f"S-{number:04d}"


def vector_steps() -> tuple[Step, ...]:
    """The curve of endpoints.md 3.3."""
    return curve([(days, bool(died)) for days, died in VECTOR]).steps()


def curve(times: list[tuple[int, bool]]) -> KaplanMeier:
    return KaplanMeier([Followed(subject_id(n), *each) for n, each in enumerate(times)], CONFIDENCE)


def lanes(count: int, seed: int = 7) -> tuple[Lane, ...]:
    """Courses as they might be: some die, some are transplanted, all have adverse events in the first weeks."""
    chance = random.Random(seed)
    made = list[Lane]()
    for number in range(count):
        followed = chance.choice((3, 11, 30, 84, 150, 365, 365, 372))
        died = followed < 200 and chance.random() < 0.6
        transplant = chance.randrange(followed) if chance.random() < 0.25 else None
        events = list[LaneEvent]()
        for _ in range(chance.randrange(1, 9)):
            grade = chance.choice((1, 1, 2, 2, 3, 3, 4, None))
            events.append(LaneEvent(min(followed, int(chance.expovariate(1 / 20))), grade, grade in (3, 4)))
        if died:
            events.append(LaneEvent(followed, 5, True))
        sessions = tuple(
            (day, Decimal(chance.randrange(350, 900)) / 100) for day in (0, 1, 3)[: chance.choice((1, 2, 3))]
        )
        death = followed if died else None
        made.append(Lane(subject_id(number), followed, sessions, tuple(events), transplant, death, not died))
    return tuple(made)


def incidences(courses: tuple[Lane, ...]) -> tuple[tuple[Incidence, ...], int | None]:
    """The curve of the courses' first events, and the day up to which it is known."""
    first = list[FirstEvent]()
    for each in courses:
        cause, day = Cause.CENSORED, each.follow_up_days
        if each.transplant_day is not None:
            cause, day = Cause.TRANSPLANT, each.transplant_day
        elif each.death_day is not None:
            cause = Cause.DEATH_WITHOUT_TRANSPLANT
        first.append(FirstEvent(each.subject_id, day, cause))
    days = sorted({each.days for each in first if each.cause})
    reached = (incidence(first, day) for day in days)
    return tuple(each for each in reached if each), max((each.days for each in first), default=None)


def change_lines(count: int, seed: int = 3) -> tuple[tuple[ChangeLine, ...], tuple[tuple[str, Fraction], ...]]:
    """Changes of MELD with gaps, and their medians."""
    chance = random.Random(seed)
    lines = list[ChangeLine]()
    for number in range(count):
        level, changes = 0.0, list[tuple[str, Decimal]]()
        last = chance.choice((4, 9, 13, 13))
        for point in POINTS[:last]:
            level += chance.gauss(-0.6, 1.5)
            if chance.random() > 0.12:
                changes.append((point, Decimal(round(level))))
        lines.append(ChangeLine(subject_id(number), tuple(changes)))
    medians = list[tuple[str, Fraction]]()
    for point in POINTS:
        values = [Fraction(value) for line in lines for at, value in line.changes if at == point]
        middle = summary([Fraction(each) for each in values], CONFIDENCE).median
        if middle is not None:
            medians.append((point, middle))
    return tuple(lines), tuple(medians)


def term_counts(count: int, participants: int = 12, seed: int = 5) -> tuple[TermCounts, ...]:
    chance = random.Random(seed)
    names = [TERMS[n] if n < len(TERMS) else f"Adverse event of laboratory result {n}" for n in range(count)]
    grades = (1, 1, 1, 2, 2, 3, 4, 5, None)
    return tuple(
        TermCounts(each, Counter(chance.choice(grades) for _ in range(chance.randrange(1, participants + 1))))
        for each in names
    )


def figures(count: int, terms: int = 7) -> tuple[Drawn, ...]:
    """One figure of each kind, of a trial of so many participants."""
    courses = lanes(count)
    steps = curve([(each.follow_up_days, each.death_day is not None) for each in courses]).steps()
    reached, end = incidences(courses)
    lines, medians = change_lines(count)
    return (
        kaplan_meier("OS_CURVE", "Overall survival", steps, LANDMARKS, quantity="Overall survival", events="deaths"),
        cumulative_incidence("INCIDENCE_CURVE", "Transplant and death", reached, end, LANDMARKS),
        change_from_baseline("MELD_CHANGE", "MELD", lines, medians, POINTS, ""),
        *adverse_events_by_grade("AE_GRADES", "Adverse events", term_counts(terms, max(count, 1)) if count else ()),
        *swimmer("SWIMMER", "Participants", courses),
    )


def _estimate_cell(at: Estimate) -> Cell:
    return Cell("S", text(at.survival), rounded(at.survival, 3), at.at_risk, 12, at.interval)


def tables() -> tuple[Table, ...]:
    """Proportions in levels, survival with what cannot be estimated, statistics with flags, a table without rows."""
    who = [(subject_id(number), EVENTS[number : number + 2]) for number in range(3)]
    teae = Table(
        "TEAE",
        "Participants with treatment-emergent adverse events",
        "2",
        (Column("ANY", "any"), Column("EVENTS", "events")),
        (
            Row("ALL", "≥ 1 TEAE", (proportion_cell("ANY", who, 12, CONFIDENCE), count_cell("EVENTS", 6, who))),
            Row("SOC", "General disorders", (proportion_cell("ANY", who[:2], 12, CONFIDENCE),), level=1),
            Row("PT", "Pyrexia", (proportion_cell("ANY", who[:1], 12, CONFIDENCE, ("UNCODED",)),), level=2),
            Row("NONE", "nobody treated", (proportion_cell("ANY", (), 0, CONFIDENCE),)),
        ),
        ("Each participant once.",),
    )
    km = curve([(days, bool(died)) for days, died in VECTOR])
    rows = tuple(Row(f"D{tau}", f"day {tau}", (_estimate_cell(km.at(tau)),)) for tau in (*LANDMARKS, 400))
    survival = Table("OS", "Overall survival", "3.2", (Column("S", "S"),), rows)
    statistics = summary([Fraction(each) for each in (-2, -4, 4, -7, 9, -10)], CONFIDENCE)
    mean = Cell("MEAN", text(statistics.mean), rounded(statistics.mean, 1), interval=statistics.mean_interval)
    change = Table(
        "CHANGE",
        "Change of MELD",
        "4",
        (Column("MEAN", "mean"), Column("MEDIAN", "median")),
        (Row("D7", "D7", (replace(mean, flags=("QUALIFIED", "DURING_SESSION")), Cell("MEDIAN", "-3", "-3.0"))),),
    )
    return teae, survival, change, Table("LISTING", "Deaths after the horizon", "3.1", (Column("DAY", "day"),), ())


AS_OF = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
