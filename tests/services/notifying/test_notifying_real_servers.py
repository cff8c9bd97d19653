"""The outbox before servers that are away, break, come back and forget: everything arrives, recognisably once."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from hepatrail_events.safety_desk import NotificationChannel
from hepatrail_infra.clock import SystemClock
from hepatrail_services.notifying.notice import Audience
from hepatrail_services.notifying.notifier import Notifier
from hepatrail_services.notifying.outbox import Outbox
from hepatrail_services.notifying.pacing import Pacing
from hepatrail_services.notifying.smtp import MailServer, Security, SmtpNotifier
from hepatrail_services.notifying.webhook import WebhookNotifier
from notifying_servers import Hook, Post, free_port, post_office, the_worlds_trust, web_server
from notifying_world import DeskOfAlerts, at_work
from projection_kafka import eventually

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
QUICK = Pacing(first=0.02, longest=0.1, refused=0.2)
# Seconds for an answer that no busy machine is late for: who gives up sooner tells a second time, and is right to.
PATIENT = 30.0
EVERYBODY = dict.fromkeys(Audience, ("officer@trial.example",))


@asynccontextmanager
async def telling(desk: DeskOfAlerts, *notifiers: Notifier) -> AsyncIterator[Outbox]:
    """The outbox works before this desk."""
    outbox = Outbox(notifiers, SystemClock(), pacing=QUICK)
    async with at_work(outbox.run(desk.commons, desk.sender())):
        yield outbox


def mail(port: int) -> SmtpNotifier:
    server = MailServer("127.0.0.1", port, Security.PLAIN)
    return SmtpNotifier(server, "desk@trial.example", EVERYBODY, trust=the_worlds_trust(), timeout=PATIENT)


def hooked(port: int, timeout: float = PATIENT) -> WebhookNotifier:
    return WebhookNotifier(f"http://127.0.0.1:{port}/hook", SECRET, trust=the_worlds_trust(), timeout=timeout)


async def recorded(desk: DeskOfAlerts, count: int) -> None:
    async def there() -> bool:
        return len(desk.recorded) >= count

    await eventually(there)


async def test_alerts_wait_for_a_mail_server_that_comes_later() -> None:
    desk, port, post = DeskOfAlerts(), free_port(), Post()
    async with telling(desk, mail(port)) as outbox:
        for number in (1, 2, 3):
            desk.raise_alert(number)
        await asyncio.sleep(0.5)
        assert outbox.detail()["EMAIL"]["waiting"] == 3
        assert outbox.detail()["EMAIL"]["why"].startswith("The mail server is away")
        async with post_office(post, port=port):
            await recorded(desk, 3)
    subjects = [message["Subject"] for _, message in post.taken]
    assert sorted(subjects) == [f"[P1] Safety alert {number}: SAE_NEW" for number in (1, 2, 3)]
    assert all(each.channel is NotificationChannel.EMAIL for each in desk.recorded)
    assert max(each.attempt for each in desk.recorded) > 1


async def test_a_mail_server_that_is_restarted_gets_what_it_has_not() -> None:
    desk, port, post = DeskOfAlerts(), free_port(), Post()
    async with telling(desk, mail(port)):
        for number in range(1, 11):
            async with AsyncExitStack() as up:
                await up.enter_async_context(post_office(post, port=port))
                desk.raise_alert(number)
                await recorded(desk, number)
    assert len(post.taken) == 10
    assert len({message["Message-ID"] for _, message in post.taken}) == 10


async def test_a_webhook_that_breaks_refuses_and_dawdles_gets_each_notice_in_the_end() -> None:
    async def dawdle() -> web.Response:
        await asyncio.sleep(1)
        return web.Response()

    def moody(number: int) -> web.Response | Awaitable[web.Response]:
        match number % 5:
            case 0:
                return web.Response(status=204)
            case 1:
                return web.Response(status=500)
            case 2:
                return web.Response(status=429, headers={"Retry-After": "0"})
            case 3:
                return web.Response(status=403)
            case _:
                return dawdle()

    desk = DeskOfAlerts()
    async with web_server(Hook(answer=moody)) as hook, telling(desk, hooked(hook.port, timeout=0.3)):
        for number in range(1, 5):
            alert = desk.raise_alert(number)
        desk.escalate(alert)
        await recorded(desk, 5)
        await asyncio.sleep(0.5)
    assert len(desk.recorded) == 5
    verified = [Webhook(SECRET).verify(body, headers) for headers, body in hook.requests]
    wanted = {(number, None) for number in range(1, 5)} | {(4, 1)}
    assert {(each["data"]["alertSeq"], each["data"]["level"]) for each in verified} == wanted
    # Whoever counts by the id has each once.
    assert len({headers["webhook-id"] for headers, _ in hook.requests}) == 5


async def test_a_restart_between_delivery_and_record_shows_as_a_repeat() -> None:
    desk = DeskOfAlerts()
    desk.answers = False
    async with web_server(Hook()) as hook:
        for _ in range(3):
            async with telling(desk, hooked(hook.port)):
                if not desk.commons.desk.alerts:
                    desk.raise_alert(1)
                before = len(hook.requests)

                async def more(than: int = before) -> bool:
                    return len(hook.requests) > than

                await eventually(more)
            desk = desk.read_anew()
        desk.answers = True
        async with telling(desk, hooked(hook.port)):
            await recorded(desk, 1)
            await asyncio.sleep(0.3)
    assert len(hook.requests) == 4
    assert Counter(headers["webhook-id"] for headers, _ in hook.requests).most_common(1)[0][1] == 4
    assert len({body for _, body in hook.requests}) == 1


@pytest.mark.parametrize("channel", list(NotificationChannel))
async def test_a_hundred_open_alerts_are_told_once_each(channel: NotificationChannel) -> None:
    desk, post = DeskOfAlerts(), Post()
    for number in range(1, 101):
        desk.raise_alert(number, f"P{number % 3 + 1}")
    async with post_office(post), web_server(Hook()) as hook:
        notifier = mail(post.port) if channel is NotificationChannel.EMAIL else hooked(hook.port)
        async with telling(desk, notifier):
            await recorded(desk, 100)
            await asyncio.sleep(0.3)
    assert len(post.taken) + len(hook.requests) == 100
    assert sorted(each.alert_id.int for each in desk.recorded) == list(range(1, 101))
