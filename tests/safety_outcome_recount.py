"""The tables of adverse events a second time, by plain loops over rows, for every cell (`endpoints.md` section 2).

Written from the reference alone: partial dates by trying every day, targets by adding days and months to the civil date
of the anchor, classes and groups by lists of their own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_projections.adverse_event import AdverseEventRow
from hepatrail_projections.derive import SubjectRows

Holds: TypeAlias = Callable[[AdverseEventRow], bool]

SITE = ZoneInfo("Asia/Shanghai")
POINTS = {"D7": (7, 0), "W4": (28, 0), "W12": (84, 0), "M6": (0, 6), "M12": (0, 12)}
GROUPS = {
    "FEVER": "FEVER",
    "RASH": "RASH",
    "RASH_URTICARIA": "RASH",
    "PALPITATIONS": "PALPITATIONS",
    "INFUSION_REACTION": "ACUTE_INFUSION_REACTION",
    "SEPSIS": "INFECTION",
    "INFECTION_CATHETER": "INFECTION",
    "LOCAL_HEMATOMA": "LOCAL_COMPLICATION",
    "THROMBOSIS_PORTAL": "THROMBOSIS",
}
EMPTY_GROUPS = ("CHEST_TIGHTNESS", "IMMUNE_REJECTION")
CLASSES = {
    "FEVER": "GENERAL_DISORDERS_AND_ADMINISTRATION_SITE_CONDITIONS",
    "RASH": "SKIN_AND_SUBCUTANEOUS_TISSUE_DISORDERS",
    "RASH_URTICARIA": "SKIN_AND_SUBCUTANEOUS_TISSUE_DISORDERS",
    "PALPITATIONS": "CARDIAC_DISORDERS",
    "INFUSION_REACTION": "INJURY_POISONING_AND_PROCEDURAL_COMPLICATIONS",
    "SEPSIS": "INFECTIONS_AND_INFESTATIONS",
    "INFECTION_CATHETER": "INFECTIONS_AND_INFESTATIONS",
    "LOCAL_HEMATOMA": "VASCULAR_DISORDERS",
    "THROMBOSIS_PORTAL": "HEPATOBILIARY_DISORDERS",
    "HEPATIC_FAILURE_WORSENING": "HEPATOBILIARY_DISORDERS",
}
"""Of the codes that the histories draw; every other one names no class."""
STATED = {"Nausea": "GASTROINTESTINAL_DISORDERS"}
NAMES = {"10037660": "GENERAL_DISORDERS_AND_ADMINISTRATION_SITE_CONDITIONS"}
"""The class of the one preferred term that a coder names Fever."""


class Count(NamedTuple):
    """What a cell must hold: the number, and the events behind it by participant."""

    n: int
    behind: dict[str, set[UUID]]


def recount(trial: list[SubjectRows]) -> dict[tuple[str, str, str], Count]:
    """Every counting cell of the tables by (table, row, column); those without a number are left out."""
    found: dict[tuple[str, str, str], Count] = {}
    treated = [each for each in trial if any(not session.voided for session in each.sessions)]
    untreated = [each for each in trial if each not in treated]
    for row, test in _lines():
        _put(found, "TEAE_OVERVIEW", row, ("PARTICIPANTS", "EVENTS"), treated, partial(_holding, holds=test))
        if row != "ANY_SAE":
            found["TEAE_EXPOSURE_ADJUSTED", row, "EVENTS"] = found["TEAE_OVERVIEW", row, "EVENTS"]
    columns = ("PARTICIPANTS", "EVENTS")
    _put(found, "TEAE_OVERVIEW", "ANY_SAE_UNTREATED", columns, untreated, lambda rows, ae: ae.serious)
    for group in {*GROUPS.values(), *EMPTY_GROUPS}:
        _put(found, "TEAE_BY_AESI_GROUP", group, columns, treated, partial(_in_group, group=group))
    _put(found, "TEAE_BY_AESI_GROUP", "AESI", columns, treated, lambda rows, ae: ae.teae and ae.code in GROUPS)
    _points(found, treated)
    _terms(found, treated)
    return found


def _in_group(rows: SubjectRows, ae: AdverseEventRow, group: str) -> bool:
    return ae.teae and GROUPS.get(ae.code) == group


def _lines() -> Iterator[tuple[str, Holds]]:
    stopped, ended = "SESSION_STOPPED_EARLY", "TREATMENT_DISCONTINUED"
    yield "TEAE", lambda ae: ae.teae
    yield "TESAE", lambda ae: ae.tesae
    yield "ANY_SAE", lambda ae: ae.serious
    yield "RELATED", lambda ae: ae.teae and ae.related_assessed
    yield "RELATED_NOT_ASSESSED", lambda ae: ae.teae and ae.related and not ae.related_assessed
    yield "AESI", lambda ae: ae.teae and ae.aesi
    yield "GRADE_3", lambda ae: ae.teae and (ae.max_grade_te or 0) >= 3
    yield "FATAL", lambda ae: ae.teae and ae.outcome == "FATAL"
    yield "SUSAR", lambda ae: ae.teae and ae.serious and ae.related_assessed and ae.unexpected
    yield "SUSAR_PROVISIONAL", lambda ae: ae.teae and ae.susar and not ae.related_assessed
    yield "ACTION_ENDED", lambda ae: ae.teae and ae.action_taken in {stopped, ended}
    yield "ACTION_STOPPED", lambda ae: ae.teae and ae.action_taken == stopped
    yield "ACTION_DISCONTINUED", lambda ae: ae.teae and ae.action_taken == ended


def _put(
    found: dict[tuple[str, str, str], Count],
    table: str,
    row: str,
    columns: tuple[str, str],
    among: list[SubjectRows],
    counts: Callable[[SubjectRows, AdverseEventRow], bool],
) -> None:
    behind: dict[str, set[UUID]] = defaultdict(set)
    events = 0
    for rows in among:
        for ae in rows.adverse_events:
            if ae.state != "VOIDED" and counts(rows, ae):
                events += 1
                behind[rows.subject.subject_id] |= set(ae.event_ids)
    found[table, row, columns[0]] = Count(len(behind), dict(behind))
    found[table, row, columns[1]] = Count(events, dict(behind))


def _points(found: dict[tuple[str, str, str], Count], treated: list[SubjectRows]) -> None:
    kinds: dict[str, Holds] = {"TEAE": lambda ae: ae.teae, "TESAE": lambda ae: ae.tesae}
    possible = {ae.ae_id: days(rows, ae) for rows in treated for ae in rows.adverse_events if ae.teae}
    for kind, holds in kinds.items():
        columns = (kind, f"{kind}_EVENTS")

        def upto(rows: SubjectRows, ae: AdverseEventRow, point: str, holds: Holds = holds) -> bool:
            return holds(ae) and possible[ae.ae_id][0] <= target(rows, point)

        def new(rows: SubjectRows, ae: AdverseEventRow, place: str, holds: Holds = holds) -> bool:
            return holds(ae) and _place(rows, ae, possible[ae.ae_id]) == place

        for point in POINTS:
            _put(found, "TEAE_CUMULATIVE", point, columns, treated, partial(upto, point=point))
        _put(found, "TEAE_CUMULATIVE", "TOTAL", columns, treated, partial(_holding, holds=holds))
        for place in (*POINTS, "AFTER", "UNKNOWN"):
            _put(found, "TEAE_BY_INTERVAL", place, columns, treated, partial(new, place=place))


def _holding(rows: SubjectRows, ae: AdverseEventRow, holds: Holds) -> bool:
    return holds(ae)


def _place(rows: SubjectRows, ae: AdverseEventRow, possible: list[date]) -> str:
    if ae.te_onset is None or ae.te_onset["precision"] == "UNKNOWN":
        return "UNKNOWN"
    places = set()
    targets = [target(rows, point) for point in POINTS]
    for day in possible:
        places.add([*POINTS, "AFTER"][len([each for each in targets if each < day])])
    return places.pop() if len(places) == 1 else "UNKNOWN"


def days(rows: SubjectRows, ae: AdverseEventRow) -> list[date]:
    """Every day of the treatment-emergent window that the onset can be."""
    first, last = window(rows)
    stated: dict[str, Any] = ae.te_onset or {}
    if stated["precision"] == "MINUTE":
        at = datetime.strptime(stated["value"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
        return [at.astimezone(SITE).date()]
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in every if day.isoformat().startswith(stated.get("value") or "")]


def window(rows: SubjectRows) -> tuple[date, date]:
    """The first and the last day of the treatment-emergent window; two years long while treatment goes on."""
    given = [session for session in rows.sessions if not session.voided]
    t0 = min(session.started_at for session in given)
    placed = next((each.access_placed_at for each in given if each.started_at == t0 and each.access_placed_at), t0)
    last = max(given, key=lambda session: session.started_at)
    begin = min(t0, placed).astimezone(SITE).date()
    if last.ended_at is None:
        return begin, begin + timedelta(days=730)
    return begin, months_later(last.ended_at.astimezone(SITE).date(), 12)


def target(rows: SubjectRows, point: str) -> date:
    """The target date of a point, from the end of the first session, or its start while that runs."""
    first = min((each for each in rows.sessions if not each.voided), key=lambda each: each.started_at)
    number, months = POINTS[point]
    anchor = (rows.subject.anchor or first.started_at).astimezone(SITE).date()
    return months_later(anchor, months) + timedelta(days=number)


def months_later(day: date, months: int) -> date:
    """The same day of the month, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError(day)


