"""Every cell of the tables of survival and transplantation (`endpoints.md` 3.1 and 3.2), by the formulas."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any
from uuid import UUID

from event_recount.dates import months_later
from event_recount.expected import EMPTY, Behind, Cells, Expected
from event_recount.statistics import count, proportion, shown
from event_recount.survival import Followed, Time, overall, transplant_free
from event_recount.visits import SAFETY

Z = NormalDist().inv_cdf(0.975)
"""1.959964, with more decimals than are printed."""
LANDMARKS = {"D7": 7, "W4": 28, "W12": 84}
MONTHS = {"M6": 6, "M12": 12}


def survival_cells(everybody: list[Followed], protocol: dict[str, Any], cut: date) -> Cells:
    """All tables of section 3; `everybody` is the safety set, `cut` the civil date of the data cut."""
    rules = protocol["endpoints"]
    horizon, landmarks = rules["osHorizonDays"], rules["landmarkDays"]
    died = [overall(each, cut, horizon) for each in everybody]
    sure = [overall(each, cut, horizon, imputed=False) for each in everybody]
    first = [transplant_free(each, cut, horizon) for each in everybody]
    cells: Cells = {}
    for tau in landmarks:
        cells |= _curve("OVERALL_SURVIVAL", died, tau)
        cells |= _curve("OVERALL_SURVIVAL_NOT_IMPUTED", sure, tau)
        cells |= _curve("TRANSPLANT_FREE_SURVIVAL", first, tau)
        cells |= _incidence(first, tau)
    for point in SAFETY:
        cells |= _crude(everybody, point, cut) | _transplanted(everybody, point)
    for each in everybody:
        cells |= _not_analysed(each, horizon)
    return cells


def kaplan_meier(times: Sequence[Time], tau: int) -> tuple[float | None, float | None, tuple[float, float] | None]:
    """S, SE and the log-log limits; None where they are not estimable."""
    if not times or _beyond(times, tau):
        return None, None, None
    s, v = 1.0, 0.0
    for t in _event_days(times, tau):
        n = sum(each.days >= t for each in times)
        d = sum(each.days == t and each.event for each in times)
        if d == n and d:
            return 0.0, None, None
        if d:
            s, v = s * (1 - d / n), v + d / (n * (n - d))
    if s == 1:
        return s, 0.0, None
    width = sqrt(v) / abs(log(s))
    return s, s * sqrt(v), (s ** exp(Z * width), s ** exp(-Z * width))


def incidences(times: Sequence[Time], tau: int) -> dict[str, float] | None:
    """I_k(tau) = sum of S(t-) d_k / n over t <= tau."""
    if not times or _beyond(times, tau):
        return None
    free, reached = 1.0, {"TRANSPLANT": 0.0, "DEATH": 0.0}
    for t in _event_days(times, tau):
        n = sum(each.days >= t for each in times)
        today = [each.end for each in times if each.days == t and each.event]
        for cause in reached:
            reached[cause] += free * today.count(cause) / n if n else 0
        free *= 1 - len(today) / n if n else 1
    return reached


def _event_days(times: Sequence[Time], tau: int) -> list[int]:
    return sorted({each.days for each in times if each.event and each.days <= tau})


def _beyond(times: Sequence[Time], tau: int) -> bool:
    """Nobody is at risk at tau, and the largest time is a censoring."""
    last = max(each.days for each in times)
    return last < tau and any(each.days == last and not each.event for each in times)


def _behind(times: Iterable[Time]) -> Behind:
    return {each.subject_id: each.event_ids for each in times}


def _imputed(times: Iterable[Time]) -> frozenset[str]:
    return frozenset({"IMPUTED_DATE"} if any(each.imputed for each in times) else ())


def _number(value: float | None, decimals: int, times: Sequence[Time], flags: frozenset[str]) -> Expected:
    return Expected(value, shown(value, decimals), None, len(times), behind=_behind(times), flags=flags)


def _curve(table: str, times: Sequence[Time], tau: int) -> Cells:
    s, se, limits = kaplan_meier(times, tau)
    lower, upper = limits or (None, None)
    happened = [each for each in times if each.event and each.days <= tau]
    before = [each for each in times if not each.event and each.days < tau]
    flags = _imputed(happened) | frozenset({"BEYOND_DATA"} if s is None and times else ())
    spared = [each for each in times if each not in happened]
    supplement = proportion(_behind(spared), len(times), flags) if s in (0, 1) and not before else EMPTY
    at_risk = [each for each in times if each.days >= tau]
    survival = Expected(s, shown(s, 4), None, len(times), limits, _behind(times), flags)
    row = table, f"DAY_{tau}"
    return {
        (*row, "SURVIVAL"): survival,
        (*row, "SE"): _number(se, 4, times, flags),
        (*row, "LOWER"): _number(lower, 3, times, flags),
        (*row, "UPPER"): _number(upper, 3, times, flags),
        (*row, "EXACT"): supplement,
        (*row, "AT_RISK"): count(_behind(at_risk)),
        (*row, "EVENTS"): count(_behind(happened), _imputed(happened)),
        (*row, "CENSORED"): count(_behind(before)),
    }


def _incidence(times: Sequence[Time], tau: int) -> Cells:
    reached, (free, _, _) = incidences(times, tau), kaplan_meier(times, tau)
    happened = [each for each in times if each.event and each.days <= tau]
    flags = _imputed(happened) | frozenset({"BEYOND_DATA"} if reached is None and times else ())
    row = "CUMULATIVE_INCIDENCE", f"DAY_{tau}"
    nothing: dict[str, float | None] = {"TRANSPLANT": None, "DEATH": None}
    estimates = {"FREE": free, **(reached or nothing), "SUM": None if free is None else 1.0}
    places = {"FREE": 4, "TRANSPLANT": 4, "DEATH": 4, "SUM": 9}
    cells: Cells = {(*row, name): _number(value, places[name], times, flags) for name, value in estimates.items()}
    for column, end in (("TRANSPLANTS", "TRANSPLANT"), ("DEATHS", "DEATH")):
        of_cause = [each for each in happened if each.end == end]
        cells[(*row, column)] = count(_behind(of_cause), _imputed(of_cause))
    return {**cells, (*row, "AT_RISK"): count(_behind(each for each in times if each.days >= tau))}


def landmark(each: Followed, point: str) -> date:
    """The own calendar landmark: from LD(T0), never from the end of a session."""
    if point in MONTHS:
        return months_later(each.t0.day, MONTHS[point])
    return each.t0.day + timedelta(days=LANDMARKS[point])


def _crude(everybody: list[Followed], point: str, cut: date) -> Cells:
    alive: dict[str, list[UUID]] = {}
    dead: dict[str, list[UUID]] = {}
    unknown: dict[str, list[UUID]] = {}
    for each in everybody:
        day = landmark(each, point)
        if each.death is not None:
            (dead if each.death.day <= day else alive)[each.subject_id] = each.death.event_ids
        elif each.alive.day >= day:
            alive[each.subject_id] = each.alive.event_ids
        elif point in each.seen:
            alive[each.subject_id] = each.seen[point]
        else:
            unknown[each.subject_id] = each.alive.event_ids
    known, everyone = {**alive, **dead}, {**alive, **dead, **unknown}
    imputed = any(each.death is not None and each.death.imputed for each in everybody if each.subject_id in known)
    flags = frozenset({"IMPUTED_DATE"} if imputed else ())
    ahead = {each.subject_id: everyone[each.subject_id] for each in everybody if landmark(each, point) > cut}
    row, n = ("CRUDE_SURVIVAL", point), len(everybody)
    return {
        (*row, "ALIVE"): proportion(alive, len(known), flags),
        (*row, "WORST"): proportion(alive, n, flags),
        (*row, "BEST"): proportion({**alive, **unknown}, n, flags),
        (*row, "KNOWN"): proportion(known, n),
        (*row, "UNKNOWN"): count(unknown),
        (*row, "NOT_REACHED"): count(ahead),
    }


def _transplanted(everybody: list[Followed], point: str) -> Cells:
    done = {
        each.subject_id: each.transplant
        for each in everybody
        if each.transplant is not None and each.transplant.day <= landmark(each, point)
    }
    flags = frozenset({"IMPUTED_DATE"} if any(graft.imputed for graft in done.values()) else ())
    behind = {subject_id: graft.event_ids for subject_id, graft in done.items()}
    return {("TRANSPLANT_PROPORTION", point, "TRANSPLANTED"): proportion(behind, len(everybody), flags)}


def _not_analysed(each: Followed, horizon: int) -> Cells:
    """A death after a withdrawal from follow-up, or behind the horizon, is listed and not analysed."""
    if each.withheld is not None:
        death, flag, reason = each.withheld, "WITHHELD", "after withdrawal from follow-up"
    elif each.death is not None and each.t(each.death.day) > horizon:
        death, flag, reason = each.death, "BEHIND_HORIZON", f"after day {horizon}"
    else:
        return {}
    flags = frozenset({flag, "IMPUTED_DATE"} if death.imputed else {flag})
    behind = {each.subject_id: [*each.t0.event_ids, *death.event_ids]}
    t, row = each.t(death.day), ("DEATHS_NOT_ANALYSED", each.subject_id)
    return {
        (*row, "DAYS"): Expected(t, str(t), behind=behind, flags=flags),
        (*row, "DATE"): Expected(None, death.day.isoformat(), behind=behind, flags=flags),
        (*row, "REASON"): Expected(None, reason, behind=behind, flags=flags),
    }
