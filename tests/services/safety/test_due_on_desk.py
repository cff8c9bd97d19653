"""Escalation (`safety.md` 6.3): which levels are due at an instant, whoever looked before."""

from collections.abc import Set
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.safety_desk import alert_content
from hepatrail_events.safety_desk import AlertContent
from hepatrail_events.types import format_instant
from hepatrail_services.deciders.safety_desk import EscalateAlert
from hepatrail_services.safety.timers import LevelMemory
from projection_log import BEGIN
from safety_time import Past

RAISED = BEGIN + timedelta(days=1)
NOBODY = frozenset[tuple[UUID, int]]()


def alert(number: int = 1, priority: str = "P1", after: timedelta = timedelta()) -> AlertContent:
    return alert_content(
        alertId=str(UUID(int=number)), priority=priority, raisedAt=format_instant(RAISED + after), reporterId="reporter"
    )


def past(*alerts: AlertContent, **protocol: object) -> Past:
    made = Past()
    for each in alerts:
        made.raised(each)
    return made


def commands(
    of: Past, at: datetime, settled: Set[tuple[UUID, int]] = NOBODY, memory: LevelMemory | None = None
) -> list[EscalateAlert]:
    """What is due at an instant, by a memory that knows nothing unless one is given."""
    return [each.command(at) for each in (memory or LevelMemory()).due(of.desk(), of.study(), at, settled)]


def due(of: Past, after: timedelta) -> list[tuple[int, int, bool]]:
    """Alert, level and late of what is due so long after the first alert."""
    return [(each.alert_id.int, each.level, each.late) for each in commands(of, RAISED + after)]


TABLE = {
    "P1": (timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2)),
    "P2": (timedelta(hours=4), timedelta(hours=12), timedelta(hours=20)),
    "P3": (timedelta(hours=24), timedelta(hours=72)),
}


@pytest.mark.parametrize("priority", TABLE)
def test_Escalation_levels_fire_at_their_times_and_not_before(priority: str) -> None:
    of = past(alert(priority=priority))
    for level, time in enumerate(TABLE[priority], 1):
        before = [(1, each, True) for each in range(1, level)]
        assert [each[:2] for each in due(of, time - timedelta(milliseconds=1))] == [each[:2] for each in before]
        assert due(of, time)[-1] == (1, level, False)
    assert len(due(of, timedelta(days=365))) == len(TABLE[priority])


def test_Escalation_fires_once_a_level() -> None:
    of = past(alert())
    (first,) = commands(of, RAISED + timedelta(minutes=31))
    of.escalated(first, RAISED + timedelta(minutes=31))
    assert due(of, timedelta(minutes=59)) == []
    assert due(of, timedelta(minutes=60)) == [(1, 2, False)]


def test_Escalation_an_acknowledgement_at_the_time_of_a_level_stops_it() -> None:
    of = past(alert())
    of.acknowledged(UUID(int=1), RAISED + timedelta(minutes=60))
    assert due(of, timedelta(hours=3)) == [(1, 1, True)]


def test_Escalation_an_acknowledgement_after_the_time_of_a_level_does_not_take_it_back() -> None:
    of = past(alert())
    of.acknowledged(UUID(int=1), RAISED + timedelta(minutes=60, milliseconds=1))
    assert due(of, timedelta(hours=3)) == [(1, 1, True), (1, 2, True)]


def test_Escalation_the_reporters_own_acknowledgement_does_not_stop_it() -> None:
    of = past(alert())
    of.acknowledged(UUID(int=1), RAISED + timedelta(minutes=1), by="reporter")
    assert [level for _, level, _ in due(of, timedelta(hours=3))] == [1, 2, 3]
    of.acknowledged(UUID(int=1), RAISED + timedelta(minutes=45), by="officer")
    assert [level for _, level, _ in due(of, timedelta(hours=3))] == [1]


def test_Timers_after_an_outage_levels_come_in_the_order_of_their_times_marked_late() -> None:
    of = past(alert(1, "P2"), alert(2, "P1", timedelta(hours=3, minutes=20)))
    assert due(of, timedelta(hours=5, seconds=30)) == [(2, 1, True), (1, 1, True), (2, 2, True)]


def test_Timers_late_is_more_than_a_minute() -> None:
    of = past(alert())
    assert due(of, timedelta(minutes=31)) == [(1, 1, False)]
    assert due(of, timedelta(minutes=31, milliseconds=1)) == [(1, 1, True)]


def test_what_the_desk_has_ruled_out_is_settled() -> None:
    of = past(alert())
    assert [each.level for each in commands(of, RAISED + timedelta(hours=3), {(UUID(int=1), 1)})] == [2, 3]


def test_the_level_has_its_id_from_alert_and_level() -> None:
    of = past(alert())
    again = [commands(of, RAISED + timedelta(hours=hour)) for hour in (3, 400)]
    assert [each.command_id for each in again[0]] == [each.command_id for each in again[1]]
    assert len({each.command_id for each in again[0]}) == 3


def test_nothing_is_ahead_of_an_alert_that_has_fired_all_its_levels() -> None:
    of = past(alert(priority="P3"))
    for command in commands(of, RAISED + timedelta(days=4)):
        of.escalated(command, RAISED + timedelta(days=4))
    assert due(of, timedelta(days=9)) == []


@settings(deadline=None, max_examples=20)
@given(ticks=st.lists(st.integers(0, 5000), max_size=12), acks=st.lists(st.integers(0, 5000), max_size=3))
def test_whenever_somebody_looks_the_same_levels_fire_once_and_in_order(ticks: list[int], acks: list[int]) -> None:
    end = 5001
    alerts = [alert(1, "P1"), alert(2, "P2", timedelta(minutes=100)), alert(3, "P3", timedelta(minutes=700))]
    acknowledged = [(RAISED + timedelta(minutes=minute), number) for number, minute in enumerate(acks, 1)]
    assert _fired(alerts, acknowledged, [*ticks, end]) == _fired(alerts, acknowledged, range(0, end + 1, 25))


def _fired(
    alerts: list[AlertContent], acknowledged: list[tuple[datetime, int]], ticks: "list[int] | range"
) -> dict[int, list[int]]:
    """The levels of each alert as they fired, when somebody looked at these minutes."""
    of, fired, memory = Past(), dict[int, list[int]](), LevelMemory()
    things: list[tuple[datetime, int, AlertContent | int | None]] = [(each.raised_at, 0, each) for each in alerts]
    things += [(at, 1, number) for at, number in acknowledged]
    things += [(RAISED + timedelta(minutes=minute), 2, None) for minute in ticks]
    for at, _, what in sorted(things, key=lambda each: each[:2]):
        if isinstance(what, AlertContent):
            of.raised(what)
        elif isinstance(what, int):
            if UUID(int=what) in of.desk().alerts:
                of.acknowledged(UUID(int=what), at)
        else:
            found = commands(of, at)
            assert commands(of, at, memory=memory) == found, "what is remembered is what is due"
            for command in found:
                fired.setdefault(command.alert_id.int, []).append(command.level)
                of.escalated(command, at)
    return fired
