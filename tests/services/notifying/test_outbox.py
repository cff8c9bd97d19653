"""The outbox at work: everything open is told, at a pace, whatever a channel does."""

import itertools

import pytest

from hepatrail_events.safety_desk import NotificationChannel
from hepatrail_services.notifying.notice import Notice
from hepatrail_services.notifying.notifier import Undelivered
from notifying_world import Hours, Teller
from outbox_world import AWAY, World, failing

WEBHOOK = NotificationChannel.WEBHOOK
DISTRUSTED = Undelivered("The login is wrong.", retryable=False)
PUT_OFF = Undelivered("Not this one now.", retryable=True, whole=False)
UNWANTED = Undelivered("Not this one.", retryable=False, whole=False)


async def test_an_alert_and_each_level_are_told_and_recorded_once(world: World, teller: Teller) -> None:
    async with world.working():
        alert = world.desk.raise_alert(1)
        await world.hours.pass_by(1)
        world.desk.escalate(alert, 1)
        await world.hours.pass_by(3600)
    assert teller.said() == [(1, None), (1, 1)]
    assert world.recorded() == [(1, None, 1), (1, 1, 1)]


async def test_what_was_acknowledged_before_it_could_be_told_is_not_told(world: World, teller: Teller) -> None:
    teller.answer = failing(1, AWAY)
    async with world.working():
        alert = world.desk.raise_alert(1)
        await world.hours.pass_by(0.3)
        world.desk.acknowledge(alert)
        await world.hours.pass_by(3600)
    assert len(teller.tries) == 1
    assert world.recorded() == []


async def test_a_channel_that_is_away_is_tried_at_growing_intervals_and_never_given_up(
    world: World, teller: Teller
) -> None:
    teller.answer = failing(10_000, AWAY)
    async with world.working():
        world.desk.raise_alert(1)
        await world.hours.pass_by(3 * 3600)
        assert [round(each) for each in teller.gaps()[:8]] == [1, 1, 2, 4, 8, 16, 30, 30]
        assert len(teller.tries) > 250
        tries = len(teller.tries)
        teller.answer = failing(0, AWAY)
        await world.hours.pass_by(61)
    assert teller.said() == [(1, None)]
    assert world.recorded() == [(1, None, tries + 1)]


async def test_while_a_channel_is_away_one_notice_at_a_time_knocks(world: World, teller: Teller) -> None:
    teller.answer = failing(5, AWAY)
    async with world.working():
        for number in range(1, 101):
            world.desk.raise_alert(number, "P3")
        await world.hours.pass_by(8)
        assert len(teller.tries) <= 6
        await world.hours.pass_by(60)
    assert len(world.recorded()) == 100


async def test_a_wrong_login_is_tried_every_few_minutes_only(world: World, teller: Teller) -> None:
    teller.answer = failing(10_000, DISTRUSTED)
    async with world.working():
        world.desk.raise_alert(1)
        await world.hours.pass_by(3600)
    assert min(teller.gaps()) >= 150
    assert len(teller.tries) >= 3600 // 300


async def test_a_notice_that_is_refused_does_not_hold_up_the_others(world: World, teller: Teller) -> None:
    teller.answer = failing(10_000, UNWANTED, only=1)
    async with world.working():
        for number in (1, 2, 3):
            world.desk.raise_alert(number)
        await world.hours.pass_by(10)
        assert teller.said() == [(2, None), (3, None)]
        assert world.outbox.detail() == {"EMAIL": {"waiting": 1, "unrecorded": 0, "why": "Not this one."}}
        await world.hours.pass_by(3600)
        of_first = [at for at, notice in teller.tries if notice.data["alertSeq"] == 1]
        assert min(after - before for before, after in itertools.pairwise(of_first)) >= 150
        world.desk.acknowledge(next(iter(world.desk.commons.desk.alerts)))
        await world.hours.pass_by(1)
        assert world.outbox.detail() == {"EMAIL": {"waiting": 0, "unrecorded": 0, "why": None}}


async def test_a_notice_on_which_the_other_side_breaks_does_not_hold_up_the_others(
    world: World, teller: Teller
) -> None:
    teller.answer = failing(10_000, AWAY, only=1)
    async with world.working():
        for number in (1, 2, 3, 4):
            world.desk.raise_alert(number)
        await world.hours.pass_by(10)
    assert teller.said() == [(2, None), (3, None), (4, None)]


async def test_when_a_channel_is_back_the_most_urgent_comes_at_once(world: World, teller: Teller) -> None:
    teller.answer = failing(40, AWAY)
    async with world.working():
        world.desk.raise_alert(1, "P1")
        for number in range(2, 31):
            world.desk.raise_alert(number, "P3")
        await world.hours.pass_by(3600)
    assert len(teller.delivered) == 30
    assert (1, None) in teller.said()[:2]


async def test_a_notice_on_which_the_other_side_breaks_does_not_knock_between_all_others(
    world: World, teller: Teller
) -> None:
    teller.answer = failing(10_000, AWAY, only=1)
    async with world.working():
        for number in range(1, 51):
            world.desk.raise_alert(number, "P1" if number == 1 else "P3")
        await world.hours.pass_by(10)
        assert len(teller.delivered) == 49
        assert len(teller.tries) - 49 < 10
        await world.hours.pass_by(600)
        world.desk.raise_alert(51, "P3")
        await world.hours.pass_by(61)
    assert teller.said()[-1] == (51, None)


async def test_a_notice_that_is_put_off_comes_again_at_growing_intervals(world: World, teller: Teller) -> None:
    teller.answer = failing(3, PUT_OFF, only=1)
    async with world.working():
        world.desk.raise_alert(1)
        world.desk.raise_alert(2)
        await world.hours.pass_by(20)
    assert teller.said() == [(2, None), (1, None)]
    assert world.recorded() == [(2, None, 1), (1, None, 4)]


async def test_a_new_urgent_alert_overtakes_what_waits(world: World, teller: Teller) -> None:
    teller.answer = failing(1, AWAY)
    async with world.working():
        world.desk.raise_alert(1, "P3")
        world.desk.raise_alert(2, "P3")
        await world.hours.pass_by(0.3)
        world.desk.raise_alert(3, "P1")
        await world.hours.pass_by(10)
    assert teller.said() == [(3, None), (1, None), (2, None)]


async def test_no_channel_waits_for_another(hours: Hours) -> None:
    mail, hook = Teller(hours, failing(10_000, AWAY)), Teller(hours, channel=WEBHOOK)
    world = World(mail, hook, hours=hours)
    async with world.working():
        world.desk.raise_alert(1)
        await hours.pass_by(60)
    assert hook.said() == [(1, None)]
    assert [(each.channel, each.level) for each in world.desk.recorded] == [(WEBHOOK, None)]


async def test_without_a_channel_there_is_nothing_to_do_and_it_does_not_end(hours: Hours) -> None:
    world = World(hours=hours)
    async with world.working():
        world.desk.raise_alert(1)
        await hours.pass_by(10)
    assert world.outbox.detail() == {}


async def test_a_bug_in_a_notifier_ends_the_outbox(hours: Hours, teller: Teller) -> None:
    def broken(notice: Notice) -> Undelivered | None:
        raise ZeroDivisionError

    teller.answer = broken
    world = World(teller, hours=hours)
    world.desk.raise_alert(1)
    with pytest.raises(ZeroDivisionError):
        await world.outbox.run(world.desk.commons, world.desk.sender())
