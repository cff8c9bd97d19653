"""The protocol: everything the domain reference calls configurable, as one versioned document.

Published whole on the `study` stream; every process takes it from the log, never from a file.
"""

import tomllib
from importlib.resources import files
from typing import Annotated, Literal, Self

import orjson
from pydantic import Field, ValidationError

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.protocol_rules import EndpointRules, RsiVersion, SafetyRules, ScoreRules, VisitRules
from hepatrail_events.types import DecimalText, Fact, Label

Days = Annotated[int, Field(ge=-400, le=400)]
Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 31)]


class Point(Fact):
    """One of the time points of `visits.md` section 1.

    `instant` points count minutes after the anchor; `date` points days (or months) after the anchor's civil date,
    with the earliest and latest day around the target.
    """

    code: Label
    kind: Literal["pre", "instant", "date"]
    target_minutes: Minutes | None = None
    earliest_minutes: Minutes | None = None
    latest_minutes: Minutes | None = None
    target_days: Days | None = None
    target_months: Annotated[int, Field(ge=1, le=60)] | None = None
    days_before: Annotated[int, Field(ge=0, le=60)] = 0
    days_after: Annotated[int, Field(ge=0, le=60)] = 0
    ae: bool = False
    surv: bool = False
    score_spread_minutes: Minutes


class Escalation(Fact):
    """Minutes from `raisedAt` to the three levels."""

    priority: Literal["P1", "P2", "P3"]
    minutes: tuple[Minutes, ...]


class Protocol(Fact):
    """The content of one protocol version."""

    trial: Label
    title: Annotated[str, Field(max_length=500)]
    site_zone: Label = Field(description="IANA time zone of the sites")
    planned_n: Annotated[int, Field(ge=1)]
    cells_per_kg: Annotated[int, Field(ge=1)]
    dose_tolerance: DecimalText
    session_hours_low: DecimalText
    session_hours_high: DecimalText
    weight_max_age_days: Annotated[int, Field(ge=1)]
    session_end_overdue_hours: Annotated[int, Field(ge=1)]
    anchor: Literal["FIRST_SESSION_END", "LAST_SESSION_END", "FIRST_SESSION_START"]
    baseline_lookback_days: Annotated[int, Field(ge=1)]
    baseline_spread_hours: Annotated[int, Field(ge=1)]
    laboratories: tuple[Label, ...] = Field(description="Allowed sources of laboratory results (DAT-02); empty: any")
    points: tuple[Point, ...]
    escalation: tuple[Escalation, ...]
    self_ack: bool
    visits: VisitRules = Field(default_factory=VisitRules)
    scores: ScoreRules = Field(default_factory=ScoreRules)
    safety: SafetyRules = Field(default_factory=SafetyRules)
    rsi: tuple[RsiVersion, ...] = Field(default=(), description="Versions of the reference safety information")
    endpoints: EndpointRules = Field(default_factory=EndpointRules)

    def content(self) -> str:
        """The canonical JSON that `ProtocolPublished.content` holds."""
        return canonical_json(self.payload()).decode()

    @classmethod
    def read(cls, content: str) -> Self:
        """Reads published content; InvalidPayload names the first field at fault."""
        try:
            return cls.model_validate(orjson.loads(content))
        except orjson.JSONDecodeError as error:
            raise InvalidPayload(f"content is no JSON: {error}") from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidPayload(f"content: {where}: {first['msg']}") from None


def content_hash(content: str) -> str:
    """The hash that is published with the content."""
    return sha256_hex(content.encode())


def shipped_protocol() -> Protocol:
    """CiPS-BAL as shipped with this version, the default that `hepatrail up` publishes on an empty study."""
    return Protocol.model_validate(tomllib.loads(files("hepatrail_events").joinpath("data/cips_bal.toml").read_text()))
