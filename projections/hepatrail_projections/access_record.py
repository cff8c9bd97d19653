"""`access_record`: the access log (AUD-07) as it was written; whoever reads it whole checks each instance's chain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.envelope import text_of
from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.types import parse_instant
from hepatrail_projections.table import MAX_BIGINT, Connection, Json, Table, to_json_text


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One record; `hash` is the SHA-256 of `raw` in hex, `detail` what else belongs to its kind."""

    kafka_offset: int
    instance: str
    seq: int
    hash: str
    at: datetime
    kind: str
    actor_id: str | None
    actor_role: str | None
    command: str | None
    code: str | None
    rule: str | None
    field: str | None
    body_hash: str | None
    detail: Json | None
    raw: bytes


ACCESS_RECORD = Table(
    "access_record",
    AccessRow,
    ("kafka_offset",),
    indexes=("(at, kafka_offset)",),
    append_only=True,
    digested=False,
    places=("kafka_offset",),
)


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """Which records are listed; None: any. `since` is inclusive, `until` exclusive."""

    kinds: frozenset[str] | None = None
    actor_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


ANY_ACCESS = AccessFilter()


def access_row(raw: bytes, offset: int) -> AccessRow:
    """The row of a record of `hepatrail.access`; NotJson or InvalidEnvelope when it is none.

    A kind or an attribute that this program does not know is no error: what was done must show all the same.
    """
    body = parse_object(raw)
    detail = body.get("detail")
    # Postgres keeps no NUL, neither in text nor in JSON.
    if "\\u0000" in to_json_text(body).replace("\\\\", ""):
        raise InvalidEnvelope("the record holds a NUL character")
    if detail is not None and not isinstance(detail, dict):
        raise InvalidEnvelope("detail must be an object")
    return AccessRow(
        kafka_offset=offset,
        instance=text_of(body, "instance"),
        seq=_seq(body),
        hash=sha256_hex(raw),
        at=_at(body),
        kind=text_of(body, "kind"),
        actor_id=_optional(body, "actorid"),
        actor_role=_optional(body, "actorrole"),
        command=_optional(body, "command"),
        code=_optional(body, "code"),
        rule=_optional(body, "rule"),
        field=_optional(body, "field"),
        body_hash=_optional(body, "bodyhash"),
        detail=detail,
        raw=raw,
    )


def _optional(body: dict[str, Any], name: str) -> str | None:
    return None if body.get(name) is None else text_of(body, name)


def _seq(body: dict[str, Any]) -> int:
    value = body.get("seq")
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_BIGINT:
        raise InvalidEnvelope("seq must be an integer of at least 1")
    return value


def _at(body: dict[str, Any]) -> datetime:
    try:
        return parse_instant(body.get("at"))
    except ValueError:
        raise InvalidEnvelope("at must be an RFC 3339 instant") from None


async def access_after(connection: Connection, after: int | None, chosen: AccessFilter, limit: int) -> list[AccessRow]:
    """Records behind an offset of the topic, in its order."""
    return await ACCESS_RECORD.where(
        connection,
        "($1::bigint IS NULL OR kafka_offset > $1) AND ($2::text[] IS NULL OR kind = ANY ($2)) "
        "AND ($3::text IS NULL OR actor_id = $3) AND ($4::timestamptz IS NULL OR at >= $4) "
        "AND ($5::timestamptz IS NULL OR at < $5)",
        after,
        None if chosen.kinds is None else sorted(chosen.kinds),
        chosen.actor_id,
        chosen.since,
        chosen.until,
        limit=limit,
    )
