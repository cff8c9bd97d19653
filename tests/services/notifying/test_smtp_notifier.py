"""E-mail against a mail server that really listens."""

import asyncio
import logging
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.telemetry import REGISTRY
from hepatrail_services.notifying.notice import Audience, Notice
from hepatrail_services.notifying.notifier import Undelivered
from hepatrail_services.notifying.smtp import MailServer, Security, SmtpNotifier, mail_server
from notifying_servers import USER, Post, Trust, free_port, make_trust, post_office, silent_port, the_worlds_trust
from notifying_world import a_notice

RECIPIENTS = {
    Audience.ALERT: ("officer@trial.example", "deputy@trial.example"),
    Audience.LEVEL_1: ("officer@trial.example", "pi@trial.example"),
}


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    folder: Path = tmp_path_factory.mktemp("trust")
    return make_trust(folder)


def notifier(server: MailServer, trust: Trust | None = None, timeout: float = 5.0) -> SmtpNotifier:
    known = the_worlds_trust() if trust is None else trust.client
    return SmtpNotifier(server, "desk@trial.example", RECIPIENTS, trust=known, timeout=timeout)


async def undelivered(to: SmtpNotifier, notice: Notice | None = None) -> tuple[bool, bool, str]:
    """Whether it may be tried again soon, whether all of the channel waits, and what is said."""
    with pytest.raises(Undelivered) as failed:
        await to.send(notice or a_notice())
    return failed.value.retryable, failed.value.whole, str(failed.value)


async def test_a_notice_arrives_whole_at_all_of_its_audience() -> None:
    notice = a_notice(2, priority="P1", type="SAE_FATAL")
    async with post_office(Post()) as post:
        await notifier(post.server()).send(notice)
    ((recipients, message),) = post.taken
    assert recipients == ["officer@trial.example", "deputy@trial.example"]
    assert message["Subject"] == "[P1] Safety alert 2: SAE_FATAL"
    assert message["From"] == "desk@trial.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert abs(parsedate_to_datetime(message["Date"]).timestamp() - time.time()) < 60
    assert message.get_content().replace("\r\n", "\n") == notice.text


async def test_a_level_goes_to_its_own_audience() -> None:
    async with post_office(Post()) as post:
        await notifier(post.server()).send(a_notice(1, 1))
    assert post.taken[0][0] == ["officer@trial.example", "pi@trial.example"]


async def test_a_repeat_has_the_same_message_id() -> None:
    async with post_office(Post()) as post:
        for _ in range(2):
            await notifier(post.server()).send(a_notice())
        await notifier(post.server()).send(a_notice(1, 1))
    ids = [message["Message-ID"] for _, message in post.taken]
    assert ids[0] == ids[1] == f"<{a_notice().id}@trial.example>"
    assert ids[2] != ids[0]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_it_logs_in_over_an_encrypted_connection(security: Security, trust: Trust) -> None:
    async with post_office(Post(), trust=trust, implicit=security is Security.TLS, login=True) as post:
        await notifier(post.server(security, login=True), trust).send(a_notice())
    assert post.logins == [USER.encode()]
    assert len(post.taken) == 1


async def test_starttls_encrypts(trust: Trust) -> None:
    async with post_office(Post(), trust=trust) as post:
        await notifier(post.server(Security.STARTTLS), trust).send(a_notice())
    assert post.encrypted == [True]


async def test_without_encryption_nothing_is_sent_unless_it_was_asked_for() -> None:
    async with post_office(Post()) as post:
        found = await undelivered(notifier(post.server(Security.STARTTLS)))
    assert found[:2] == (False, True)
    assert post.taken == []


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_server_whose_certificate_is_not_trusted_gets_nothing(security: Security, trust: Trust) -> None:
    async with post_office(Post(), trust=trust, implicit=security is Security.TLS, login=True) as post:
        found = await undelivered(notifier(post.server(security, login=True)))
    assert found == (False, True, "The mail server's certificate is not trusted.")
    assert (post.taken, post.logins) == ([], [])


async def test_a_wrong_login_is_a_matter_for_a_person(trust: Trust) -> None:
    async with post_office(Post(), trust=trust, login=True) as post:
        server = post.server(Security.STARTTLS, login=True, password="wrong-planted")
        retryable, whole, said = await undelivered(notifier(server, trust))
    assert (retryable, whole) == (False, True)
    assert "planted" not in said


