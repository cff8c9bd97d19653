"""The 14 time points: laboratory and bedside at each, some a little late, a few missed."""

import calendar
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hepatrail_events.protocol import Point, shipped_protocol
from hepatrail_services.simulation.physiology import bedside_rows, laboratory_rows
from hepatrail_services.simulation.script import COORDINATOR, LABORATORY, Script, text

_MISSED = 0.04
_OUT_OF_WINDOW = 0.05
_LABORATORY = "BFH central laboratory"


def attend_visits(script: Script, anchor: datetime, first_start: datetime, until: datetime | None) -> None:
    """Everything measured at the time points before `until` (death or withdrawal); baseline is never missed."""
    rng = script.rng
    for point in shipped_protocol().points:
        at = (
            first_start - timedelta(minutes=rng.randint(90, 300))
            if point.kind == "pre"
            else _moment(script, point, anchor)
        )
        missed = point.kind != "pre" and rng.random() < _MISSED
        if missed or (until is not None and at >= until):
            continue
        days = (at - anchor) / timedelta(days=1)
        _laboratory(script, at, days)
        _bedside(script, script.later(at, 1, 2), days, baseline=point.kind == "pre")


def _laboratory(script: Script, at: datetime, days: float) -> None:
    rows = laboratory_rows(script.participant, days, script.rng)
    if script.rng.random() < 0.05:
        rows[-1] = {"code": rows[-1]["code"], "notDone": "INSUFFICIENT"}
    sample = {"collectedAt": text(at), "laboratory": _LABORATORY, "specimen": "venous blood", "results": rows}
    script.enter(script.later(at, 50, 180), LABORATORY, "recordLabResults", sample)


def _bedside(script: Script, at: datetime, days: float, *, baseline: bool) -> None:
    rows = bedside_rows(script.participant, days, script.rng)
    if baseline:
        rows.append({"code": "weight", "value": f"{script.participant.weight_kg:.1f}", "unit": "kg"})
    script.enter(script.later(at, 5, 40), COORDINATOR, "recordObservations", {"assessedAt": text(at), "rows": rows})


def _moment(script: Script, point: Point, anchor: datetime) -> datetime:
    rng = script.rng
    late = rng.random() < _OUT_OF_WINDOW
    if point.kind == "instant":
        earliest, latest = point.earliest_minutes or 0, point.latest_minutes or 0
        minutes = latest + rng.randint(5, 40) if late else rng.randint(earliest + 2, latest - 2)
        return anchor + timedelta(minutes=minutes)
    zone = ZoneInfo(shipped_protocol().site_zone)
    day = anchor.astimezone(zone).replace(hour=7, minute=30, second=0, microsecond=0)
    day = day + timedelta(days=point.target_days) if point.target_days is not None else _add_months(day, point)
    offset = (
        point.days_after + rng.randint(1, 2) if late else rng.randint(-(point.days_before // 2), point.days_after // 2)
    )
    return (day + timedelta(days=offset, minutes=rng.randint(0, 150))).astimezone(anchor.tzinfo)


def _add_months(day: datetime, point: Point) -> datetime:
    months = day.month - 1 + (point.target_months or 0)
    year, month = day.year + months // 12, months % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))
