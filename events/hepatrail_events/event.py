"""The base of all events."""

from typing import Any, ClassVar, Self

from pydantic import ValidationError

from hepatrail_events.errors import InvalidPayload
from hepatrail_events.types import Fact


class Event(Fact):
    """A fact of the trial, in the past tense; VERSION rises when its shape changes, with an upcaster."""

    VERSION: ClassVar[int] = 1

    @classmethod
    def type_name(cls) -> str:
        """The event's name in the log, which is the class's."""
        return cls.__name__

    @classmethod
    def from_payload(cls, data: Any) -> Self:
        """Reads the current version's payload; InvalidPayload names the first field that does not fit."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "data"
            raise InvalidPayload(f"{cls.__name__}: {where}: {first['msg']}") from None
