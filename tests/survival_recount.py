"""Survival counted a second time, by plain loops over rows: nothing here is shared with the code that it checks."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from math import exp, inf, log, sqrt
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hepatrail_projections.assessment import AssessmentRow
from hepatrail_projections.derive import SubjectRows

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = [date(2024, 1, 1) + timedelta(days=number) for number in range(365 * 6)]
NEVER = date(9000, 1, 1)
Z = 1.959964


class Counted(NamedTuple):
    """A treated participant: days are civil dates; `death` and `transplant` only where they may be used."""

    subject_id: str
    t0: date
    alive: date
    death: date | None
    death_sure: bool
    transplant: date | None
    transplant_first: bool
    seen: set[str]


def civil(at: datetime) -> date:
    """The date on the wall of the site."""
    return (at.astimezone(UTC) + timedelta(hours=8)).date()


def days_of(when: dict[str, Any], latest: date) -> list[date]:
    """Every day that a partial date can mean, up to `latest` unless that leaves none."""
    value, precision = when.get("value"), when["precision"]
    if precision == "MINUTE":
        return [civil(datetime.fromisoformat(str(value)))]
    fits = [day for day in CALENDAR if day.isoformat().startswith(str(value or ""))]
    early = [day for day in fits if day <= latest]
    return fits if precision == "DAY" or not early else early


def count(rows: SubjectRows) -> Counted | None:
    """The participant, None if never treated."""
    starts = [each.started_at for each in rows.sessions if each.ordinal is not None]
    if not starts:
        return None
    t0, subject = civil(min(starts)), rows.subject
    standing = [each for each in rows.assessments if not each.voided]
    visits_end, vital_end = limits(standing)
    possible = [NEVER]
    if subject.death_at is not None and subject.death_aware_at is not None:
        possible = days_of(subject.death_at, civil(subject.death_aware_at))
    proofs = proofs_of_life(rows, standing, visits_end, vital_end)
    alive = max([t0, *(day for day in proofs if day <= possible[-1])])
    death, told = None, subject.death_at or {}
    if len(possible) == 1 and possible != [NEVER]:
        death = possible[0]
    elif len(possible) > 1 and (alive >= possible[0] or told["precision"] == "UNKNOWN"):
        death = min(alive + timedelta(days=1), possible[-1])
    elif len(possible) > 1:
        middle = {"MONTH": "-15", "YEAR": "-07-01"}[told["precision"]]
        death = min(date.fromisoformat(told["value"] + middle), possible[-1])
    transplant, transplant_at, exact = _transplant(standing, min(starts))
    shown = transplant
    if transplant is not None and not exact and death is not None:
        shown = max(t0, min(transplant, death))
    died_at = datetime.fromisoformat(told["value"]) if told.get("precision") == "MINUTE" else None
    first = True
    if shown is not None and death is not None:
        first = shown < death or (shown == death and not (died_at and transplant_at and died_at < transplant_at))
    return Counted(
        subject.subject_id,
        t0,
        alive,
        death if possible[-1] <= vital_end else None,
        told.get("precision") in ("DAY", "MINUTE"),
        shown if transplant is not None and transplant <= vital_end else None,
        first,
        {
            str(each.point)
            for each in standing
            if each.kind == "SURVIVAL_STATUS" and each.facts["alive"] == "Y" and each.in_window
            if each.at and civil(each.at) <= vital_end
        },
    )


def limits(standing: Iterable[AssessmentRow]) -> tuple[date, date]:
    """The last days of which visits, and life and death, may be used."""
    visits_end = vital_end = NEVER
    for each in standing:
        if each.kind == "WITHDRAWAL" and each.facts["scope"] in ("FOLLOW_UP", "ALL_DATA_USE"):
            assert each.at is not None
            visits_end = min(visits_end, civil(each.at))
            vital_end = vital_end if each.facts["vitalStatusAllowed"] else min(vital_end, civil(each.at))
    return visits_end, vital_end


def proofs_of_life(
    rows: SubjectRows, standing: Iterable[AssessmentRow], visits_end: date, vital_end: date
) -> list[date]:
    """Every day on which the participant lived, as far as it may be used."""
    visits, vital = [civil(each.ended_at) for each in rows.sessions if each.ordinal is not None and each.ended_at], []
    for row in rows.lab_results:
        taken = row.collected_on if row.collected_at is None else civil(row.collected_at)
        nothing = row.voided or not row.accepted or row.not_done in ("NOT_DONE", "OTHER", "OUTPATIENT_NO_ABG")
        if taken is not None and not nothing:
            visits.append(taken)
    for each in standing:
        if each.kind == "AE_ASSESSMENT" and each.at:
            visits.append(civil(each.at))
        if each.kind == "SURVIVAL_STATUS" and each.facts["alive"] == "Y" and each.at:
            vital.append(civil(each.at))
        if each.kind == "TRANSPLANT":
            vital.append(days_of(each.happened or {}, NEVER)[0])
    return [day for day in visits if day <= visits_end] + [day for day in vital if day <= vital_end]


def _transplant(standing: Iterable[Any], begin: datetime) -> tuple[date | None, datetime | None, bool]:
    """Day, instant (if known) and whether the day is known, of the first after the first session's start."""
    best = None
    for each in standing:
        if each.kind != "TRANSPLANT":
            continue
        if each.happened["precision"] == "MINUTE":
            moment = exact = datetime.fromisoformat(each.happened["value"])
        else:
            exact, day = None, days_of(each.happened, NEVER)[-1]
            midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(days=1)
            moment = min(each.recorded_at, midnight - timedelta(milliseconds=1))
        if moment > begin and (best is None or moment < best[0]):
            best = (moment, exact, each.happened["precision"] in ("DAY", "MINUTE"))
    return (None, None, False) if best is None else (civil(best[0]), best[1], best[2])


def kaplan_meier(times: list[tuple[int, bool]], tau: int) -> tuple[float | None, float | None, float, float]:
    """S, SE, lower and upper limit by the formulas of 3.2; NaN limits where there are none."""
    last = max((t for t, _ in times), default=-1)
    gone = last < tau and any(t == last and not event for t, event in times)
    if not times or gone:
        return None, None, inf, inf
    s, v = 1.0, 0.0
    for t in range(tau + 1):
        n = len([1 for time, _ in times if time >= t])
        d = len([1 for time, event in times if time == t and event])
        if d:
            s *= 1 - d / n
            v += d / (n * (n - d)) if n > d else inf
    if s in (0, 1):
        return s, (None if s == 0 else 0.0), inf, inf
    width = sqrt(v) / abs(log(s))
    return s, s * sqrt(v), s ** exp(Z * width), s ** exp(-Z * width)


def incidences(times: list[tuple[int, int]], tau: int) -> tuple[float, float]:
    """I_1 and I_2 by the formula of 3.2."""
    free, reached = 1.0, [0.0, 0.0, 0.0]
    for t in range(tau + 1):
        n = len([1 for time, _ in times if time >= t])
        today = [cause for time, cause in times if time == t and cause]
        for cause in (1, 2):
            reached[cause] += free * today.count(cause) / n if n else 0
        free *= 1 - len(today) / n if n else 1
    return reached[1], reached[2]
