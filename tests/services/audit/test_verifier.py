"""An adversary at work on copies of a log: whatever is changed in an event is found, and named by its place."""

from collections.abc import Callable

import pytest

from forging import put_value, value_at
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_services.audit.source import MemorySource
from hepatrail_services.audit.verifier import verify
from tampered import INDEX, LOG, NEIGHBOUR, PARTITION, SEQ, STREAM, codes, copy, offset_of, place, taken


async def test_an_untouched_log_is_whole() -> None:
    report = await verify(copy()[0], decisions=True, headers=True, checkpoints=taken(LOG, 0))
    events = [record for record in LOG.log.records if record.topic == EVENTS]
    assert report.whole and report.problems == report.warnings == ()
    assert (report.events, report.seals) == (len(events), 3)
    assert report.streams == len({record.key for record in events}) == len(report.heads)
    last = [record for record in events if record.key == STREAM.encode()][-1]
    body = parse_object(last.value or b"")
    assert report.heads[STREAM] == (body["streamseq"], sha256_hex(last.value or b""))
    assert report.first_at is not None and report.last_at is not None
    times = [parse_object(record.value or b"")["recordedat"] for record in events]
    assert (report.first_at, report.last_at) == (min(times), max(times))
    assert [(tree.size, tree.root) for tree in report.trees] == [(tree.size, tree.root()) for tree in LOG.trees]
    assert report.last_line() == (
        f"whole: {len(events)} events in {report.streams} streams, {min(times)} to {max(times)}; "
        "12 trees agree with 3 seals; keys are the log's own, and 13 checkpoints taken earlier agree"
    )


async def test_the_last_line_names_the_keys_and_what_is_not_sealed_yet() -> None:
    source, _ = copy()
    assert (await verify(source)).last_line().endswith("; 12 trees agree with 3 seals; keys are the log's own")
    del source.topics[(CHECKPOINTS, 0)]
    assert (
        (await verify(source)).last_line().endswith("; there is no seal yet, so that a tail cut off would not be seen")
    )
    empty = await verify(MemorySource())
    assert empty.whole and empty.last_line().startswith("whole: 0 events in 0 streams; there is no seal")


