"""RET-01: a bundle into an empty system, on two Kafkas and a Postgres: the same hashes and the same digests."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
import pytest

from bundling import export, files, packed_anew
from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import Broken, StartRefused
from hepatrail_events.streams import subject_stream
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import CHECKPOINTS, DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Released, read_quarantine, record_bytes
from hepatrail_infra.kafka_scan import Scan
from hepatrail_infra.postgres import Dsns
from hepatrail_services.audit.bundle.importing import import_bundle
from hepatrail_services.audit.bundle.source import read_bundle
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.source import HeaderRow, LogSource
from hepatrail_services.audit.verifier import verify
from log_commits import sample
from projection_kafka import fresh_topics, producing, settled, started_kafka
from projection_log import LogRecord, produce
from sealed_log import SealedLog, sealed_history

STREAM = subject_stream("S-00")
GARBAGE = b"\xff no event"


@pytest.fixture(scope="module")
async def other_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedKafka]:
    async with started_kafka(tmp_path_factory.mktemp("other-kafka")) as node:
        yield node


@pytest.fixture
async def other_kafka(other_server: EmbeddedKafka) -> str:
    bootstrap = await other_server.start()
    await fresh_topics(bootstrap)
    return bootstrap


def history_with_garbage() -> SealedLog:
    """A trial with a record that was passed over, and events behind it."""
    sealed = sealed_history(8, subjects=3, steps=40)
    sealed.log.release(sealed.log.raw(STREAM, GARBAGE))
    sealed.log.skip_in_chain(STREAM, GARBAGE)
    sample(sealed.log, STREAM, creatinine="92")
    sealed.seal()
    return sealed


async def write_in_small_transactions(bootstrap: str, records: Sequence[LogRecord]) -> None:
    """With many markers between the records; the release names the offset that its record has there."""
    async with producing(bootstrap) as producer:
        kept = [each for each in records if each.topic != QUARANTINE]
        for begin in range(0, len(kept), 7):
            await produce(producer, kept[begin : begin + 7])
        await settled(bootstrap)
        rows = await read_all(bootstrap, EVENTS, partition_of(STREAM))
        (offset,) = (row[0] for row in rows if row[2] == GARBAGE)
        (release,) = (each for each in records if each.topic == QUARANTINE)
        entry = read_quarantine(release.value or b"").model_copy(update={"offset": offset})
        await produce(producer, [LogRecord(QUARANTINE, 0, 0, release.key, record_bytes(entry))])
    await settled(bootstrap)


async def read_all(bootstrap: str, topic: str, partition: int) -> list[HeaderRow]:
    async with Scan(bootstrap) as scan:
        return await rows_of(KafkaSource(scan), topic, partition)


async def rows_of(source: LogSource, topic: str, partition: int) -> list[HeaderRow]:
    return [row async for rows in source.rows_with_headers(topic, partition) for row in rows]


async def test_ret_01_an_imported_bundle_has_the_same_hashes_and_digests(
    kafka: str, other_kafka: str, dsns: Dsns, tmp_path: Path
) -> None:
    await write_in_small_transactions(kafka, history_with_garbage().records())
    path = tmp_path / "bundle.zip"
    async with Scan(kafka) as scan:
        source = KafkaSource(scan)
        await export(source, path, owner_dsn=dsns.owner)
        before = await verify(source, headers=True)
    assert before.whole, before.problems
    done = await import_bundle(read_bundle(path), other_kafka, dsns.owner)
    assert (done.compared, done.differing) == (True, ())
    assert (done.report.heads, done.report.trees, done.report.seals) == (before.heads, before.trees, before.seals)
    digests = orjson.loads(files(path)["digests.json"])["portable"]
    assert {"event", "decision", "subject", "score", "quarantine", "released", "checkpoint_seal"} <= digests.keys()
    async with Scan(kafka) as scan, Scan(other_kafka) as other:
        for topic, partitions in ((EVENTS, range(12)), (DECISIONS, range(12)), (CHECKPOINTS, [0])):
            for partition in partitions:
                here = await rows_of(KafkaSource(scan), topic, partition)
                there = await rows_of(KafkaSource(other), topic, partition)
                assert [row[1:3] for row in here] == [row[1:3] for row in there]
                if topic == EVENTS:
                    assert [list(row[3]) for row in here] == [list(row[3]) for row in there]
    # The one thing that changes: a release names the place at which its record stands now.
    (place,) = [row[0] for row in await read_all(other_kafka, EVENTS, partition_of(STREAM)) if row[2] == GARBAGE]
    (release,) = [read_quarantine(row[2] or b"") for row in await read_all(other_kafka, QUARANTINE, 0)]
    assert isinstance(release, Released)
    assert release.offset == place
    with pytest.raises(StartRefused, match="into an empty system only"):
        await import_bundle(read_bundle(path), other_kafka)


async def test_another_event_or_digest_in_a_bundle_is_named_by_the_import(
    other_kafka: str, dsns: Dsns, tmp_path: Path
) -> None:
    path, forged = tmp_path / "bundle.zip", tmp_path / "forged.zip"
    await export(sealed_history(9, subjects=1, steps=10, seals=1).source(), path, owner_dsn=dsns.owner)
    held = files(path)
    body = orjson.loads(held["digests.json"])
    body["portable"]["score"] = "0" * 64
    packed_anew(path, {"digests.json": canonical_json(body)}, forged)
    done = await import_bundle(read_bundle(forged), other_kafka, dsns.owner)
    assert (done.compared, done.differing) == (True, ("score",))
    await fresh_topics(other_kafka)
    file = f"events/{partition_of(STREAM):02}.jsonl"
    assert b'"dr-li"' in held[file]
    packed_anew(path, {file: held[file].replace(b'"dr-li"', b'"dr-lo"')}, forged)
    with pytest.raises(Broken, match=r"what was imported is not whole: (BROKEN_CHAIN|ROOT_MISMATCH)"):
        await import_bundle(read_bundle(forged), other_kafka)


async def test_a_participants_bundle_is_not_imported(tmp_path: Path) -> None:
    await export(sealed_history(9, subjects=1, steps=10).source(), tmp_path / "one.zip", subject_id="S-00")
    with pytest.raises(StartRefused, match="only a whole one can be imported"):
        await import_bundle(read_bundle(tmp_path / "one.zip"), "127.0.0.1:1")
