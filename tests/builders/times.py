"""Times around NOW, the moment at which specifications decide."""

from datetime import UTC, datetime, timedelta

from hepatrail_events.types import format_instant

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
"""10:00 on 20 March 2026 at the site."""


def at(**before: float) -> datetime:
    """The instant so long before NOW: `at(hours=3)`."""
    return NOW - timedelta(**before)


def iso(**before: float) -> str:
    """The text of `at`."""
    return format_instant(at(**before))


def day(text: str) -> dict[str, str]:
    """A partial date of DAY precision."""
    return {"value": text, "precision": "DAY"}


def minute(**before: float) -> dict[str, str]:
    """A partial date of MINUTE precision, so long before NOW."""
    return {"value": f"{at(**before):%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}


UNKNOWN = {"precision": "UNKNOWN"}
