"""What payloads of every kind are made of: sealed text, and fields that may be left out."""

from typing import Any

from builders.ids import SUBJECT
from hepatrail_events.ids import derived_id
from hepatrail_events.types import SealedText


def sealed(path: str = "reason", subject: str = SUBJECT) -> dict[str, str]:
    """Sealed text under the subject's key, as it stands in a command or an event."""
    return {"kid": str(derived_id(subject, "key")), "cid": "c0", "path": path, "ct": "c2VhbGVk"}


def a_sealed(path: str = "reason", subject: str = SUBJECT) -> SealedText:
    """The same as an object."""
    return SealedText.model_validate(sealed(path, subject))


def stated(given: dict[str, Any]) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in given.items() if value is not None}
