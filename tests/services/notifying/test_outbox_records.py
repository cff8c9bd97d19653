"""The outbox at work: what was told is told once, and what the desk holds of it."""

from hepatrail_events.decisions import Code
from notifying_world import Hours, Teller
from outbox_world import World


async def test_a_desk_that_does_not_answer_holds_up_no_notice(world: World, teller: Teller) -> None:
    world.desk.answers = False
    async with world.working():
        for number in (1, 2, 3):
            world.desk.raise_alert(number)
            await world.hours.pass_by(5)
        assert teller.said() == [(1, None), (2, None), (3, None)]
        assert world.recorded() == []


async def test_what_was_delivered_is_not_sent_again_before_the_desk_shows_it(world: World, teller: Teller) -> None:
    world.desk.shows = False
    async with world.working():
        world.desk.raise_alert(1)
        await world.hours.pass_by(3600)
        assert teller.said() == [(1, None)]
        assert world.recorded() == [(1, None, 1)]


async def test_a_record_that_the_desk_refuses_is_asked_for_again_and_the_notice_is_not(
    world: World, teller: Teller
) -> None:
    world.desk.refuse = Code.INTERNAL
    async with world.working():
        world.desk.raise_alert(1)
        world.desk.raise_alert(2)
        await world.hours.pass_by(10)
        assert world.outbox.detail()["EMAIL"]["unrecorded"] == 2
        assert world.desk.asked == 2
        world.desk.refuse = None
        await world.hours.pass_by(600)
    assert teller.said() == [(1, None), (2, None)]
    assert world.recorded() == [(1, None, 1), (2, None, 1)]


async def test_who_starts_over_in_the_same_process_tells_nothing_again(world: World, teller: Teller) -> None:
    world.desk.answers = False
    async with world.working():
        world.desk.raise_alert(1)
        await world.hours.pass_by(1)
    world.desk = world.desk.read_anew()
    world.desk.answers = True
    async with world.working():
        await world.hours.pass_by(60)
    assert teller.said() == [(1, None)]
    assert world.recorded() == [(1, None, 1)]


async def test_a_process_that_died_before_its_record_tells_again_under_the_same_id(
    hours: Hours, teller: Teller, world: World
) -> None:
    world.desk.answers = False
    async with world.working():
        world.desk.raise_alert(1)
        await hours.pass_by(1)
    world.desk.answers = True
    second = World(teller, hours=hours, desk=world.desk.read_anew())
    async with second.working():
        await hours.pass_by(60)
    assert teller.said() == [(1, None), (1, None)]
    assert len({each.id for each in teller.delivered}) == 1
    assert second.recorded() == [(1, None, 1)]


async def test_a_process_that_starts_from_nothing_tells_nothing_that_the_desk_holds(
    hours: Hours, teller: Teller, world: World
) -> None:
    async with world.working():
        for number in range(1, 6):
            world.desk.raise_alert(number)
        await hours.pass_by(5)
    fresh = Teller(hours)
    async with World(fresh, hours=hours, desk=world.desk.read_anew()).working():
        await hours.pass_by(3600)
    assert len(teller.delivered) == 5
    assert fresh.tries == []
