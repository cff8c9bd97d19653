"""Webhooks against a web server that really listens; signatures are held against the library's own verifier."""

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from hepatrail_events.errors import StartRefused
from hepatrail_infra.clock import Clock
from hepatrail_services.notifying.notice import Audience, Notice
from hepatrail_services.notifying.notifier import Undelivered
from hepatrail_services.notifying.webhook import WebhookNotifier
from notifying_servers import Hook, free_port, make_trust, silent_port, the_worlds_trust, web_server
from notifying_world import a_notice

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()


def notifier(url: str, timeout: float = 5.0, clock: Clock | None = None) -> WebhookNotifier:
    return WebhookNotifier(url, SECRET, timeout=timeout, clock=clock, trust=the_worlds_trust())


async def undelivered(to: WebhookNotifier, notice: Notice | None = None) -> Undelivered:
    with pytest.raises(Undelivered) as failed:
        await to.send(notice or a_notice())
    return failed.value


async def test_a_notice_arrives_signed() -> None:
    notice = a_notice(2, 1, priority="P1", type="SAE_FATAL")
    async with web_server(Hook()) as hook:
        await notifier(hook.url).send(notice)
    ((headers, body),) = hook.requests
    said = Webhook(SECRET).verify(body, headers)
    assert said == {
        "type": "safety.alert.escalated",
        "timestamp": said["timestamp"],
        "data": dict(notice.data),
    }
    assert headers["webhook-id"] == str(notice.id)
    assert headers["Content-Type"] == "application/json"


async def test_what_was_changed_on_the_way_or_signed_with_another_secret_does_not_verify() -> None:
    async with web_server(Hook()) as hook:
        await notifier(hook.url).send(a_notice())
    ((headers, body),) = hook.requests
    for secret, changed in ((OTHER, body), (SECRET, body.replace(b"SAE_NEW", b"SAE_OLD"))):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(changed, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers | {"webhook-id": "another"})


async def test_a_repeat_has_the_same_id_and_body_and_a_signature_of_its_own_time() -> None:
    class Ticking:
        label = ""
        at = datetime.now(UTC) - timedelta(seconds=90)

        def now(self) -> datetime:
            self.at += timedelta(seconds=30)
            return self.at

    async with web_server(Hook()) as hook:
        to = notifier(hook.url, clock=Ticking())
        for _ in range(2):
            await to.send(a_notice())
    (first, body), (second, again) = hook.requests
    assert first["webhook-id"] == second["webhook-id"]
    assert body == again
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert first["webhook-signature"] != second["webhook-signature"]
    for headers in (first, second):
        Webhook(SECRET).verify(body, headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_success_is_a_delivery(status: int) -> None:
    async with web_server(Hook(answer=lambda number: web.Response(status=status))) as hook:
        await notifier(hook.url).send(a_notice())


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again_soon(status: int) -> None:
    async with web_server(Hook(answer=lambda number: web.Response(status=status))) as hook:
        failed = await undelivered(notifier(hook.url))
    assert (failed.retryable, failed.whole, str(failed)) == (True, True, f"The webhook answered {status}.")


@pytest.mark.parametrize("status", [401, 403, 404, 405, 410])
async def test_a_wrong_address_or_secret_is_a_matter_for_a_person(status: int) -> None:
    async with web_server(Hook(answer=lambda number: web.Response(status=status))) as hook:
        failed = await undelivered(notifier(hook.url))
    assert (failed.retryable, failed.whole) == (False, True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirection_is_not_followed(status: int) -> None:
    async with web_server(Hook()) as elsewhere:
        answer = web.Response(status=status, headers={"location": elsewhere.url})
        async with web_server(Hook(answer=lambda number: answer)) as hook:
            failed = await undelivered(notifier(hook.url))
    assert (failed.retryable, failed.whole) == (False, True)
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", [400, 409, 413, 422])
async def test_a_notice_that_is_not_wanted_concerns_no_other(status: int) -> None:
    async with web_server(Hook(answer=lambda number: web.Response(status=status))) as hook:
        failed = await undelivered(notifier(hook.url))
    assert (failed.retryable, failed.whole) == (False, False)


@pytest.mark.parametrize(("header", "after"), [("120", 120.0), ("soon", None), ("-1", None)])
async def test_it_hears_how_long_it_is_to_stay_away(header: str, after: float | None) -> None:
    answer = web.Response(status=503, headers={"Retry-After": header})
    async with web_server(Hook(answer=lambda number: answer)) as hook:
        assert (await undelivered(notifier(hook.url))).after == after


async def test_a_server_that_is_away_is_tried_again() -> None:
    failed = await undelivered(notifier(f"http://127.0.0.1:{free_port()}/hook"))
    assert (failed.retryable, failed.whole) == (True, True)


async def test_a_server_that_says_nothing_is_left_after_a_while() -> None:
    with silent_port() as port:
        before = time.monotonic()
        failed = await undelivered(notifier(f"http://127.0.0.1:{port}/hook", timeout=0.2))
    assert (failed.retryable, failed.whole) == (True, True)
    assert time.monotonic() - before < 2


async def test_a_server_that_answers_by_and_by_is_left_after_a_while() -> None:
    # Each byte comes in time; all of them do not.
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"x" * 1_000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        before = time.monotonic()
        failed = await undelivered(notifier(f"http://127.0.0.1:{port}/hook", timeout=0.5))
    assert failed.retryable
    assert time.monotonic() - before < 3


async def test_https_is_held_to_its_certificate(tmp_path: Path) -> None:
    trust = make_trust(tmp_path)
    async with web_server(Hook(), trust=trust) as hook:
        failed = await undelivered(notifier(hook.url))
        assert (failed.retryable, str(failed)) == (False, "The webhook's certificate is not trusted.")
        assert hook.requests == []
        await WebhookNotifier(hook.url, SECRET, trust=trust.client).send(a_notice())
    assert len(hook.requests) == 1


def test_everybody_is_told_by_it() -> None:
    assert all(notifier("https://hook.example").tells(each) for each in Audience)


@pytest.mark.parametrize("url", ["http://hook.example/planted", "ftp://hook.example/planted", "planted", "https://"])
def test_an_address_without_encryption_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(StartRefused) as refused:
        notifier(url)
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    "secret",
    ["", "planted", SECRET.removeprefix("whsec_"), "whsec_planted!", "whsec_" + base64.b64encode(bytes(23)).decode()],
)
def test_a_weak_secret_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(StartRefused) as refused:
        WebhookNotifier("https://hook.example", secret)
    assert "planted" not in str(refused.value)
