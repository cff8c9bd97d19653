"""What an auditor takes away as a file: the trail and the access log, complete, counted, safe to open."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import log_commits as log
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.types import parse_instant
from hepatrail_infra.kafka_admin import ACCESS, EVENTS
from hepatrail_projections.trail.row import ANY_TRAIL, TrailFilter, TrailRow
from hepatrail_projections.trail.rows import trail_rows
from hepatrail_projections.trail.state import TrailState
from hepatrail_services.access_log import Access, AccessRecord
from hepatrail_services.audit.access_listing import AccessChains, AccessChoice, list_access
from hepatrail_services.audit.listing import Format, Listing
from hepatrail_services.audit.source import HeaderRow, MemorySource
from hepatrail_services.audit.trail_listing import COLUMNS, list_trail, listed
from projection_log import BEGIN, LogRecord, LogWriter
from trial_history import history


def source_of(records: Sequence[LogRecord]) -> MemorySource:
    """The records as a log that is read."""
    source = MemorySource()
    for each in records:
        rows = source.topics.setdefault((each.topic, each.partition), [])
        rows.append((each.offset, each.key, each.value, each.headers))
    return source


def folded(records: Sequence[LogRecord]) -> list[dict[str, Any]]:
    """The rows of every event of the log, each stream folded by itself, in the trail's order."""
    states: dict[bytes, TrailState] = {}
    rows = list[TrailRow]()
    for each in records:
        if each.topic == EVENTS:
            assert each.key is not None
            rows += trail_rows(states.setdefault(each.key, TrailState()), each.value or b"")
    return [json.loads(json.dumps(listed(row))) for row in sorted(rows, key=lambda row: row.place)]


def written(form: Format, rows: Sequence[Any]) -> str:
    """The rows as a file of the format."""
    file = io.StringIO(newline="")
    listing = Listing(file, form, COLUMNS)
    for row in rows:
        listing.write(row)
    listing.end()
    assert listing.rows == len(rows)
    return file.getvalue()


async def test_aud_09_the_export_has_as_many_rows_as_the_log(tmp_path: Path) -> None:
    records = history(7, subjects=4, steps=120).records
    whole = folded(records)
    made = await list_trail(source_of(records), ANY_TRAIL, tmp_path)
    rows = list(made.rows())
    assert (rows, made.unreadable) == (whole, 0)
    events = sum(1 for each in records if each.topic == EVENTS)
    assert len({row["eventId"] for row in rows}) == events
    lines = written(Format.JSONL, rows).splitlines()
    assert json.loads(lines.pop()) == {"count": len(whole)}
    assert [json.loads(line) for line in lines] == whole
    header, *cells = csv.reader(io.StringIO(written(Format.CSV, rows), newline=""))
    assert (tuple(header), len(cells)) == (COLUMNS, len(whole))
    assert [cell[0] for cell in cells] == [row["position"] for row in whole]


