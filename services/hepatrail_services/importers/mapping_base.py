"""What the tables of a mapping file have in common."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hepatrail_events.types import Code, Label, SiteId


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is no IANA time zone") from None
    return name


def _clock(text: str) -> str:
    time.fromisoformat(text)
    return text


ZoneName = Annotated[str, AfterValidator(_zone)]
CivilTime = Annotated[str, Field(pattern=r"^\d\d:\d\d$"), AfterValidator(_clock)]


class Table(BaseModel):
    """A table of the mapping file: frozen, an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sites(Table):
    """Sites that the import may activate."""

    activate: bool = False
    ids: tuple[SiteId, ...] = ()
    approval_ref: Label


class MappedTest(Table):
    """A test code of the source: its code here, the category it must have, its own unit names."""

    code: Code
    category: str | None = None
    units: Mapping[str, str] = Field(default_factory=dict)
