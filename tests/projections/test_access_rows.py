"""The access log in the projections (AUD-07): every record as it was written, filtered and paged; nothing halts."""

import json
from datetime import timedelta
from typing import Any

import pytest

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import ACCESS
from hepatrail_projections.access_record import AccessFilter, access_row
from hepatrail_services.access_log import Access
from projection_log import BEGIN, LogRecord
from projection_tables import Sink, Tables
from seals import login


def at(offset: int, value: bytes | None) -> LogRecord:
    """It, at an offset of the topic."""
    return LogRecord(ACCESS, 0, offset, b"api-1", value)


REFUSED = login(
    2,
    Access.COMMAND_REFUSED,
    actorid="admin",
    actorrole="ADMIN",
    command="startSession",
    code="FORBIDDEN",
    rule="ACC-03",
    field="sessionId",
    bodyhash="ab" * 32,
)
READ = login(3, Access.TRAIL_READ, actorid="auditor", actorrole="AUDITOR", detail={"list": "events", "first": 10})


async def test_aud_07_every_record_has_a_row_as_it_was_written(tables: Tables) -> None:
    written = [login(1), REFUSED, READ]
    await tables.project([at(number, each.raw()) for number, each in enumerate(written)], size=2)
    first, refused, read = (await tables.reader.access(200)).items
    assert (first.kind, first.at, first.instance, first.seq) == ("LOGIN", BEGIN + timedelta(hours=1), "api-1", 1)
    assert (first.command, first.detail, first.body_hash) == (None, None, None)
    assert (refused.actor_id, refused.actor_role, refused.command) == ("admin", "ADMIN", "startSession")
    assert (refused.code, refused.rule, refused.field, refused.body_hash) == (
        "FORBIDDEN", "ACC-03", "sessionId", "ab" * 32,
    )  # fmt: skip
    assert read.detail == {"list": "events", "first": 10}
    assert [row.raw for row in (first, refused, read)] == [each.raw() for each in written]
    assert [row.hash for row in (first, refused, read)] == [sha256_hex(each.raw()) for each in written]


async def test_records_are_filtered_and_paged_in_the_order_of_the_topic(tables: Tables) -> None:
    written = [login(seq, Access.LOGIN if seq % 3 else Access.LOGOUT, actorid=f"u-{seq % 2}") for seq in range(1, 150)]
    await tables.project([at(2 * number, each.raw()) for number, each in enumerate(written)])
    reader = tables.reader

    async def listed(first: int, chosen: AccessFilter) -> list[int]:
        seen: list[Any] = []
        while True:
            page = await reader.access(first, seen[-1].kafka_offset if seen else None, chosen)
            seen += page.items
            if not page.has_next:
                return [row.seq for row in seen]

    for first in (1, 7, 200):
        assert await listed(first, AccessFilter()) == list(range(1, 150))
    assert await listed(50, AccessFilter(kinds=frozenset({"LOGOUT"}))) == list(range(3, 150, 3))
    assert await listed(50, AccessFilter(actor_id="u-0")) == list(range(2, 150, 2))
    since, until = BEGIN + timedelta(hours=10), BEGIN + timedelta(hours=20)
    assert await listed(50, AccessFilter(since=since, until=until)) == list(range(10, 20))


async def test_what_cannot_be_read_is_kept_in_quarantine_and_halts_nothing(tables: Tables) -> None:
    bad = [b"\xff"] * 8
    sink = Sink()
    engine = await tables.engine(sink)
    await engine.apply([*(at(number, value) for number, value in enumerate(bad)), at(9, login(1).raw())])
    await engine.close()
    assert [row.seq for row in (await tables.reader.access(9)).items] == [1]
    assert [(row.topic, row.code, row.stream) for row in await tables.reader.parked()] == [
        (ACCESS, "NOT_JSON", None)
    ] * 8
    assert len(sink.rows) == 8


def test_a_kind_and_an_attribute_of_a_newer_program_are_kept() -> None:
    body = login(4).payload() | {"kind": "SOMETHING_NEW", "place": "ward 3"}
    row = access_row(canonical_json(body), 5)
    assert (row.kind, row.kafka_offset, row.actor_id) == ("SOMETHING_NEW", 5, "dr-li")


def test_the_text_of_an_escaped_nul_is_no_nul() -> None:
    row = access_row(canonical_json(login(4).payload() | {"detail": {"a": "\\u0000"}}), 5)
    assert row.detail == {"a": "\\u0000"}


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 0},
        {"seq": "1"},
        {"seq": True},
        {"seq": 2**63},
        {"instance": None},
        {"kind": 7},
        {"at": "yesterday"},
        {"at": format_instant(BEGIN)[:-1]},
        {"detail": "text"},
        {"actorid": 5},
        {"field": "a\0b"},
        {"detail": {"a": ["\0"]}},
    ],
    ids=str,
)
def test_a_record_that_is_none_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage):
        access_row(json.dumps(login(1).payload() | changes).encode(), 0)
