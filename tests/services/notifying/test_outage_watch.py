"""Who watches over the safety process: tells once, again each hour, and when it is over, whatever is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hepatrail_infra.clock import SystemClock
from hepatrail_services.notifying.notice import Audience
from hepatrail_services.notifying.notifier import Undelivered
from hepatrail_services.notifying.outage import OutageWatch
from notifying_world import Hours, Teller, at_work

AWAY = Undelivered("The server is away.", retryable=True)
BEGAN, GOES_ON, OVER = "safety.outage.began", "safety.outage.goes-on", "safety.outage.over"


class Watched:
    """The safety process as the watch sees it, and whose turn it is to tell."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.turn = True
        self.hangs = False

    async def check(self) -> str | None:
        if self.hangs:
            await asyncio.Event().wait()
        return self.trouble

    async def mine(self) -> bool:
        return self.turn


@pytest.fixture
def safety() -> Watched:
    return Watched()


@pytest.fixture
async def watch(safety: Watched, teller: Teller, hours: Hours) -> AsyncIterator[OutageWatch]:
    made = OutageWatch(safety.check, [teller], safety.mine, SystemClock(), waits=hours.waits, patience=0.05)
    async with at_work(made.run()):
        yield made


def kinds(teller: Teller) -> list[str]:
    return [each.kind for each in teller.delivered]


@pytest.mark.usefixtures("watch")
async def test_nobody_is_told_of_a_moment(safety: Watched, hours: Hours, teller: Teller) -> None:
    await hours.pass_by(60)
    safety.trouble = "It lags."
    await hours.pass_by(25)
    safety.trouble = None
    await hours.pass_by(600)
    assert teller.tries == []


@pytest.mark.usefixtures("watch")
async def test_an_outage_is_told_once_again_each_hour_and_when_it_is_over(
    safety: Watched, hours: Hours, teller: Teller
) -> None:
    safety.trouble = "It lags."
    await hours.pass_by(35)
    assert kinds(teller) == [BEGAN]
    assert "It lags." in teller.delivered[0].text
    await hours.pass_by(3500)
    assert kinds(teller) == [BEGAN]
    await hours.pass_by(2 * 3600)
    assert kinds(teller) == [BEGAN, GOES_ON, GOES_ON]
    safety.trouble = None
    await hours.pass_by(40)
    assert kinds(teller) == [BEGAN, GOES_ON, GOES_ON, OVER]
    await hours.pass_by(7200)
    assert len(teller.tries) == 4
    assert len({each.id for each in teller.delivered}) == 4


@pytest.mark.usefixtures("watch")
async def test_the_next_outage_is_told_of_anew(safety: Watched, hours: Hours, teller: Teller) -> None:
    for trouble in ("It lags.", None, "It lags.", None):
        safety.trouble = trouble
        await hours.pass_by(60)
    assert kinds(teller) == [BEGAN, OVER, BEGAN, OVER]
    assert len({each.id for each in teller.delivered}) == 4


@pytest.mark.usefixtures("watch")
async def test_a_question_without_an_answer_is_an_outage(safety: Watched, hours: Hours, teller: Teller) -> None:
    await hours.pass_by(10)
    safety.hangs = True
    # The watch waits for an answer by the machine's clock.
    for _ in range(100):
        await hours.pass_by(1)
        await asyncio.sleep(0.06)
        if teller.delivered:
            break
    assert kinds(teller) == [BEGAN]


@pytest.mark.usefixtures("watch")
async def test_a_channel_that_is_away_is_told_later_under_the_same_id(
    safety: Watched, hours: Hours, teller: Teller
) -> None:
    teller.answer = lambda notice: AWAY
    safety.trouble = "It lags."
    await hours.pass_by(120)
    assert 3 < len(teller.tries) < 12
    assert len({notice.id for _, notice in teller.tries}) == 1
    teller.answer = lambda notice: None
    await hours.pass_by(60)
    assert kinds(teller) == [BEGAN]


@pytest.mark.usefixtures("watch")
async def test_the_end_of_what_was_never_told_is_not_told(safety: Watched, hours: Hours, teller: Teller) -> None:
    teller.answer = lambda notice: AWAY
    safety.trouble = "It lags."
    await hours.pass_by(60)
    safety.trouble = None
    await hours.pass_by(40)
    teller.answer = lambda notice: None
    await hours.pass_by(300)
    assert teller.tries != []
    assert teller.delivered == []


@pytest.mark.usefixtures("watch")
async def test_of_several_processes_one_tells_and_another_takes_over(
    safety: Watched, hours: Hours, teller: Teller
) -> None:
    safety.turn, safety.trouble = False, "It lags."
    await hours.pass_by(3600)
    assert teller.tries == []
    safety.turn = True
    await hours.pass_by(5)
    assert kinds(teller) == [BEGAN]


@pytest.mark.usefixtures("watch")
async def test_who_told_of_the_begin_tells_of_the_end_though_another_has_the_turn(
    safety: Watched, hours: Hours, teller: Teller
) -> None:
    safety.trouble = "It lags."
    await hours.pass_by(40)
    safety.turn, safety.trouble = False, None
    await hours.pass_by(40)
    assert kinds(teller) == [BEGAN, OVER]


async def test_a_channel_that_reaches_nobody_of_an_outage_is_left_alone(safety: Watched, hours: Hours) -> None:
    teller = Teller(hours, audiences=frozenset({Audience.ALERT}))
    safety.trouble = "It lags."
    watch = OutageWatch(safety.check, [teller], safety.mine, SystemClock(), waits=hours.waits)
    async with at_work(watch.run()):
        await hours.pass_by(120)
    assert teller.tries == []


async def test_a_bug_in_the_check_ends_the_watch(hours: Hours) -> None:
    async def broken() -> str | None:
        raise ZeroDivisionError

    watch = OutageWatch(broken, [], Watched().mine, SystemClock(), waits=hours.waits)
    with pytest.raises(ZeroDivisionError):
        await watch.run()
