import pytest

from hepatrail_cli.watch import is_healthy, lines

ALERT = {
    "__typename": "SaeAlert",
    "cursor": "7",
    "alertSeq": 3,
    "type": "SAE_NEW",
    "priority": "P1",
    "subjectId": "BFH-001",
    "recordedAt": "2026-03-10T08:30:00.000Z",
    "verbatim": {"value": "variceal bleeding", "state": "CLEAR"},
}


def beat(safety: bool, scheduler: bool) -> dict[str, object]:
    healthy = {"safetyHealthy": safety, "schedulerHealthy": scheduler}
    return {"__typename": "Heartbeat", "cursor": "7", "lastSeq": 3, "lagSeconds": 0.0, **healthy}


def test_an_alert_is_one_line_with_its_number_and_text() -> None:
    (line,) = lines(ALERT, True)
    assert line.plain == " P1  #3 SAE_NEW BFH-001 variceal bleeding 2026-03-10T08:30:00.000Z"


@pytest.mark.parametrize("verbatim", [None, {"value": None, "state": "ERASED"}])
def test_an_alert_without_readable_text_says_so(verbatim: dict[str, object] | None) -> None:
    (line,) = lines({**ALERT, "verbatim": verbatim, "subjectId": None}, True)
    assert line.plain.startswith(" P1  #3 SAE_NEW trial ")
    assert ("ERASED" in line.plain) is (verbatim is not None)


def test_heartbeats_show_only_when_health_changes() -> None:
    assert lines(beat(True, True), True) == []
    assert lines(beat(True, False), False) == []
    (worse,) = lines(beat(False, True), True)
    assert worse.plain.startswith("UNHEALTHY")
    (better,) = lines(beat(True, True), False)
    assert better.plain == "healthy again, alerts up to #3"
    assert [is_healthy(beat(s, c), True) for s in (True, False) for c in (True, False)] == [True, False, False, False]
    assert is_healthy(ALERT, False) is False
