"""Streams and positions: one stream a subject, `safety-desk`, `study`."""

import re
from typing import NamedTuple

from hepatrail_events.errors import InvalidEnvelope

STUDY = "study"
SAFETY_DESK = "safety-desk"
NEVER_PARKED = frozenset({STUDY, SAFETY_DESK})
"""Streams whose readers halt instead of parking: without them nothing can be decided safely."""

_SUBJECT = "subject-"
SUBJECT_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9-]{1,39}$"
"""A pseudonym: letters, digits and hyphens. It names a key, a topic record and log lines, so nothing else."""
_SUBJECT_ID = re.compile(SUBJECT_ID_PATTERN)


def subject_stream(subject_id: str) -> str:
    """The stream of a subject; ValueError when the id is no pseudonym."""
    if not _SUBJECT_ID.fullmatch(subject_id):
        raise ValueError("subjectId must be 2 to 40 letters, digits or hyphens")
    return _SUBJECT + subject_id


def subject_of(stream: str) -> str | None:
    """The subject of a stream, None for `study` and `safety-desk`."""
    return stream.removeprefix(_SUBJECT) if stream.startswith(_SUBJECT) else None


def is_stream(name: str) -> bool:
    """Whether this is the name of a stream that can exist."""
    subject = subject_of(name)
    return name in NEVER_PARKED or (subject is not None and bool(_SUBJECT_ID.fullmatch(subject)))


class Position(NamedTuple):
    """`<stream>@<version>`: the place in a stream up to which somebody wants to read."""

    stream: str
    version: int

    def __str__(self) -> str:
        return f"{self.stream}@{self.version}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Reads `<stream>@<version>`; InvalidEnvelope when it is not one."""
        stream, _, version = text.rpartition("@")
        if not is_stream(stream) or not version.isascii() or not version.isdigit() or len(version) > 15:
            raise InvalidEnvelope(f"{text[:80]!r} is not a position of the form <stream>@<version>")
        return cls(stream, int(version))
