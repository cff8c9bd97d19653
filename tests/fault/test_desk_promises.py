"""The judge of the fault rounds sees what it must: each promise broken once, and each thing that has yet to come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from desk_log import DeskFact, DeskLog
from desk_promises import GRACE, broken, lacking
from hepatrail_events.types import format_instant
from officers import Seen

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ESCALATION = {"P1": (30, 60, 120), "P2": (240,)}


def alert(number: int, *, alert_id: str = "", commit: str = "", **changes: Any) -> DeskFact:
    data = {
        "alertSeq": number,
        "alertId": alert_id or f"alert-{number}",
        "commitId": commit or f"commit-{number}",
        "aeId": f"ae-{number}",
        "type": "SAE_NEW",
        "priority": "P1",
        "raisedAt": format_instant(NOON),
        "awareAt": format_instant(NOON),
        "reporterId": "dr-li",
        **changes,
    }
    return fact("SaeAlert", 0, data)


def acknowledged(number: int, minutes: float, by: str = "officer") -> DeskFact:
    return fact("AlertAcknowledged", minutes, {"alertId": f"alert-{number}", "by": by})


def escalated(number: int, level: int, minutes: float) -> DeskFact:
    return fact("AlertEscalated", minutes, {"alertId": f"alert-{number}", "level": level})


def fact(kind: str, minutes: float, data: dict[str, Any]) -> DeskFact:
    return DeskFact(kind, "", NOON + timedelta(minutes=minutes), data)


def desk(*facts: DeskFact) -> DeskLog:
    """The facts in this order, each at its place."""
    placed = [DeskFact(each.kind, f"desk@{n}", each.recorded_at, each.data) for n, each in enumerate(facts, start=1)]
    return DeskLog(tuple(placed))


def told(log: DeskLog) -> Seen:
    """A client that was told all of it."""
    items = [{"__typename": each.kind, "cursor": each.cursor, **each.data} for each in log.facts]
    return Seen(items)


WELL = desk(alert(1), alert(2), acknowledged(2, 29), escalated(1, 1, 30), escalated(1, 2, 75))


def test_a_desk_and_a_client_that_are_well_break_nothing() -> None:
    assert broken(WELL, {"a": told(WELL)}, ESCALATION) == []
    now = NOON + timedelta(minutes=119)
    assert lacking(WELL, {"a": told(WELL)}, ESCALATION, {"commit-1", "commit-2"}, now) == []


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (desk(alert(1), alert(3)), "a gap: 3 after 1"),
        (desk(alert(2)), "a gap: 2 after 0"),
        (desk(alert(1), alert(2, alert_id="alert-1", commit="other")), "raised 2 times: alert-1"),
        (desk(alert(1), alert(2, commit="commit-1", aeId="ae-1")), "lifecycle alert 2 times"),
        (
            desk(*(alert(number, type="CLOCK_BREACH", aeId="ae-1") for number in (1, 2))),
            "clock alert 2 times: CLOCK_BREACH of ae-1",
        ),
        (desk(alert(1), escalated(1, 1, 31), escalated(1, 1, 32)), "escalated 2 times: level 1 of alert-1"),
        (desk(alert(1), escalated(1, 2, 61)), "level 2 of alert-1 fired after level 0"),
        (desk(alert(1), escalated(1, 1, 29)), "fired before its time"),
        (desk(alert(1), acknowledged(1, 30), escalated(1, 1, 31)), "though it was acknowledged in time"),
    ],
)
def test_a_desk_that_breaks_a_promise_is_seen(log: DeskLog, says: str) -> None:
    found = broken(log, {}, ESCALATION)
    assert any(says in each for each in found), found


def test_an_acknowledgement_that_comes_behind_the_level_or_from_the_reporter_does_not_stop_it() -> None:
    log = desk(alert(1), acknowledged(1, 31), escalated(1, 1, 40))
    assert broken(log, {}, ESCALATION) == []
    log = desk(alert(1), acknowledged(1, 5, by="dr-li"), escalated(1, 1, 31))
    assert broken(log, {}, ESCALATION) == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda items: items[1:],
        lambda items: [items[0], items[0], *items[1:]],
        lambda items: [items[1], items[0], *items[2:]],
        lambda items: [*items[:2], *items[3:]],
        lambda items: [*items, {"__typename": "AlertEscalated", "cursor": "desk@99"}],
        lambda items: [{**items[0], "alertSeq": 2}, *items[1:]],
    ],
)
def test_a_client_that_was_told_less_more_twice_or_in_another_order_is_seen(wrong: Any) -> None:
    assert broken(WELL, {"a": Seen(wrong(told(WELL).items))}, ESCALATION) != []


def test_a_client_may_be_behind_and_may_be_asked_to_wait_but_not_be_refused() -> None:
    behind = Seen(told(WELL).items[:2], errors=[{"code": "UNAVAILABLE", "message": "later"}])
    assert broken(WELL, {"a": behind}, ESCALATION) == []
    assert lacking(WELL, {"a": behind}, ESCALATION, (), NOON) == ["a holds 2 of 5"]
    refused = Seen(errors=[{"code": "CURSOR_AHEAD", "message": "no"}])
    assert broken(WELL, {"a": refused}, ESCALATION) == ["a: was refused: {'code': 'CURSOR_AHEAD', 'message': 'no'}"]


def test_a_commit_without_alert_a_level_and_a_breach_that_are_due_are_lacking() -> None:
    log = desk(alert(1))
    assert lacking(log, {}, ESCALATION, {"commit-1", "commit-9"}, NOON) == ["no alert of the commit commit-9"]
    due = NOON + timedelta(minutes=30) + GRACE
    assert lacking(log, {}, ESCALATION, (), due - timedelta(seconds=1)) == []
    assert lacking(log, {}, ESCALATION, (), due) == ["level 1 of alert-1 has not fired"]
    quiet = desk(alert(1), acknowledged(1, 1))
    tomorrow = NOON + timedelta(hours=24) + GRACE
    assert lacking(quiet, {}, ESCALATION, (), tomorrow) == ["no breach of the 24 hours of ae-1"]
    assert lacking(quiet, {}, ESCALATION, (), tomorrow - timedelta(seconds=1)) == []
