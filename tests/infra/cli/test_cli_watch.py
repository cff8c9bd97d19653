from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hepatrail_cli.watch_lines import Known, caught_up, clock_text, countdown, is_healthy, lines, status_line

ID = "5c0d7a1e-9d3c-5a4b-8f6f-2a1100000003"
ALERT: dict[str, Any] = {
    "__typename": "SaeAlert",
    "cursor": "7",
    "alertId": ID,
    "alertSeq": 3,
    "type": "SAE_NEW",
    "priority": "P1",
    "subjectId": "BFH-001",
    "recordedAt": "2026-03-10T08:30:00.000Z",
    "late": None,
    "detail": None,
    "acknowledgedAt": None,
    "verbatim": {"value": "variceal bleeding", "state": "CLEAR"},
}
SEEN: dict[str, Any] = {
    "__typename": "AlertAcknowledged",
    "cursor": "8",
    "alertId": ID,
    "by": "officer-1",
    "recordedAt": "2026-03-10T08:31:00.000Z",
    "stopping": True,
}
ESCALATED: dict[str, Any] = {
    "__typename": "AlertEscalated",
    "cursor": "9",
    "alertId": ID,
    "level": 2,
    "late": True,
    "recordedAt": "2026-03-10T09:31:00.000Z",
}
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def known(*messages: dict[str, Any]) -> Known:
    taken = Known()
    for message in messages:
        taken.take(message)
    return taken


def beat(safety: bool, scheduler: bool) -> dict[str, object]:
    healthy = {"safetyHealthy": safety, "schedulerHealthy": scheduler}
    return {"__typename": "Heartbeat", "cursor": "7", "lastSeq": 3, "lagSeconds": 0.0, **healthy}


def clock(type: str, due: str) -> dict[str, str]:
    return {"type": type, "subjectId": "BFH-001", "dueAt": due, "status": "RUNNING"}


def test_an_alert_is_one_line_with_its_number_and_text() -> None:
    (line,) = lines(ALERT, True, Known())
    assert line.plain == " P1  #3 SAE_NEW BFH-001 variceal bleeding 2026-03-10T08:30:00.000Z"


def test_a_late_alert_and_one_that_was_acknowledged_before_say_so() -> None:
    (line,) = lines(ALERT | {"late": True, "acknowledgedAt": "2026-03-10T08:31:00.000Z"}, True, Known())
    assert line.plain == " P1  #3 SAE_NEW LATE BFH-001 variceal bleeding 2026-03-10T08:30:00.000Z (acknowledged)"


@pytest.mark.parametrize("verbatim", [None, {"value": None, "state": "ERASED"}])
def test_an_alert_without_readable_text_says_so(verbatim: dict[str, object] | None) -> None:
    (line,) = lines({**ALERT, "verbatim": verbatim, "subjectId": None}, True, Known())
    assert line.plain.startswith(" P1  #3 SAE_NEW trial ")
    assert ("ERASED" in line.plain) is (verbatim is not None)


@pytest.mark.parametrize(("priority", "colour"), [("P1", "red"), ("P2", "red"), ("P3", "yellow")])
def test_the_colour_tells_the_priority(priority: str, colour: str) -> None:
    (line,) = lines(ALERT | {"priority": priority}, True, Known())
    assert any(colour in str(span.style) for span in line.spans)


def test_acknowledgements_and_escalations_name_the_alert_by_its_number() -> None:
    of = known(ALERT)
    assert lines(SEEN, True, of)[0].plain == "  #3 acknowledged by officer-1 2026-03-10T08:31:00.000Z"
    assert "does not stop escalation" in lines(SEEN | {"stopping": False}, True, of)[0].plain
    assert lines(ESCALATED, True, of)[0].plain == "  #3 escalated to level 2, late 2026-03-10T09:31:00.000Z"
    assert ID in lines(ESCALATED, True, Known())[0].plain


def test_an_alert_is_open_until_an_acknowledgement_stops_it() -> None:
    assert known(ALERT).open == {3}
    assert known(ALERT, SEEN | {"stopping": False}).open == {3}
    assert known(ALERT, SEEN).open == set()
    assert known(ALERT | {"acknowledgedAt": "2026-03-10T08:31:00.000Z"}).open == set()


def test_only_an_alert_that_was_shown_can_be_acknowledged_by_number() -> None:
    assert known(ALERT).alert_id(3) == ID
    assert known(ALERT).alert_id(4) is None


def test_heartbeats_show_only_when_health_changes() -> None:
    assert lines(beat(True, True), True, Known()) == []
    assert lines(beat(True, False), False, Known()) == []
    (worse,) = lines(beat(False, True), True, Known())
    assert worse.plain.startswith("UNHEALTHY")
    (better,) = lines(beat(True, True), False, Known())
    assert better.plain == "healthy again, alerts up to #3"
    assert [is_healthy(beat(s, c), True) for s in (True, False) for c in (True, False)] == [True, False, False, False]
    assert is_healthy(ALERT, False) is False


def test_what_a_new_connection_brought_is_said_in_numbers() -> None:
    brought = Counter({"SaeAlert": 2, "AlertEscalated": 1, "Heartbeat": 1})
    assert caught_up(brought, 9, None).plain == (
        "caught up: 2 alerts, 0 acknowledgements, 1 escalation; the desk has 9 alerts; now live"
    )
    assert "after 0:01:05 without connection" in caught_up(brought, 9, timedelta(seconds=65)).plain


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00:00"), (3661, "1:01:01"), (86_399, "23:59:59"), (90_061, "1 d 1:01:01")]
)
def test_a_countdown_shows_days_only_when_there_are_any(seconds: int, shown: str) -> None:
    assert countdown(timedelta(seconds=seconds)) == shown


def test_a_clock_counts_down_and_then_says_how_late_it_is() -> None:
    assert clock_text(clock("INV_SAE_24H", "2026-03-10T10:30:00.000Z"), NOW) == "INV_SAE_24H BFH-001 1:30:00 left"
    assert clock_text(clock("EC_SAE_24H", "2026-03-10T08:59:59.000Z"), NOW) == "EC_SAE_24H BFH-001 0:00:01 LATE"


def test_the_foot_shows_health_open_alerts_and_the_first_three_clocks() -> None:
    clocks = [clock(f"SUSAR_{number}D", "2026-03-11T09:00:00.000Z") for number in range(5)]
    foot = status_line(clocks, NOW, known(ALERT), healthy=True, connected=True)
    assert foot.startswith("live | 1 open | SUSAR_0D BFH-001 1 d 0:00:00 left | ")
    assert foot.endswith("2 more clocks")
    assert status_line([], NOW, Known(), healthy=False, connected=True) == "UNHEALTHY | 0 open"
    assert status_line([], NOW, Known(), healthy=True, connected=False) == "NOT CONNECTED | 0 open"
