"""The keys that the study has named for its seals, and where in the study's tree it named them."""

import base64
from dataclasses import dataclass, field
from typing import NamedTuple

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import STUDY
from hepatrail_events.study import SealingKeyPublished
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.problems import Problems
from hepatrail_services.audit.readable import readable_rows
from hepatrail_services.audit.source import LogSource

STUDY_PARTITION = partition_of(STUDY)

_TYPE = SealingKeyPublished.type_name()
_MARK = f'"hepatrail.{_TYPE}.v'.encode()
_STUDY_KEY = STUDY.encode()


class StudyKey(NamedTuple):
    """A public key, and the leaf of the event that names it in the tree of the study's partition."""

    leaf: int
    public: bytes
    event_id: str


@dataclass
class StudyKeys:
    """Read from the log as far as seals ask for it; the events themselves are verified with all others.

    `genesis` is the SHA-256 of the study's first event, None while there is none.
    """

    source: LogSource
    keys: list[StudyKey] = field(default_factory=list)
    genesis: str | None = None
    leaves: int = 0
    _next: int | None = None

    async def read_on(self) -> None:
        """Reads the study's partition from where it stopped to its present end; raises Unavailable."""
        # What is unreadable there is named when the events are read.
        async for rows in readable_rows(self.source, EVENTS, STUDY_PARTITION, Problems(), self._next):
            for offset, key, value in rows:
                if key == _STUDY_KEY and value is not None:
                    if self.genesis is None:
                        self.genesis = sha256_hex(value)
                    if _MARK in value:
                        self._take(value)
                self.leaves += 1
                self._next = offset + 1

    def covered(self, size: int) -> list[StudyKey]:
        """The keys that the first `size` events of the partition name, in their order."""
        return [key for key in self.keys if key.leaf < size]

    def _take(self, value: bytes) -> None:
        try:
            body = parse_object(value)
            public = base64.b64decode(body["data"]["publicKey"], validate=True)
        except (InvalidMessage, KeyError, TypeError, ValueError):
            return
        if str(body.get("type", "")).startswith(f"hepatrail.{_TYPE}.v") and len(public) == 32:
            self.keys.append(StudyKey(self.leaves, public, str(body.get("id"))))
