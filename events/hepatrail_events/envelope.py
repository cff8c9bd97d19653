"""The envelope: CloudEvents 1.0, structured mode, one JSON object a record (DESIGN section 2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.types import format_instant, parse_instant

CONTENT_TYPE: Final = "application/cloudevents+json"
GENESIS: Final = "0" * 64
"""prevhash of the first event of a stream."""

_PREFIX: Final = "hepatrail."
_SOURCE: Final = "/hepatrail/decider"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who, when and where of one event; ids, versions and actors live here, clinical times in the data."""

    id: UUID
    type: str
    version: int
    stream: str
    streamseq: int
    commitid: UUID
    commitindex: int
    commitsize: int
    prevhash: str
    receivedat: datetime
    recordedat: datetime
    actorid: str
    actorrole: str
    actororg: str
    producer: str
    studyseq: int
    protocolversion: str | None = None
    causationid: str | None = None
    correlationid: str | None = None
    traceparent: str | None = None

    def to_json(self, data: dict[str, Any]) -> dict[str, Any]:
        """The CloudEvents object with `data` inside; absent optional attributes are left out."""
        body: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": _SOURCE,
            "type": f"{_PREFIX}{self.type}.v{self.version}",
            "subject": self.stream,
            "datacontenttype": "application/json",
            "streamseq": self.streamseq,
            "commitid": str(self.commitid),
            "commitindex": self.commitindex,
            "commitsize": self.commitsize,
            "prevhash": self.prevhash,
            "receivedat": format_instant(self.receivedat),
            "recordedat": format_instant(self.recordedat),
            "actorid": self.actorid,
            "actorrole": self.actorrole,
            "actororg": self.actororg,
            "producer": self.producer,
            "studyseq": self.studyseq,
            "data": data,
        }
        for name in ("protocolversion", "causationid", "correlationid", "traceparent"):
            value = getattr(self, name)
            if value is not None:
                body[name] = value
        return body

    def headers(self) -> list[tuple[str, bytes]]:
        """The routing attributes as Kafka headers, so that a record can be placed without reading its value."""
        return [
            ("content-type", CONTENT_TYPE.encode()),
            ("ce_type", f"{_PREFIX}{self.type}.v{self.version}".encode()),
            ("ce_subject", self.stream.encode()),
            ("ce_streamseq", str(self.streamseq).encode()),
            ("ce_commitid", str(self.commitid).encode()),
            ("ce_commitindex", str(self.commitindex).encode()),
            ("ce_commitsize", str(self.commitsize).encode()),
        ]

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "Envelope":
        """Reads the attributes of a CloudEvents object; InvalidEnvelope names the attribute at fault."""
        if body.get("specversion") != "1.0":
            raise InvalidEnvelope("specversion must be 1.0")
        name, version = _type(text_of(body, "type"))
        return cls(
            id=_uuid(body, "id"),
            type=name,
            version=version,
            stream=text_of(body, "subject"),
            streamseq=_count(body, "streamseq", 1),
            commitid=_uuid(body, "commitid"),
            commitindex=_count(body, "commitindex", 0),
            commitsize=_count(body, "commitsize", 1),
            prevhash=text_of(body, "prevhash"),
            receivedat=_instant(body, "receivedat"),
            recordedat=_instant(body, "recordedat"),
            actorid=text_of(body, "actorid"),
            actorrole=text_of(body, "actorrole"),
            actororg=text_of(body, "actororg"),
            producer=text_of(body, "producer"),
            studyseq=_count(body, "studyseq", 0),
            protocolversion=_optional(body, "protocolversion"),
            causationid=_optional(body, "causationid"),
            correlationid=_optional(body, "correlationid"),
            traceparent=_optional(body, "traceparent"),
        )


def _type(text: str) -> tuple[str, int]:
    name, _, version = text.removeprefix(_PREFIX).rpartition(".v")
    if not text.startswith(_PREFIX) or not name or not version.isascii() or not version.isdigit():
        raise InvalidEnvelope(f"type {text[:80]!r} is not of the form hepatrail.<Name>.v<integer>")
    return name, int(version)


def text_of(body: dict[str, Any], name: str) -> str:
    """An attribute that must be there and be text; InvalidEnvelope otherwise."""
    value = body.get(name)
    if not isinstance(value, str):
        raise InvalidEnvelope(f"{name} must be text")
    return value


def _optional(body: dict[str, Any], name: str) -> str | None:
    return text_of(body, name) if name in body else None


def _count(body: dict[str, Any], name: str, least: int) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidEnvelope(f"{name} must be an integer of at least {least}")
    return value


def _uuid(body: dict[str, Any], name: str) -> UUID:
    try:
        return UUID(text_of(body, name))
    except ValueError:
        raise InvalidEnvelope(f"{name} must be a UUID") from None


def _instant(body: dict[str, Any], name: str) -> datetime:
    try:
        return parse_instant(text_of(body, name))
    except ValueError:
        raise InvalidEnvelope(f"{name} must be an RFC 3339 instant") from None