async def test_a_server_that_is_away_is_tried_again() -> None:
    found = await undelivered(notifier(MailServer("127.0.0.1", free_port(), Security.PLAIN)))
    assert found[:2] == (True, True)


async def test_a_server_that_says_nothing_is_left_after_a_while() -> None:
    with silent_port() as port:
        before = time.monotonic()
        found = await undelivered(notifier(MailServer("127.0.0.1", port, Security.PLAIN), timeout=0.2))
    assert found[:2] == (True, True)
    assert time.monotonic() - before < 3


async def test_a_server_that_never_says_whether_it_took_the_message_is_asked_again_under_the_same_id() -> None:
    async def never() -> str:
        await asyncio.sleep(1)
        return "250 OK"

    post = Post(data=never)
    async with post_office(post):
        to = notifier(post.server(), timeout=0.2)
        assert (await undelivered(to))[:2] == (True, True)
        post.data = None
        await to.send(a_notice())
    ((_, message),) = post.taken
    assert message["Message-ID"] == f"<{a_notice().id}@trial.example>"


@pytest.mark.parametrize(
    ("answer", "retryable", "whole"),
    [("451 try again", True, True), ("452 no room", True, True), ("554 refused", False, False)],
)
async def test_the_answer_to_the_message_says_whether_to_try_again(answer: str, retryable: bool, whole: bool) -> None:
    async def said() -> str:
        return answer

    async with post_office(Post(data=said)) as post:
        found = await undelivered(notifier(post.server()))
    assert found == (retryable, whole, f"The mail server answered {answer[:3]}.")


async def test_who_was_put_off_is_tried_again_alone() -> None:
    post = Post(recipient=lambda address: "450 greylisted" if address.startswith("deputy") else "250 OK")
    async with post_office(post):
        to = notifier(post.server())
        assert (await undelivered(to))[:2] == (True, False)
        assert (await undelivered(to))[:2] == (True, False)
        post.recipient = lambda address: "250 OK"
        await to.send(a_notice())
    assert [recipients for recipients, _ in post.taken] == [["officer@trial.example"], ["deputy@trial.example"]]
    assert len({message["Message-ID"] for _, message in post.taken}) == 1


async def test_who_is_refused_for_good_does_not_keep_the_others_from_counting(caplog: pytest.LogCaptureFixture) -> None:
    before = REGISTRY.get_sample_value("hepatrail_notice_recipients_refused_total") or 0.0
    post = Post(recipient=lambda address: "550 unknown" if address.startswith("deputy") else "250 OK")
    async with post_office(post):
        with caplog.at_level(logging.ERROR):
            await notifier(post.server()).send(a_notice())
    assert [recipients for recipients, _ in post.taken] == [["officer@trial.example"]]
    assert REGISTRY.get_sample_value("hepatrail_notice_recipients_refused_total") == before + 1
    assert "1 recipients were refused (550)" in caplog.text
    assert "trial.example" not in caplog.text


async def test_when_all_are_refused_nothing_counts_as_delivered() -> None:
    async with post_office(Post(recipient=lambda address: "550 unknown")) as post:
        found = await undelivered(notifier(post.server()))
    assert found == (False, False, "2 recipients were refused (550).")


async def test_an_audience_without_an_address_is_not_told() -> None:
    to = notifier(MailServer("127.0.0.1", 25, Security.PLAIN))
    assert to.tells(Audience.ALERT)
    assert not to.tells(Audience.LEVEL_3)


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587, Security.STARTTLS)),
        ("smtps://mail.example", MailServer("mail.example", 465, Security.TLS)),
        ("smtp+plain://localhost", MailServer("localhost", 25, Security.PLAIN)),
        ("smtp://u%40x:p%3Aw@mail.example:2525", MailServer("mail.example", 2525, Security.STARTTLS, "u@x", "p:w")),
    ],
)
def test_the_address_of_a_mail_server_says_how_to_speak_to_it(address: str, server: MailServer) -> None:
    assert mail_server(address) == server


@pytest.mark.parametrize(
    "address",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:planted",
        "smtp://user-planted@mail.example",
        "smtp+plain://user:planted@mail.example",
        "smtp://mail.example/planted",
    ],
)
def test_any_other_address_is_refused_and_not_quoted(address: str) -> None:
    with pytest.raises(StartRefused) as refused:
        mail_server(address)
    assert "planted" not in str(refused.value)


def test_a_password_does_not_show() -> None:
    assert "planted" not in repr(mail_server("smtp://user:planted@mail.example"))