def _terms(found: dict[tuple[str, str, str], Count], treated: list[SubjectRows]) -> None:
    classes: dict[str, list[str]] = defaultdict(list)
    cells: dict[tuple[str, str], list[AdverseEventRow]] = defaultdict(list)
    for rows in treated:
        for ae in rows.adverse_events:
            if ae.teae and ae.state != "VOIDED":
                term, named = _term(ae)
                classes[term] += [named] if named else []
                cells[term, rows.subject.subject_id].append(ae)
    for (term, subject), held in [*cells.items()]:
        of_term = classes[term]
        system = min(of_term, key=lambda each: (-of_term.count(each), each), default="UNKNOWN")
        cells[f"SOC_{system}", subject] += held
        cells["TOTAL", subject] += held
    _grades(found, cells)


def _grades(found: dict[tuple[str, str, str], Count], cells: dict[tuple[str, str], list[AdverseEventRow]]) -> None:
    columns = ("GRADE_1", "GRADE_2", "GRADE_3", "GRADE_4", "GRADE_5", "MISSING", "ANY")
    for row in {"TOTAL", *(row for row, _ in cells)}:
        behind: dict[str, dict[str, set[UUID]]] = {column: defaultdict(set) for column in columns}
        events = 0
        for (of, subject), held in cells.items():
            if of != row:
                continue
            events += len(held)
            worst = max((ae.max_grade_te or 0 for ae in held), default=0)
            for ae in held:
                behind["ANY"][subject] |= set(ae.event_ids)
                if (ae.max_grade_te or 0) == worst:
                    behind[f"GRADE_{worst}" if worst else "MISSING"][subject] |= set(ae.event_ids)
        for column in columns:
            found["TEAE_BY_TERM_AND_GRADE", row, column] = Count(len(behind[column]), dict(behind[column]))
        found["TEAE_BY_TERM_AND_GRADE", row, "EVENTS"] = Count(events, dict(behind["ANY"]))


