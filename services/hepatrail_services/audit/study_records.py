"""What the study's stream says about the log itself: its beginning, and the keys that may sign its seals."""

import base64
from typing import Final

from hepatrail_events.codec import parse_object
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import STUDY
from hepatrail_events.study import SealingKeyPublished
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import Record, read_to_end
from hepatrail_services.audit.study_keys import STUDY_PARTITION

STUDY_KEY: Final = STUDY.encode()
"""The key of the study's records."""
_TYPE = f"hepatrail.{SealingKeyPublished.type_name()}.v"
_KEY_BYTES = 32


def published_key(value: bytes) -> bytes | None:
    """The public key (32 bytes) that a record publishes; None for any other, also one that cannot be read.

    As the verifier does, it looks at nothing but type and key: whoever reads the log must find the same keys.
    """
    if _TYPE.encode() not in value:
        return None
    try:
        body = parse_object(value)
        public = base64.b64decode(body["data"]["publicKey"], validate=True)
    except (InvalidMessage, KeyError, TypeError, ValueError):
        return None
    return public if len(public) == _KEY_BYTES and str(body.get("type", "")).startswith(_TYPE) else None


async def published_keys(bootstrap: str) -> tuple[bytes, ...]:
    """All keys that the study has published, oldest first; raises Unavailable."""
    found: list[bytes] = []

    async def take(records: list[Record]) -> None:
        for record in records:
            public = published_key(record.value or b"") if record.key == STUDY_KEY else None
            if public is not None:
                found.append(public)

    await read_to_end(bootstrap, EVENTS, [STUDY_PARTITION], {}, take)
    return tuple(found)
