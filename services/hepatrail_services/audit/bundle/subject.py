"""Which events a participant's bundle holds: those of the stream, of study and safety desk what is about nobody else.

Of the desk those that name the participant, or an alert about the participant; of the study all but those that name
another one, or a hold of another one. The rest stays out, so that nobody else's pseudonym leaves with the bundle.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hepatrail_events.codec import parse_object
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream

_STREAM: Final = re.compile(r"\bsubject-([A-Za-z0-9-]+)")
_REFERENCES: Final = ("alertId", "holdId", "hitId")


@dataclass(slots=True)
class Choice:
    """Looks at the events of study and desk in their order; `others` are the pseudonyms of all other participants."""

    subject_id: str
    others: frozenset[str]
    _mine: set[str] = field(default_factory=set)
    _theirs: set[str] = field(default_factory=set)

    def takes(self, stream: str, value: bytes) -> bool:
        """Whether an event of a stream belongs into the bundle."""
        if stream == subject_stream(self.subject_id):
            return True
        if stream not in (STUDY, SAFETY_DESK):
            return False
        try:
            data = parse_object(value).get("data")
        except InvalidMessage:
            return False
        named, references = set(_texts(data)), _references(data)
        about_others = bool(self.others & _subjects(named)) or bool(references & self._theirs)
        about_me = self.subject_id in named or bool(references & self._mine)
        (self._theirs if about_others else self._mine if about_me else set()).update(references)
        return not about_others and (about_me or stream == STUDY)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _subjects(texts: set[str]) -> set[str]:
    """The pseudonyms that texts are or, as the name of a stream, contain."""
    return texts | {found for text in texts for found in _STREAM.findall(text)}


def _references(data: Any) -> set[str]:
    return {data[name] for name in _REFERENCES if isinstance(data.get(name), str)} if isinstance(data, dict) else set()
