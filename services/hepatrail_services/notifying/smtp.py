"""Notices by e-mail (RFC 5321): one message to all of an audience, over TLS.

A recipient who was put off (greylisting) is tried again alone. One who is refused for good does not keep the others'
delivery from counting; that it happened is logged and counted.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib

from hepatrail_events.errors import StartRefused
from hepatrail_events.safety_desk import NotificationChannel
from hepatrail_infra.clock import Clock, SystemClock
from hepatrail_infra.telemetry import counter
from hepatrail_services.notifying.notice import Audience, Notice
from hepatrail_services.notifying.notifier import Undelivered, distrusted

_log = logging.getLogger(__name__)
_PERMANENT = 500
_FAREWELL_SECONDS = 2.0

RECIPIENTS_REFUSED = counter("notice_recipients_refused", "Recipients whom a mail server would not take for good")


class Security(StrEnum):
    """How a connection is encrypted, by the scheme of the server's address."""

    STARTTLS = "smtp"
    TLS = "smtps"
    PLAIN = "smtp+plain"
    """Not at all: a relay on the same machine. Without a login."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def mail_server(address: str) -> MailServer:
    """Reads `smtp[s]://[user:password@]host[:port]`, or `smtp+plain://host[:port]`; StartRefused for anything else."""
    try:
        parts = urlsplit(address)
        security, port = Security(parts.scheme), parts.port
    except ValueError:
        raise StartRefused("The mail server must be given as smtp://, smtps:// or smtp+plain://host:port.") from None
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise StartRefused("The mail server's address must hold a host, and nothing behind the port.")
    if (parts.username is None) != (parts.password is None):
        raise StartRefused("The mail server's address must hold both user and password, or neither.")
    if security is Security.PLAIN and parts.username is not None:
        raise StartRefused("A password is not sent to a mail server without encryption.")
    default = {Security.STARTTLS: 587, Security.TLS: 465, Security.PLAIN: 25}[security]
    return MailServer(
        parts.hostname,
        port or default,
        security,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


class SmtpNotifier:
    """Mails notices. `recipients` are plain addresses; an audience without any is not told on this channel."""

    channel = NotificationChannel.EMAIL

    def __init__(
        self,
        server: MailServer,
        sender: str,
        recipients: Mapping[Audience, Sequence[str]],
        *,
        clock: Clock | None = None,
        trust: ssl.SSLContext | None = None,
        timeout: float = 10.0,
    ) -> None:
        """`timeout` are the seconds for each step with the server; three times as many are the most for a message.

        The clock is the machine's, whatever the trial's is: mail is dated where it is read.
        """
        self._server = server
        self._sender = sender
        self._recipients = recipients
        self._clock = clock or SystemClock()
        self._trust = trust or ssl.create_default_context()
        self._timeout = timeout
        self._reached: dict[UUID, frozenset[str]] = {}

    def tells(self, audience: Audience, /) -> bool:
        """Whether anybody of this audience has an address."""
        return bool(self._recipients.get(audience))

    async def send(self, notice: Notice) -> None:
        """Hands the message over for all who do not have it yet; Undelivered while somebody may still get it."""
        reached = self._reached.get(notice.id, frozenset())
        waiting = [each for each in self._recipients[notice.audience] if each not in reached]
        refused = await self._hand_over(notice, waiting)
        reached = self._reached[notice.id] = reached | (set(waiting) - refused.keys())
        if any(code < _PERMANENT for code in refused.values()):
            raise Undelivered(_told(refused, "put off"), retryable=True, whole=False)
        if not reached:
            raise Undelivered(_told(refused, "refused"), retryable=False, whole=False)
        if refused:
            RECIPIENTS_REFUSED.inc(len(refused))
            _log.error("a notice went out without some: %s", _told(refused, "refused"))
        del self._reached[notice.id]

    async def _hand_over(self, notice: Notice, recipients: Sequence[str]) -> Mapping[str, int]:
        """Those whom the server did not take, with its codes."""
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.username,
            password=self._server.password,
            use_tls=self._server.security is Security.TLS,
            start_tls=self._server.security is Security.STARTTLS,
            tls_context=self._trust,
            timeout=self._timeout,
        )
        try:
            async with asyncio.timeout(3 * self._timeout):
                await client.connect()
                refused, _ = await client.send_message(
                    self._message(notice), sender=self._sender, recipients=list(recipients)
                )
            # The message is theirs already, however the farewell goes.
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_FAREWELL_SECONDS)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return {each.recipient: each.code for each in error.recipients}
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _undelivered(error) from error
        finally:
            client.close()
        return {address: answer.code for address, answer in refused.items()}

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = ", ".join(self._recipients[notice.audience])
        message["Subject"] = notice.title
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{notice.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notice.text)
        return message


def _undelivered(error: aiosmtplib.SMTPException | OSError) -> Undelivered:
    """What a failed conversation means: who answered 5xx, or cannot encrypt or log in, must be mended by a person."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        permanent = error.code >= _PERMANENT
        this_one = permanent and isinstance(error, aiosmtplib.SMTPDataError)
        return Undelivered(f"The mail server answered {error.code}.", retryable=not permanent, whole=not this_one)
    if distrusted(error):
        return Undelivered("The mail server's certificate is not trusted.", retryable=False)
    if isinstance(error, OSError):
        return Undelivered(f"The mail server is away: {type(error).__name__}.", retryable=True)
    return Undelivered("The mail server cannot do what is needed: encryption or login.", retryable=False)


def _told(refused: Mapping[str, int], what: str) -> str:
    codes = ", ".join(sorted({str(code) for code in refused.values()}))
    return f"{len(refused)} recipients were {what} ({codes})."
