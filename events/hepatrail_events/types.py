"""The kinds of value that a fact is made of (`events.md` section 1)."""

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.streams import SUBJECT_ID_PATTERN

_YEAR = r"(?:19|2[01])\d\d"
"""Years that a clinical time can have: a mistyped year is refused, and calendar arithmetic stays within its bounds."""
_RFC3339 = re.compile(rf"^{_YEAR}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{{1,9}})?([Zz]|[+-]\d\d:\d\d)$", re.ASCII)


def parse_instant(value: Any) -> datetime:
    """RFC 3339 text, or an aware datetime, as UTC cut to milliseconds; ValueError otherwise."""
    if isinstance(value, str):
        if not _RFC3339.match(value):
            raise ValueError("must be an RFC 3339 instant with a zone, as 2026-03-10T08:30:00.000Z")
        value = datetime.fromisoformat(value.upper())
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("must be an RFC 3339 instant with a zone, as 2026-03-10T08:30:00.000Z")
    utc = value.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def format_instant(value: datetime) -> str:
    """`2026-03-10T08:30:00.000Z`: UTC, always milliseconds, so that texts sort as times do."""
    return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    PlainSerializer(format_instant, return_type=str),
    Field(description="RFC 3339, UTC, milliseconds"),
]

DECIMAL_PATTERN = r"^-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?$"
DecimalText = Annotated[str, Field(pattern=DECIMAL_PATTERN, description="Exact decimal text as reported")]
Kilograms = Annotated[str, Field(pattern=DECIMAL_PATTERN, description="Body weight in kg")]
Centimetres = Annotated[str, Field(pattern=DECIMAL_PATTERN, description="Body height in cm")]
Percent = Annotated[str, Field(pattern=DECIMAL_PATTERN, description="Percentage, 0 to 100")]
MillilitresPerMinute = Annotated[str, Field(pattern=DECIMAL_PATTERN, description="Flow in mL/min")]
CellCount = Annotated[int, Field(gt=0, le=2**53 - 1, description="Number of viable hepatocytes")]
SubjectId = Annotated[str, Field(pattern=SUBJECT_ID_PATTERN, description="Pseudonym of the participant")]
SiteId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$", description="Site of the trial")]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,60}$", description="Code of a list")]
Label = Annotated[str, Field(min_length=1, max_length=200, description="Short identifying text, no patient data")]
Grade = Annotated[int, Field(ge=1, le=5, description="CTCAE v5.0 grade")]


class Fact(BaseModel):
    """Base of everything that is written to the log: frozen, no unknown fields, camelCase outside."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    def payload(self) -> dict[str, Any]:
        """The JSON value of this object; absent optional fields are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


FactType = TypeVar("FactType", bound=Fact)


def read_fact(kind: type[FactType], body: dict[str, Any]) -> FactType:
    """Reads a record of the log that is no event; InvalidEnvelope names the first field that does not fit."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidEnvelope(f"{kind.__name__}: {where}: {first['msg']}") from None


class SealedText(Fact):
    """Free text under a subject's key: AES-256-SIV (RFC 5297), associated data `kid`, `cid`, `path`.

    The three travel with the ciphertext so that a copy of it, in an alert for example, still opens.
    """

    kid: str = Field(description="Key of the subject", max_length=64)
    cid: str = Field(description="Id of the command that carried the text", max_length=36)
    path: str = Field(description="Field of the command's input", max_length=120)
    ct: str = Field(description="Ciphertext, base64", max_length=40_000)


class Precision(StrEnum):
    """How much of a date is known."""

    MINUTE = "MINUTE"
    DAY = "DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"
    UNKNOWN = "UNKNOWN"


_PARTIAL = {
    Precision.MINUTE: (re.compile(rf"^{_YEAR}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\dZ$", re.ASCII), "2026-03-10T08:30Z", ""),
    Precision.DAY: (re.compile(rf"^{_YEAR}-\d\d-\d\d$", re.ASCII), "2026-03-10", ""),
    Precision.MONTH: (re.compile(rf"^{_YEAR}-\d\d$", re.ASCII), "2026-03", "-01"),
    Precision.YEAR: (re.compile(rf"^{_YEAR}$", re.ASCII), "2026", "-01-01"),
}
"""What a value looks like, an example, and what makes it a whole date."""


class PartialDate(Fact):
    """A date as far as it is known; a missing part is never filled in.

    MINUTE is `2026-03-10T08:30Z` (UTC); DAY, MONTH and YEAR are civil dates of the site.
    """

    value: str | None = Field(default=None, description="The date as far as it is known; absent when UNKNOWN")
    precision: Precision = Field(description="How much of the date is known")

    @model_validator(mode="after")
    def _matches_its_precision(self) -> "PartialDate":
        if self.precision is Precision.UNKNOWN:
            if self.value is not None:
                raise ValueError("value must be absent when precision is UNKNOWN")
            return self
        pattern, example, rest = _PARTIAL[self.precision]
        if self.value is None or not pattern.match(self.value):
            raise ValueError(f"value must look like {example} when precision is {self.precision}")
        datetime.fromisoformat(self.value + rest)
        return self

    @property
    def instant(self) -> datetime | None:
        """The instant, when the minute is known."""
        if self.precision is not Precision.MINUTE or self.value is None:
            return None
        return datetime.fromisoformat(self.value)

    @property
    def day(self) -> date | None:
        """The civil date at the site, when exactly a day is known."""
        if self.precision is not Precision.DAY or self.value is None:
            return None
        return date.fromisoformat(self.value)


_DATE = re.compile(rf"^{_YEAR}-\d\d-\d\d$", re.ASCII)


def instant_or_date(value: Any) -> Any:
    """Accepts an instant or a civil date; a bare date stays a date."""
    if isinstance(value, str) and _DATE.match(value):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return parse_instant(value)


def format_instant_or_date(value: datetime | date) -> str:
    """The text of an instant or of a civil date."""
    return format_instant(value) if isinstance(value, datetime) else value.isoformat()


InstantOrDate = Annotated[
    datetime | date,
    BeforeValidator(instant_or_date),
    PlainSerializer(format_instant_or_date, return_type=str),
    Field(description="An instant (RFC 3339, UTC, ms) or, when only the day is known, a civil date of the site"),
]
