"""Notices to a program: a signed HTTP request, as Standard Webhooks 1.0 describes it.

`webhook-id` is the notice's id, the same for every repeat; the signature is HMAC-SHA256 over id, time and body.
"""

import asyncio
import base64
import binascii
import ssl
from http import HTTPStatus

import httpx
import orjson
from standardwebhooks.webhooks import Webhook

from hepatrail_events.errors import StartRefused
from hepatrail_events.safety_desk import NotificationChannel
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import Clock, SystemClock
from hepatrail_services.notifying.notice import Audience, Notice
from hepatrail_services.notifying.notifier import Undelivered, distrusted

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)

_SOON = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Answers 4xx after which the same request may be taken."""
_THIS_ONE = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Answers 4xx about what was sent; any other is about the address or the secret."""


class WebhookNotifier:
    """Posts every notice to one address."""

    channel = NotificationChannel.WEBHOOK

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        clock: Clock | None = None,
        trust: ssl.SSLContext | None = None,
        timeout: float = 10.0,
    ) -> None:
        """`secret` is `whsec_` and 24 to 64 bytes in base64; `timeout` are the seconds until an answer must be there.

        Raises StartRefused unless the address is https, or http on this machine. The clock is the machine's, whatever
        the trial's is: the other side refuses a signature that is not of the last minutes.
        """
        self._url = _address(url)
        self._signer = Webhook(_key(secret))
        self._clock = clock or SystemClock()
        self._trust = trust or ssl.create_default_context()
        self._timeout = timeout

    def tells(self, _audience: Audience, /) -> bool:
        """Everybody: the program behind it decides whom it calls."""
        return True

    async def send(self, notice: Notice) -> None:
        """Returns when the other side answered 2xx; Undelivered otherwise."""
        try:
            async with (
                asyncio.timeout(self._timeout),
                httpx.AsyncClient(verify=self._trust, timeout=self._timeout, follow_redirects=False) as client,
                # The answer's body is nobody's business, however long it is.
                client.stream("POST", self._url, content=_body(notice), headers=self._headers(notice)) as answer,
            ):
                status, after = answer.status_code, answer.headers.get("retry-after", "")
        except (httpx.HTTPError, OSError) as error:
            if distrusted(error):
                raise Undelivered("The webhook's certificate is not trusted.", retryable=False) from error
            raise Undelivered(f"The webhook is away: {type(error).__name__}.", retryable=True) from error
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise _undelivered(status, after)

    def _headers(self, notice: Notice) -> dict[str, str]:
        now, name = self._clock.now(), str(notice.id)
        return {
            "content-type": "application/json",
            "user-agent": "hepatrail",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(name, now, _body(notice).decode()),
        }


def _body(notice: Notice) -> bytes:
    return orjson.dumps({"type": notice.kind, "timestamp": format_instant(notice.at), "data": dict(notice.data)})


def _undelivered(status: int, after: str) -> Undelivered:
    """What an answer means: 5xx may pass, a redirection or 4xx must be mended by a person."""
    seconds = float(after) if after.isascii() and after.isdigit() else None
    retryable = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _SOON
    return Undelivered(
        f"The webhook answered {status}.", retryable=retryable, whole=status not in _THIS_ONE, after=seconds
    )


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        raise StartRefused("The webhook's address cannot be read.") from None
    if not address.host or not (address.scheme == "https" or (address.scheme == "http" and address.host in _LOOPBACK)):
        raise StartRefused("A webhook must have an https address.")
    return address


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True) if secret.startswith(_PREFIX) else b""
    except binascii.Error:
        key = b""
    if len(key) not in _KEY_BYTES:
        raise StartRefused("The webhook's secret must be whsec_ and 24 to 64 bytes in base64.")
    return key