def _term(ae: AdverseEventRow) -> tuple[str, str | None]:
    named = STATED.get(ae.ctcae_term or "") or CLASSES.get(ae.code)
    if ae.meddra is not None:
        return f"PT_{ae.meddra['ptCode']}", NAMES.get(ae.meddra["ptCode"] if "ptName" in ae.meddra else "") or named
    if ae.code == "OTHER" and ae.ctcae_term:
        return f"CODE_OTHER_{ae.ctcae_term.upper()}", named
    return f"CODE_{ae.code}", named


def years(treated: list[SubjectRows], last_contact: dict[str, date]) -> Fraction:
    """Participant-years to the last contact, the end of the window or the death, whichever is first."""
    total = 0
    for rows in treated:
        begin = min(each.started_at for each in rows.sessions if not each.voided).astimezone(SITE).date()
        running = any(each.ended_at is None and not each.voided for each in rows.sessions)
        ends = [last_contact[rows.subject.subject_id]] + ([] if running else [window(rows)[1]])
        died = rows.subject.death_at
        if died is not None and died["precision"] == "MINUTE":
            at = datetime.strptime(died["value"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
            ends.append(at.astimezone(SITE).date())
        total += max(0, (min(ends) - begin).days)
    return Fraction(total * 4, 1461)
