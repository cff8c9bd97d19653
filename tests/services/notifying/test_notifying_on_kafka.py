"""From a serious adverse event to the officer's mailbox and back to the desk's stream, on the real servers."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised, NotificationChannel, NotificationSent
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.schema import ensure_projection
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.notifying.notice import Audience
from hepatrail_services.notifying.outbox import Outbox
from hepatrail_services.notifying.pacing import Pacing
from hepatrail_services.notifying.smtp import MailServer, Security, SmtpNotifier
from hepatrail_services.notifying.webhook import WebhookNotifier
from hepatrail_services.safety.ledger import ensure_safety
from notifying_servers import Hook, Post, post_office, the_worlds_trust, web_server
from projection_kafka import eventually
from runtime_support import SetClock, events_of
from safety_desk import watching
from safety_site import site_of

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
RECIPIENTS = {Audience.ALERT: ("officer@trial.example",), Audience.LEVEL_1: ("pi@trial.example",)}


@pytest.fixture
async def dsns(dsns: Dsns) -> Dsns:
    """The roles of a fresh database with the tables."""
    await make_tables(dsns)
    return dsns


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with post_office(Post()) as made:
        yield made


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with web_server(Hook()) as made:
        yield made


async def make_tables(dsns: Dsns) -> None:
    async with connection(dsns.owner) as owner:
        await ensure_projection(owner)
        await ensure_safety(owner)


async def lose_everything(dsns: Dsns) -> None:
    """Postgres is lost; a new one has the tables, and nothing in them."""
    async with connection(dsns.owner) as owner:
        names = await owner.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'projection%'")
        for schema in ("hepatrail", *(each["nspname"] for each in names)):
            await owner.execute(f'DROP SCHEMA "{schema}" CASCADE')
    await make_tables(dsns)


def outbox(post: Post, hook: Hook, clock: SetClock) -> Outbox:
    server = MailServer("127.0.0.1", post.port, Security.PLAIN)
    mail = SmtpNotifier(server, "desk@trial.example", RECIPIENTS, trust=the_worlds_trust())
    to_hook = WebhookNotifier(hook.url, SECRET, trust=the_worlds_trust())
    return Outbox((mail, to_hook), clock, pacing=Pacing(first=0.05, longest=0.5))


async def sent(kafka: str) -> list[tuple[NotificationChannel, int | None]]:
    """What the desk recorded as delivered."""
    events = [each.event for each in await events_of(kafka, SAFETY_DESK)]
    return [(each.channel, each.level) for each in events if isinstance(each, NotificationSent)]


async def until_sent(kafka: str, count: int) -> None:
    async def there() -> bool:
        return len(await sent(kafka)) >= count

    await eventually(there, 60)


async def test_an_alert_and_its_escalation_are_told_once_and_never_again_from_nothing(
    kafka: str, dsns: Dsns, post: Post, hook: Hook
) -> None:
    clock, email, webhook = SetClock(), NotificationChannel.EMAIL, NotificationChannel.WEBHOOK
    async with site_of(kafka, clock) as site:
        bus = CommandBus(kafka, "safety-test", clock)
        async with watching(kafka, dsns, bus, clock=clock, extra=outbox(post, hook, clock).run):
            await site.report_now("S-001", "LIFE_THREATENING", grade=4)
            await until_sent(kafka, 2)
            assert {*await sent(kafka)} == {(email, None), (webhook, None)}
            clock.offset += timedelta(minutes=31)
            await until_sent(kafka, 4)
            assert {*await sent(kafka)} == {(email, None), (webhook, None), (email, 1), (webhook, 1)}
        told = await sent(kafka)
        assert [recipients for recipients, _ in post.taken] == [["officer@trial.example"], ["pi@trial.example"]]
        verified = [Webhook(SECRET).verify(body, headers) for headers, body in hook.requests]
        assert [each["data"]["level"] for each in verified] == [None, 1]

        # Everything that is not the log is lost: the safety process and its outbox start from nothing.
        await lose_everything(dsns)
        again = CommandBus(kafka, "safety-test", clock)
        async with watching(kafka, dsns, again, clock=clock, extra=outbox(post, hook, clock).run):
            await asyncio.sleep(3)
        assert await sent(kafka) == told
        assert (len(post.taken), len(hook.requests)) == (2, 2)


async def test_a_channel_that_is_switched_on_later_tells_of_what_is_open(
    kafka: str, dsns: Dsns, post: Post, hook: Hook
) -> None:
    clock = SetClock()
    async with site_of(kafka, clock) as site:
        async with watching(kafka, dsns, CommandBus(kafka, "safety-test", clock), clock=clock):
            for subject in ("S-001", "S-002"):
                await site.report_now(subject)

            async def both() -> bool:
                return len(await raised(kafka)) == 2

            await eventually(both, 60)
        seen, _ = await raised(kafka)
        await site.send("acknowledgeSaeAlert", Role.SAFETY_OFFICER, "officer", alertId=str(seen.alert_id), comment=None)
        bus = CommandBus(kafka, "safety-test", clock)
        async with watching(kafka, dsns, bus, clock=clock, extra=outbox(post, hook, clock).run):
            await until_sent(kafka, 2)
            await asyncio.sleep(1)
        assert len(await sent(kafka)) == 2
        assert [message["Subject"] for _, message in post.taken] == ["[P2] Safety alert 2: SAE_NEW"]


async def raised(kafka: str) -> list[AlertRaised]:
    events = [each.event for each in await events_of(kafka, SAFETY_DESK)]
    return [each for each in events if isinstance(each, AlertRaised)]