def _flip(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda value: value.replace(old, new, 1)


CHAIN = ("BROKEN_CHAIN", "ROOT_MISMATCH")
BYTES = ("NOT_CANONICAL", "BROKEN_CHAIN", "ROOT_MISMATCH")
FLIPS: dict[str, tuple[Callable[[bytes], bytes], tuple[str, ...], int]] = {
    "digit": (_flip(b'"receivedat":"2026', b'"receivedat":"2027'), CHAIN, SEQ + 1),
    "string": (_flip(b'"actororg":"Hospital"', b'"actororg":"Hospitam"'), CHAIN, SEQ + 1),
    "size of the commit": (_flip(b'"commitsize":1', b'"commitsize":2'), CHAIN, SEQ + 1),
    "streamseq": (_flip(b'"streamseq":6', b'"streamseq":7'), ("STREAM_GAP", "DOUBLED", "ROOT_MISMATCH"), SEQ),
    "time": (_flip(b'"recordedat":"2026', b'"recordedat":"2025'), ("TIME_BACKWARDS", *CHAIN), SEQ),
    "index of the commit": (_flip(b'"commitindex":0', b'"commitindex":1'), ("COMMIT_INCOMPLETE", *CHAIN), SEQ),
    "link": (_flip(b'"prevhash":"', b'"prevhash":"0'), CHAIN, SEQ),
    "opening brace": (lambda value: b"[" + value[1:], ("NOT_JSON", "ROOT_MISMATCH"), SEQ),
    "closing brace": (lambda value: value[:-1], ("NOT_JSON", "ROOT_MISMATCH"), SEQ),
    "highest bit": (lambda value: value[:40] + bytes([value[40] ^ 0x80]) + value[41:], ("NOT_JSON",), SEQ),
    "nothing left": (lambda value: b"", ("NOT_JSON", "ROOT_MISMATCH"), SEQ),
    "no object": (lambda value: b"[]", ("NOT_JSON", "ROOT_MISMATCH"), SEQ),
    "space": (_flip(b'","', b'", "'), BYTES, SEQ),
    "escape": (_flip(b"dr-li", b"dr\\u002dli"), BYTES, SEQ),
    "name twice": (_flip(b'"actorid":"dr-li"', b'"actorid":"dr-no","actorid":"dr-li"'), BYTES, SEQ),
    "foreign letters": (_flip(b'"data":{', '"data":{"é":1,'.encode()), BYTES, SEQ),
    "fraction": (_flip(b'"streamseq":6', b'"streamseq":6.0'), ("NOT_CANONICAL", "ROOT_MISMATCH"), SEQ),
    "huge number": (_flip(b'"data":{', b'"data":{"A":9007199254740993,'), BYTES, SEQ),
    "name": (_flip(b'"actorid"', b'"actorie"'), ("MALFORMED", "ROOT_MISMATCH"), SEQ),
    "kind": (_flip(b'"commitsize":1', b'"commitsize":"1"'), ("MALFORMED", "ROOT_MISMATCH"), SEQ),
    "form": (_flip(b'"source":"/', b'"source":"\\'), ("NOT_JSON", "ROOT_MISMATCH"), SEQ),
    "subject": (_flip(b"subject-S-05", b"subject-S-06"), ("WRONG_KEY", "ROOT_MISMATCH"), SEQ),
}


@pytest.mark.parametrize("kind", FLIPS)
async def test_aud_06_each_kind_of_byte_flipped_is_named(kind: str) -> None:
    flip, expected, seq = FLIPS[kind]
    source, rows = copy()
    forged = flip(value_at(rows, INDEX))
    assert forged != value_at(rows, INDEX), "the forger must have found what to change"
    put_value(rows, INDEX, forged)
    report = await verify(source)
    assert set(expected) <= set(codes(report)), report.last_line()
    assert report.count <= 4, "one flip is few problems"
    # Bytes are wrong where they stand, a link is broken where the next event of the stream stands.
    topic, partition, offset, stream, _ = place(report)
    assert (topic, partition, offset) == (EVENTS, PARTITION, offset_of(STREAM, seq))
    assert stream == (NEIGHBOUR if kind == "subject" else STREAM)


async def test_aud_06_a_flipped_key_is_named() -> None:
    source, rows = copy()
    offset, key, value, headers = rows[INDEX]
    assert key is not None
    for forged, code in (
        (b"subject-S-0\xff", "WRONG_KEY"),
        (None, "WRONG_KEY"),
        (NEIGHBOUR.encode(), "WRONG_KEY"),
        (b"study", "WRONG_KEY"),
    ):
        rows[INDEX] = (offset, forged, value, headers)
        report = await verify(source)
        assert codes(report) == [code], "the leaf is the value: only the key is wrong"
        assert place(report) == (EVENTS, PARTITION, offset, STREAM, SEQ)


async def test_aud_06_an_event_in_a_foreign_partition_is_named() -> None:
    source, rows = copy()
    elsewhere = (PARTITION + 1) % 12
    for row in rows[INDEX:]:
        if row[1] == STREAM.encode():
            source.topics.setdefault((EVENTS, elsewhere), []).append(row)
    rows[INDEX:] = [row for row in rows[INDEX:] if row[1] != STREAM.encode()]
    report = await verify(source)
    assert {"WRONG_PARTITION", "LOG_SHORTER"} <= set(codes(report))
    moved = next(problem for problem in report.problems if problem.code == "WRONG_PARTITION")
    assert (moved.partition, moved.stream, moved.streamseq) == (elsewhere, STREAM, SEQ)


@pytest.mark.parametrize(
    ("name", "content"),
    [("ce_type", b"hepatrail.AEReported.v1"), ("ce_streamseq", b"7"), ("ce_subject", b"study"), ("content-type", b"x")],
)
async def test_aud_06_a_flipped_header_is_named(name: str, content: bytes) -> None:
    source, rows = copy()
    offset, key, value, headers = rows[INDEX]
    rows[INDEX] = (offset, key, value, tuple((n, content if n == name else c) for n, c in headers))
    assert (await verify(source)).whole, "headers are hints: they are looked at where asked"
    report = await verify(source, headers=True)
    assert codes(report) == ["WRONG_HEADER"] and name in report.problems[0].message
    assert place(report) == (EVENTS, PARTITION, offset, STREAM, SEQ)
