"""Seals, sealing keys and reviews in the projections; what is no seal is kept in quarantine and stops nothing."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import STUDY
from hepatrail_events.study import AuditTrailReviewed, SealingKeyPublished
from hepatrail_events.transparency.seal import Seal, SealReason
from hepatrail_events.types import format_instant
from hepatrail_projections.audit_review import AuditReviewRow
from hepatrail_projections.catalog import CATALOG
from hepatrail_projections.checkpoint_seal import SealRow, seal_row
from hepatrail_projections.sealing_key import SealingKeyRow
from log_commits import enrol, publish
from projection_log import BEGIN, LogRecord, LogWriter
from projection_tables import Sink, Tables
from seals import LOG, Sealing


@pytest.fixture
def log() -> LogWriter:
    """A study with its protocol and a participant."""
    log = LogWriter(51)
    publish(log)
    enrol(log, "S-1")
    return log


async def test_a_seal_has_a_row_with_its_sizes_and_bytes_and_stays(tables: Tables, log: LogWriter) -> None:
    sealing = Sealing()
    records = [sealing.seal(log.records[:half], BEGIN + timedelta(hours=half)) for half in (2, len(log.records))]
    await tables.project([*log.records, *records], size=1)
    first, second = await _oldest_first(tables)
    assert (first.seal, second.seal) == (1, 2)
    assert (second.log, second.reason, second.at) == (LOG, "INTERVAL", BEGIN + timedelta(hours=len(log.records)))
    assert tuple(second.sizes) == sealing.sizes[1]
    assert sum(first.sizes) < sum(second.sizes)
    assert second.raw == records[1].value
    notes = [second.checkpoint(partition) for partition in range(12)]
    assert notes == list(zip(sealing.seals[1].checkpoints, sealing.sizes[1], strict=True))
    assert sealing.seals[1].prevhash == first.hash
    assert await tables.reader.seal() == second
    assert await tables.reader.seal(1) == first
    assert await tables.reader.seal(3) is None
    assert await tables.rows() == await tables.whole_build([*records, *log.records])


async def _oldest_first(tables: Tables) -> list[SealRow]:
    return list(reversed((await tables.reader.seals(200)).items))


async def test_seals_are_listed_newest_first_page_by_page(tables: Tables, log: LogWriter) -> None:
    sealing = Sealing()
    await tables.project([sealing.seal(log.records) for _ in range(7)])
    seen: list[int] = []
    before = None
    while True:
        page = await tables.reader.seals(3, before)
        seen += [row.seal for row in page.items]
        if not page.has_next:
            break
        before = seen[-1]
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    with pytest.raises(ValueError, match="1 to 200"):
        await tables.reader.seals(201)


@pytest.mark.parametrize("size", [1, 100])
async def test_what_is_no_seal_is_kept_in_quarantine_and_halts_nothing(
    tables: Tables, log: LogWriter, size: int
) -> None:
    sealing = Sealing()
    first = sealing.seal(log.records[:2])
    forged = Sealing().seal(log.records, reason=SealReason.DEMAND)
    bad = [b"\xff", b"{}", None, forged.value, sealing.seals[0].raw().replace(b"\\n0\\n", b"\\n00\\n")]
    records = [first, *(_at(sealing, number, value) for number, value in enumerate(bad, 3))]
    good = sealing.seal(log.records)
    records.append(_at(sealing, 20, good.value))
    sink = Sink()
    engine = await tables.engine(sink)
    for begin in range(0, len(records), size):
        await engine.apply([*records, *log.records][begin : begin + size])
    await engine.close()
    assert [(row.seal, row.reason) for row in (await tables.reader.seals(9)).items] == [
        (2, "INTERVAL"),
        (1, "INTERVAL"),
    ]
    held = [(row.topic, row.partition, row.kafka_offset, row.code) for row in await tables.reader.parked()]
    assert [code for *_, code in held] == [
        "NOT_JSON", "INVALID_ENVELOPE", "NOT_JSON", "BROKEN_CHAIN", "INVALID_PAYLOAD",
    ]  # fmt: skip
    assert {row.raw for row in sink.rows} == {value or b"" for value in bad}
    assert {each[:2] for each in held} == {("hepatrail.checkpoints", 0)}


def _at(sealing: Sealing, offset: int, value: bytes | None) -> LogRecord:
    return replace(sealing.record(value), offset=offset)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body | {"log": "a\0b"},
        lambda body: body | {"seal": 2**63},
        lambda body: body | {"checkpoints": [body["checkpoints"][0].replace("\n0\n", f"\n{2**63}\n")] * 12},
    ],
    ids=["NUL", "number", "size"],
)
def test_a_seal_that_postgres_cannot_keep_is_none(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    body = Sealing().seal([]).value or b""
    changed = json.dumps(change(Seal.read(body).payload())).encode()
    assert Seal.read(changed)
    seal_row(body, 0)
    with pytest.raises(InvalidMessage):
        seal_row(changed, 0)


async def test_sealing_keys_are_listed_in_the_order_of_their_publication(tables: Tables, log: LogWriter) -> None:
    keys = [base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2)]
    for key in keys:
        log.commit(STUDY, SealingKeyPublished(public_key=key, reason="yearly change"), actor="admin", role="ADMIN")
    await tables.project(log.records, size=3)
    rows = await tables.rows()
    assert [row.public_key for row in rows["sealing_key"]] == keys
    last = rows["sealing_key"][-1]
    event = next(row for row in rows["event"] if (row.stream, row.streamseq) == (STUDY, last.streamseq))
    assert last == SealingKeyRow(
        last.streamseq, keys[1], "yearly change", event.recorded_at, "admin", (event.event_id,)
    )
    assert rows == await tables.whole_build(log.records)


async def test_aud_10_a_review_of_a_period_has_a_row(tables: Tables, log: LogWriter) -> None:
    begin, end = BEGIN, BEGIN + timedelta(days=30)
    period = {"from": format_instant(begin), "to": format_instant(end)}
    for more in ({"seal": 4, "sealHash": "ab" * 32, "findings": "none"}, {}):
        review = AuditTrailReviewed.from_payload(period | more)
        log.commit(STUDY, review, actor="auditor", role="AUDITOR")
    await tables.project(log.records, size=2)
    first, second = await tables.reader.reviews()
    assert first == AuditReviewRow(2, begin, end, 4, "ab" * 32, "none", first.reviewed_at, "auditor", first.event_ids)
    assert (second.seal, second.seal_hash, second.findings) == (None, None, None)
    assert first.reviewed_at < second.reviewed_at
    assert await tables.rows() == await tables.whole_build(log.records)


def test_every_offset_of_kafka_is_named_as_a_place_and_nothing_else() -> None:
    places = {table.name: {*table.places} for table in CATALOG}
    columns = {table.name: {column.name for column in table.columns} for table in CATALOG}
    offsets = {name: {each for each in names if "offset" in each} for name, names in columns.items()}
    # The offsets themselves are held in no digest at all.
    assert places == offsets | {"projection_offset": set()}
