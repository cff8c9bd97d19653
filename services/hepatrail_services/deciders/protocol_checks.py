"""Whether a protocol may be published: its shape, its zone, its points and their windows (`visits.md` section 1)."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import CommandRejected, InvalidPayload
from hepatrail_events.protocol import Point, Protocol
from hepatrail_projections.clinical.calendar import add_months

_FIRST_ANCHOR = date(2024, 1, 1)
_ANCHORS = 4 * 366
"""Every length of month and leap year that a point counted in months can meet."""


def canonical_content(content: str) -> str:
    """The protocol's content as canonical JSON; CommandRejected (SHAPE) says what is wrong with it."""
    try:
        protocol = Protocol.read(content)
        canonical = canonical_json(orjson.loads(content)).decode()
    except (InvalidPayload, ValueError) as error:
        raise _refused(str(error)) from None
    _check_zone(protocol.site_zone)
    _check_points(protocol.points)
    return canonical


def _refused(why: str) -> CommandRejected:
    return CommandRejected(f"The protocol cannot be published: {why}.", code="SHAPE", field="content")


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise _refused(f"siteZone {name!r} is no IANA time zone") from None


def _check_points(points: tuple[Point, ...]) -> None:
    for code, count in Counter(point.code for point in points).items():
        if count > 1:
            raise _refused(f"point {code} is there {count} times")
    for point in points:
        if point.kind == "instant" and not _ordered(point):
            raise _refused(f"point {point.code} needs earliestMinutes <= targetMinutes <= latestMinutes")
        if point.kind == "date" and (point.target_days is None) == (point.target_months is None):
            raise _refused(f"point {point.code} needs targetDays or targetMonths")
    dated = [point for point in points if point.kind == "date"]
    for offset in range(_ANCHORS):
        _check_windows(dated, _FIRST_ANCHOR + timedelta(days=offset))


def _ordered(point: Point) -> bool:
    earliest, target, latest = point.earliest_minutes, point.target_minutes, point.latest_minutes
    return earliest is not None and target is not None and latest is not None and earliest <= target <= latest


def _check_windows(points: list[Point], anchor: date) -> None:
    windows = sorted((*_window(point, anchor), point.code) for point in points)
    for (_, last, code), (first, _, next_code) in pairwise(windows):
        if first <= last:
            raise _refused(f"the windows of {code} and {next_code} overlap")


def _window(point: Point, anchor: date) -> tuple[date, date]:
    if point.target_months is not None:
        target = add_months(anchor, point.target_months)
    else:
        target = anchor + timedelta(days=point.target_days or 0)
    return target - timedelta(days=point.days_before), target + timedelta(days=point.days_after)
