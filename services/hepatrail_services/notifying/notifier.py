"""The port of all notifiers, and what a delivery that failed says about the next one."""

import ssl
from typing import Protocol

from hepatrail_events.errors import HepatrailError
from hepatrail_events.safety_desk import NotificationChannel
from hepatrail_services.notifying.notice import Audience, Notice


class Undelivered(HepatrailError):
    """A notice was not delivered, or nobody knows whether it was. The message holds no address and no secret.

    `retryable`: trying again soon may help; otherwise a person must mend something. `whole`: no other notice would
    fare better, so that the channel waits; otherwise only this one does. `after`: the seconds that the other side asks
    to be left alone, if it does.
    """

    def __init__(self, message: str, *, retryable: bool, whole: bool = True, after: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.whole = whole
        self.after = after


class Notifier(Protocol):
    """A way to tell people or programs; `smtp.SmtpNotifier` and `webhook.WebhookNotifier` are two."""

    @property
    def channel(self) -> NotificationChannel:
        """The way, as the desk records it."""
        ...

    def tells(self, audience: Audience, /) -> bool:
        """Whether anybody of this audience is reached on it."""
        ...

    async def send(self, notice: Notice) -> None:
        """Returns when the other side has taken the notice over; Undelivered otherwise.

        May be called again for the same notice: the other side knows a repeat by its id.
        """
        ...


def distrusted(error: BaseException) -> bool:
    """Whether a connection failed because the other side's certificate is not trusted: a person must mend that."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None