async def test_aud_09_the_export_is_filtered_as_it_was_asked(tmp_path: Path) -> None:
    records = history(7, subjects=4, steps=60).records
    whole = folded(records)
    middle = whole[len(whole) // 2]
    instant = parse_instant(middle["recordedAt"])
    cases: tuple[tuple[TrailFilter, Callable[[dict[str, Any]], bool]], ...] = (
        (TrailFilter(subject_id="S-02"), lambda row: row["subjectId"] == "S-02"),
        (TrailFilter(field="grade"), lambda row: row["field"] == "grade"),
        (TrailFilter(actor_id="dr-li"), lambda row: row["actorId"] == "dr-li"),
        (TrailFilter(object_id=middle["object"]), lambda row: row["object"] == middle["object"]),
        (TrailFilter(since=instant), lambda row: row["recordedAt"] >= middle["recordedAt"]),
        (TrailFilter(until=instant), lambda row: row["recordedAt"] < middle["recordedAt"]),
    )
    for number, (chosen, holds) in enumerate(cases):
        directory = tmp_path / str(number)
        directory.mkdir()
        expected = [row for row in whole if holds(row)]
        assert 0 < len(expected) < len(whole)
        assert list((await list_trail(source_of(records), chosen, directory)).rows()) == expected


async def test_aud_09_what_cannot_be_read_is_counted_and_ends_nothing(tmp_path: Path) -> None:
    writer = LogWriter()
    stream = log.enrol(writer, "S-01")
    writer.raw(stream, b"\x00 bytes of another program")
    before = folded(writer.records[:4])
    writer.raw(stream, None)
    made = await list_trail(source_of(writer.records), ANY_TRAIL, tmp_path)
    assert made.unreadable == 2
    assert list(made.rows()) == before


@pytest.mark.parametrize("text", ["=1+1", "+49", "-5", "@SUM(A1)", "\tx", "\rx"])
def test_aud_09_a_cell_of_csv_is_never_a_formula(text: str) -> None:
    file = io.StringIO(newline="")
    Listing(file, Format.CSV, ("a",)).write({"a": text})
    assert list(csv.reader(io.StringIO(file.getvalue(), newline=""))) == [["a"], [f"'{text}"]]


def test_aud_09_csv_is_that_of_rfc_4180_and_says_everything() -> None:
    file = io.StringIO(newline="")
    listing = Listing(file, Format.CSV, ("text", "list", "nothing", "truth", "sealed"))
    sealed = {"kid": "k", "cid": "c", "path": "reason", "ct": "AAAA"}
    listing.write({"text": 'a "b",\nc', "list": ["x", "y"], "nothing": None, "truth": False, "sealed": sealed})
    listing.end()
    assert file.getvalue() == (
        "text,list,nothing,truth,sealed\r\n"
        '"a ""b"",\nc","[""x"",""y""]",,false,'
        '"{""kid"":""k"",""cid"":""c"",""path"":""reason"",""ct"":""AAAA""}"\r\n'
    )


def access_records(count: int = 6, instances: int = 2) -> list[HeaderRow]:
    """The chains of some instances, woven into each other."""
    rows, heads = list[HeaderRow](), dict[str, tuple[int, str]]()
    kinds = list(Access)
    for number in range(count * instances):
        instance = f"api-{number % instances}"
        seq, before = heads.get(instance, (0, "0" * 64))
        record = AccessRecord(
            instance=instance,
            seq=seq + 1,
            prevhash=before,
            at=BEGIN + timedelta(minutes=number),
            kind=kinds[number % len(kinds)],
            actorid="dr-li" if number % 3 else None,
            detail={"number": number},
        )
        heads[instance] = (seq + 1, sha256_hex(record.raw()))
        rows.append((number, instance.encode(), record.raw(), ()))
    return rows


async def listing_of(rows: list[HeaderRow], chosen: AccessChoice) -> tuple[AccessChains, list[Any]]:
    """What is listed of an access log, and what its chains are like."""
    chains = AccessChains()
    return chains, [row async for row in list_access(MemorySource({(ACCESS, 0): rows}), chosen, chains)]


async def test_aud_07_the_access_log_is_listed_and_every_chain_is_followed() -> None:
    rows = access_records()
    chains, found = await listing_of(rows, AccessChoice())
    assert [row["offset"] for row in found] == list(range(12))
    assert [(row["hash"], row["detail"]["number"]) for row in found] == [
        (sha256_hex(raw or b""), offset) for offset, _, raw, _ in rows
    ]
    assert (chains.problems.count, chains.records, chains.heads["api-1"][0]) == (0, 12, 6)


async def test_aud_07_the_access_log_is_filtered_and_still_followed_whole() -> None:
    rows = access_records()
    for chosen, expected in (
        (AccessChoice(kinds=frozenset({Access.EXPORT, Access.LOGIN})), [1, 7]),
        (AccessChoice(actor_id="dr-li"), [1, 2, 4, 5, 7, 8, 10, 11]),
        (AccessChoice(since=BEGIN + timedelta(minutes=10)), [10, 11]),
        (AccessChoice(until=BEGIN + timedelta(minutes=2)), [0, 1]),
    ):
        chains, found = await listing_of(rows, chosen)
        assert [row["offset"] for row in found] == expected
        assert (chains.records, chains.problems.count) == (12, 0)


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        ("drop", "STREAM_GAP"),
        ("double", "DOUBLED"),
        ("alter", "BROKEN_CHAIN"),
        ("spoil", "NOT_JSON"),
        ("move", "WRONG_KEY"),
    ],
)
async def test_aud_07_an_access_log_that_was_altered_is_named(attack: str, code: str) -> None:
    rows = access_records()
    offset, key, raw, headers = rows[4]
    assert raw is not None
    if attack == "drop":
        del rows[4]
    elif attack == "double":
        rows.insert(5, (offset, key, raw, headers))
    elif attack == "alter":
        rows[4] = (offset, key, raw.replace(b'"number":4', b'"number":5'), headers)
    elif attack == "spoil":
        rows[4] = (offset, key, b"}" + raw, headers)
    else:
        rows[4] = (offset, b"api-9", raw, headers)
    chains, _ = await listing_of(rows, AccessChoice())
    first = chains.problems.first()[0]
    assert (first.code, first.topic, first.partition) == (code, ACCESS, 0)
    # A record that was altered, or cannot be read, is seen by the next of its chain.
    assert first.offset == (6 if attack in ("drop", "alter") else 4)
    assert chains.problems.count == (2 if attack == "spoil" else 1)
