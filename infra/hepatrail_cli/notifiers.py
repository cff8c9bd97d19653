"""The channels on which this study tells people, from the settings: none by default."""

import logging
from collections.abc import Mapping

from hepatrail_events.errors import StartRefused
from hepatrail_infra.settings import Settings, need, secret
from hepatrail_services.notifying.notice import Audience
from hepatrail_services.notifying.notifier import Notifier
from hepatrail_services.notifying.smtp import SmtpNotifier, mail_server
from hepatrail_services.notifying.webhook import WebhookNotifier

_log = logging.getLogger(__name__)


def make_notifiers(settings: Settings) -> tuple[Notifier, ...]:
    """Those that are switched on; StartRefused when one is switched on by halves."""
    found: list[Notifier] = []
    if settings.notify_smtp is not None:
        found.append(_mail(settings, settings.notify_smtp.get_secret_value()))
    if settings.notify_webhook is not None:
        key = secret(settings.notify_webhook_secret, "notify_webhook_secret")
        found.append(WebhookNotifier(settings.notify_webhook.get_secret_value(), key))
    return tuple(found)


def recipients(settings: Settings) -> Mapping[Audience, tuple[str, ...]]:
    """The addresses of every audience (`safety.md` 6.3, escalation), each once."""
    officers = settings.notify_officers
    found = {
        Audience.ALERT: officers,
        Audience.LEVEL_1: (*officers, *settings.notify_investigator),
        Audience.LEVEL_2: settings.notify_monitor,
        Audience.LEVEL_3: settings.notify_board,
        Audience.OUTAGE: (*officers, *settings.notify_operators),
    }
    return {audience: tuple(dict.fromkeys(addresses)) for audience, addresses in found.items()}


def _mail(settings: Settings, address: str) -> Notifier:
    if not settings.notify_officers:
        raise StartRefused("HEPATRAIL_NOTIFY_OFFICERS is not set: nobody would be mailed of an alert.")
    found = recipients(settings)
    for audience in (each for each in Audience if not found[each]):
        _log.warning("nobody is mailed of %s: no address is set", audience)
    return SmtpNotifier(mail_server(address), need(settings.notify_sender, "notify_sender"), found)
